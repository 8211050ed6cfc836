"""What legacy completions say differently: a prompt is what one user says. Source: OpenAI API reference, completions."""

from collections.abc import Mapping
from typing import Any

from aiproxy.codecs.openai_chat.notes import OPERATION, note
from aiproxy.codecs.report import Report
from aiproxy.neutral.carried import Json
from aiproxy.neutral.errors import InvalidRequest, Unsupported
from aiproxy.neutral.parts import TextPart
from aiproxy.neutral.request import GenerateRequest, Turn

COMPLETIONS = "completions"

_DEFAULTS: Mapping[str, Json] = {"echo": False, "best_of": 1}
"""Values that ask for nothing: noted, so that no upstream refuses them."""


def is_legacy(request: GenerateRequest) -> bool:
    return bool(note(request.extensions, OPERATION) == COMPLETIONS)


def as_chat(body: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Json]]:
    """(the body with chat's words for what legacy completions call otherwise, notes of that)."""
    notes: dict[str, Json] = {OPERATION: COMPLETIONS}
    found = dict(body)
    if isinstance(tops := found.get("logprobs"), int) and not isinstance(tops, bool):
        found |= {"logprobs": True, "top_logprobs": tops}
        notes["~logprobs"] = tops
    notes["~defaults"] = {name: found.pop(name) for name, value in _DEFAULTS.items() if found.get(name) == value}
    return found, notes


def turns(rest: dict[str, Json], report: Report) -> tuple[Turn, ...]:
    """Takes the prompt out of the rest. Raises `Unsupported` for several prompts and for token ids: no chat model takes them."""
    form = "text"
    match rest.get("prompt"):
        case str(text):
            pass
        case [str(text)]:
            form = "list"
        case None:
            text, form = "", "null" if "prompt" in rest else "absent"
        case [str(), *_]:
            raise Unsupported(
                "Several prompts in one request can't be translated: send them one by one.", param="prompt"
            )
        case [int() | list(), *_]:
            raise Unsupported("A prompt of token ids can't be translated: send text.", param="prompt")
        case _:
            raise InvalidRequest("`prompt` must be a string.", param="prompt")
    rest.pop("prompt", None)
    rest["~prompt"] = form
    report.read("prompt", "part.text")
    return (Turn("user", (TextPart(text),)),)


def write(request: GenerateRequest, body: dict[str, Json]) -> None:
    """The words of legacy completions back into a body."""
    text = "".join(part.text for turn in request.turns for part in turn.parts if isinstance(part, TextPart))
    match note(request.extensions, "~prompt"):
        case "list":
            body["prompt"] = [text]
        case "null" if not text:
            body["prompt"] = None
        case "absent" if not text:
            pass
        case _:
            body["prompt"] = text
    if (tops := note(request.extensions, "~logprobs")) is not None:
        del body["top_logprobs"]
        body["logprobs"] = tops
    body |= note(request.extensions, "~defaults") or {}
