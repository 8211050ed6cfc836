"""iFlow's API with an account's key: Chat Completions, each request signed by the key, thinking by switches of the models'.

Source: provider sheet iflow. The vendor announced the end of the service in April 2026. Left out as disguise: the name of
iFlow's own program; the signature is made over ours, which the service may refuse."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from aiproxy.codecs import openai_chat
from aiproxy.credentials.signed import SignedKey
from aiproxy.neutral.carried import Json
from aiproxy.providers.base import LoggedIn, Operation, Provider, Upstream, speaking
from aiproxy.providers.logins import account_of
from aiproxy.providers.openai_dialects import thinks

SWITCHED = ("glm-", "qwen3-max-preview", "deepseek-v3.1", "deepseek-v3.2")
"""What the names of models begin with whose thinking is switched in their chat template."""


def switch_thinking(body: dict[str, Json]) -> bool:
    """On or off is all there is; an effort is taken as on."""
    asked, model = thinks(body), str(body.get("model", "")).lower()
    if asked is None:
        return False
    if model.startswith(SWITCHED):
        switches = {
            "enable_thinking": asked,
            **({"clear_thinking": False} if asked and model.startswith("glm-") else {}),
        }
        said = body.get("chat_template_kwargs")
        body["chat_template_kwargs"] = {**(said if isinstance(said, dict) else {}), **switches}
    elif model.startswith("minimax-"):
        body["reasoning_split"] = asked
    body.pop("reasoning_effort", None)
    body.pop("thinking", None)
    return True


def leave_out_no_tools(body: dict[str, Json]) -> bool:
    """Some models stall over an empty list."""
    if body.get("tools") != []:
        return False
    del body["tools"]
    return True


def unknown_effort(body: Mapping[str, Json]) -> Iterator[str]:
    """`switch_thinking` takes an effort that it understands; what is left means nothing here."""
    if "reasoning_effort" in body:
        yield "reasoning_effort"


def _accounts(login: LoggedIn) -> Iterable[Upstream]:
    found = account_of(IFLOW, login, ("qwen*", "glm-*", "kimi-*", "deepseek-*", "minimax-*", "iflow-*", "tstars*"))
    yield replace(found, credential=SignedKey(login.credential))


IFLOW = Provider(
    name="iflow",
    base_url="https://apis.iflow.cn/v1",
    endpoints=(
        replace(
            speaking(
                openai_chat.CODEC,
                Operation.CHAT,
                "/chat/completions",
                repairs=(switch_thinking, leave_out_no_tools),
            ),
            leaves_out=unknown_effort,
        ),
    ),
    accounts=_accounts,
    abilities={"developer_role": False, "freeform_tools": False},
    models=(
        "qwen3-coder-plus",
        "qwen3-max",
        "qwen3-vl-plus",
        "qwen3-max-preview",
        "glm-4.6",
        "kimi-k2",
        "deepseek-v3.2",
        "deepseek-v3.1",
        "deepseek-r1",
        "deepseek-v3",
        "qwen3-32b",
        "qwen3-235b",
        "qwen3-235b-a22b-instruct",
        "qwen3-235b-a22b-thinking-2507",
        "iflow-rome-30ba3b",
    ),
)
