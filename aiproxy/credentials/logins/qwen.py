"""Qwen accounts of Qwen Code. Source: provider sheet qwen."""

from collections.abc import Mapping
from typing import Any

from aiproxy.credentials.login import Changes, Client, Login
from aiproxy.credentials.record import Record
from aiproxy.credentials.refresh_grant import Refresh
from aiproxy.credentials.ways.desk import Content, Desk, Options
from aiproxy.credentials.ways.device import DeviceCode


def _where(reply: Mapping[str, Any], _record: Record) -> Changes:
    place = reply.get("resource_url")
    return {"resource_url": place} if isinstance(place, str) and place else {}


async def _finish(_login: Login, content: Content, reply: Mapping[str, Any], desk: Desk, _options: Options) -> Content:
    """Qwen doesn't say whose account it is."""
    name = (await desk.enter("A name for this account, an e-mail address for one")).strip()
    about = _where(reply, Record("", "qwen", content))
    return {**content, **about, **({"email": name} if name else {})}


QWEN = Login(
    provider="qwen",
    types=("qwen",),
    client=Client("f0304373b74a44d2b584a3fb70ca9e56"),
    renew=Refresh(more=_where),
    lead=20 * 60,
    base="https://portal.qwen.ai/v1",
    urls={
        "device": "https://chat.qwen.ai/api/v1/oauth2/device/code",
        "token": "https://chat.qwen.ai/api/v1/oauth2/token",
    },
    ways=(DeviceCode("openid profile email model.completion", pkce=True, finish=_finish),),
    closed="The vendor ended the free plan behind this login on 15 April 2026.",
)
