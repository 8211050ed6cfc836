"""xAI, strict about what is its own: Responses for most clients, Chat Completions for those that speak it.

Source: the provider sheet."""

from dataclasses import replace

from tests.rig.upstream import Received
from tests.vendors.back_ends import CLIENTS, Served, elsewhere, honest
from tests.vendors.openai_chat import OPENAI_CHAT
from tests.vendors.openai_responses import OPENAI_RESPONSES
from tests.vendors.vendor import Asked, Vendor

KEY = "xai-key-0123456789"

PREFIX = "/xai/v1"


def _own(received: Received) -> Received:
    honest(received)
    assert received.headers["authorization"] == f"Bearer {KEY}"
    return elsewhere(received, received.path.removeprefix("/xai"))


def responses(received: Received) -> Asked:
    body = received.json
    assert not body.keys() & {"prompt_cache_retention", "safety_identifier", "stream_options"}, body.keys()
    for tool in body.get("tools", ()):
        assert tool["type"] != "custom", "custom tools are not supported"
        assert "external_web_access" not in tool
    for item in body["input"] if isinstance(body["input"], list) else ():
        assert item.get("role") != "developer"
        assert item.get("type") != "reasoning" or None not in item.values(), "null is no value"
    return OPENAI_RESPONSES.asked(_own(received))


def chat(received: Received) -> Asked:
    return OPENAI_CHAT.asked(_own(received))


XAI = replace(OPENAI_RESPONSES, name="xai", protocol="openai-responses", asked=responses)
XAI_CHAT = replace(OPENAI_CHAT, name="xai-chat", protocol="openai-chat", asked=chat)

SERVED = (
    Served(XAI, "xai", clients=tuple({*CLIENTS} - {"openai-chat"})),
    Served(XAI_CHAT, "xai", clients=("openai-chat",)),
)


def vendor_of(path: str) -> Vendor:
    return XAI if path.endswith("/responses") else XAI_CHAT
