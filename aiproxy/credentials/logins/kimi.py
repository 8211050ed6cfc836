"""Kimi Code accounts. Source: provider sheet kimi."""

from platform import machine, node, system

from aiproxy.credentials.base import Headers
from aiproxy.credentials.exchange import USER_AGENT
from aiproxy.credentials.login import Client, Login
from aiproxy.credentials.record import Record
from aiproxy.credentials.refresh_grant import Refresh
from aiproxy.credentials.ways.device import DeviceCode


def device_headers(device_id: str) -> Headers:
    """Which device asks: this one, by our own name. The id is made at the login and stays with it."""
    product, _, version = USER_AGENT.partition("/")
    name = node().encode("ascii", "ignore").decode() or "unnamed"
    pairs = (
        ("x-msh-platform", product),
        ("x-msh-version", version),
        ("x-msh-device-name", name),
        ("x-msh-device-model", f"{system()} {machine()}"),
    )
    return (*pairs, ("x-msh-device-id", device_id)) if device_id else pairs


def _device(record: Record) -> Headers:
    return device_headers(record.text("device_id"))


KIMI = Login(
    provider="kimi",
    types=("kimi",),
    client=Client("17e5f671-d194-4dfb-9706-5516cb48c098"),
    renew=Refresh(headers=_device),
    lead=300,
    base="https://api.kimi.com/coding",
    urls={
        "device": "https://auth.kimi.com/api/oauth/device_authorization",
        "token": "https://auth.kimi.com/api/oauth/token",
    },
    ways=(DeviceCode(headers=device_headers),),
)
