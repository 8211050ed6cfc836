"""Kimi Code with its login: Chat Completions, and Anthropic's Messages for clients that speak it.

Source: provider sheet kimi. The device headers that the API asks for name this program and this machine."""

from collections.abc import Iterable
from dataclasses import replace
from platform import machine, node, system

from aiproxy import __version__
from aiproxy.codecs import anthropic_messages, openai_chat
from aiproxy.providers.base import LoggedIn, Operation, Provider, Upstream, speaking
from aiproxy.providers.kimi_repairs import (
    fill_call_ids,
    keep_reasoning,
    leave_out_silent_turns,
    name_model,
    say_thinking,
)
from aiproxy.providers.logins import account_of, text

DEVICE = {
    "x-msh-platform": "aiproxy",
    "x-msh-version": __version__,
    "x-msh-device-name": node().encode("ascii", "ignore").decode() or "unnamed",
    "x-msh-device-model": f"{system()} {machine()}",
}


def _accounts(login: LoggedIn) -> Iterable[Upstream]:
    """The device's id was made at the login and stays with it."""
    found = account_of(KIMI, login, ("kimi-*", "k2*", "k3*"))
    device = text(login.record, "device_id")
    yield replace(found, headers={**({"x-msh-device-id": device} if device else {}), **found.headers})


KIMI = Provider(
    name="kimi",
    base_url="https://api.kimi.com/coding",
    endpoints=(
        speaking(
            openai_chat.CODEC,
            Operation.CHAT,
            "/v1/chat/completions",
            repairs=(name_model, fill_call_ids, keep_reasoning, leave_out_silent_turns, say_thinking),
        ),
        speaking(anthropic_messages.CODEC, Operation.CHAT, "/v1/messages", repairs=(name_model,)),
        speaking(anthropic_messages.CODEC, Operation.COUNT_TOKENS, "/v1/messages/count_tokens", repairs=(name_model,)),
    ),
    accounts=_accounts,
    vendor="moonshot",
    abilities={"developer_role": False, "freeform_tools": False},
    models=(
        "kimi-k2",
        "kimi-k2-thinking",
        "kimi-k2.5",
        "kimi-k2.6",
        "kimi-k2.7-code",
        "kimi-k2.7-code-highspeed",
        "kimi-k3",
        "kimi-k3-256k",
    ),
    headers={**DEVICE, "anthropic-version": "2023-06-01"},
    passed_on=("anthropic-version", "anthropic-beta"),
)
