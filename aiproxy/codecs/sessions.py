"""What a conversation is known by: an id that its client sends along, else a digest of how it began. Pure, and cheap: it
looks at a bounded part of a body, however large that is.

Sources: the headers of Claude Code, Codex and OpenCode; OpenAI's `prompt_cache_key`, `safety_identifier` and
`previous_response_id`; Anthropic's `metadata.user_id`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from aiproxy.codecs.outline import KEPT

SESSION_HEADERS = (
    "x-claude-code-session-id",
    "session_id",
    "session-id",
    "x-session-id",
    "x-session-affinity",
    "conversation_id",
)

SESSION_FIELDS = ("prompt_cache_key", "metadata.user_id", "safety_identifier", "previous_response_id")

MOST_PIECES = 256
"""Values of a system prompt or of a turn that are looked at; real ones have a dozen."""

MOST_TOOLS = 256
"""Tools whose names are looked at."""

Json = Any


@dataclass(frozen=True, slots=True)
class Session:
    """`key` is a digest, "" for nothing to go by. `begins`: nothing was answered yet, so no account has seen it before."""

    key: str = ""
    begins: bool = False


NO_SESSION = Session()


def session_of(headers: Mapping[str, str], body: Mapping[str, Json]) -> Session:
    """`headers` in lower case; `body` of any client protocol."""
    for name in SESSION_HEADERS:
        if value := headers.get(name):
            return Session(_digest((value,)))
    for field in SESSION_FIELDS:
        outer, _, inner = field.rpartition(".")
        holder = body.get(outer) if outer else body
        value = holder.get(inner) if isinstance(holder, dict) else None
        if isinstance(value, str) and value:
            return Session(_digest((value,)))
    return _as_it_began(body)


def responded(response_id: str) -> str:
    """The key of whoever goes on from this response."""
    return _digest((response_id,))


def _as_it_began(body: Mapping[str, Json]) -> Session:
    turns = next((turns for name in ("messages", "input", "contents") if (turns := body.get(name))), None)
    if isinstance(turns, list):
        first = next((turn for turn in turns if _role(turn) == "user"), None)
        systems = [turn for turn in turns[:2] if _role(turn) in ("system", "developer")]
        begins = not any(_role(turn) in ("assistant", "model", "") for turn in turns)
    else:
        first, systems, begins = turns or body.get("prompt"), [], True
    if first is None:
        return NO_SESSION
    system = [body.get(name) for name in ("system", "instructions", "systemInstruction", "system_instruction")]
    pieces = (*_texts([*system, *systems]), "\0", *_tool_names(body.get("tools")), "\0", *_texts([first]))
    return Session(_digest(pieces), begins)


def _role(turn: Json) -> str:
    """A turn without one is Gemini's, and the user's; an item of Responses that isn't a message has none ("")."""
    if not isinstance(turn, dict):
        return ""
    role = turn.get("role", "user" if "parts" in turn else "")
    return role if isinstance(role, str) else ""


def _texts(values: Sequence[Json]) -> Iterator[str]:
    """The texts inside, wherever they are, a bounded number of them."""
    waiting = list(reversed(values))
    left = MOST_PIECES
    while waiting and left:
        value = waiting.pop()
        left -= 1
        if isinstance(value, str):
            yield (
                value if len(value) <= 2 * KEPT else value[:KEPT] + value[-KEPT:]
            )  # the same of a body and of its outline
        elif isinstance(value, list):
            waiting += reversed(value[:left])
        elif isinstance(value, dict):
            waiting += [inner for name, inner in value.items() if name != "cache_control"][:left]


def _tool_names(tools: Json) -> Iterator[str]:
    for tool in tools[:MOST_TOOLS] if isinstance(tools, list) else ():
        if isinstance(tool, dict):
            inner = tool.get("function")
            name = inner.get("name") if isinstance(inner, dict) else tool.get("name") or tool.get("type")
            if isinstance(name, str):
                yield name
            else:  # Gemini has one tool with all its declarations
                yield from _tool_names(tool.get("functionDeclarations") or tool.get("function_declarations"))


def _digest(pieces: Sequence[str]) -> str:
    return blake2b("\0".join(pieces).encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
