"""From a call's record to its spans, with the attributes of OpenTelemetry's GenAI conventions: one of the call, as its client saw
it, and one of each attempt, as its upstream did. Pure.

The conventions are in development. Names as of semantic-conventions 1.41, and of semantic-conventions-genai where it
differs, which `tracing.conventions` chooses. In both, input tokens hold those of caches, output tokens those of thinking."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum

from aiproxy.config.schema import Conventions
from aiproxy.neutral.usage import Usage
from aiproxy.usage import Attempt, CallRecord, Outcome
from aiproxy.usage.trace import Trace

Value = str | int | float | bool

OPERATIONS = {
    "completions": "text_completion",
    "embedding": "embeddings",
}
"""Of ours, those that the conventions call otherwise."""

PROVIDERS = {
    "claude": "anthropic",
    "codex": "openai",
    "gemini": "gcp.gemini",
    "vertex": "gcp.vertex_ai",
    "gemini-cli": "gcp.gen_ai",
    "antigravity": "gcp.gen_ai",
    "kimi": "moonshot_ai",
}
"""The same of providers."""

CACHE_WRITE: Mapping[Conventions, tuple[str, ...]] = {
    Conventions.V1_41: ("gen_ai.usage.cache_creation.input_tokens",),
    Conventions.NEXT: ("gen_ai.usage.cache_write.input_tokens",),
    Conventions.BOTH: ("gen_ai.usage.cache_creation.input_tokens", "gen_ai.usage.cache_write.input_tokens"),
}


class Kind(IntEnum):
    """By OTLP's numbers."""

    SERVER = 2
    CLIENT = 3


@dataclass(frozen=True, slots=True)
class Span:
    """`began` and `ended` are seconds since the epoch, `error` the kind of what went wrong."""

    id: str
    parent: str
    name: str
    kind: Kind
    began: float
    ended: float
    attributes: Mapping[str, Value]
    error: str = ""


Address = Callable[[str], tuple[str, int] | None]
"""Host and port of an account's upstream; None for one that is gone."""


def spans(record: CallRecord, trace: Trace, offset: float, names: Conventions, address: Address) -> Iterator[Span]:
    """`offset` is what lies between the record's clock and the time of day."""
    ended = record.started if record.ended is None else record.ended
    began, operation = record.started + offset, OPERATIONS.get(record.operation, record.operation)
    shared = _told({"gen_ai.operation.name": operation, "gen_ai.conversation.id": record.session})
    shared["gen_ai.request.stream"] = record.streamed
    last = record.attempts[-1] if record.attempts else None
    told: dict[str, Value] = {**shared, **_call(record), **(_answer(last, names) if last else {})}
    told.update(_told({"gen_ai.request.model": record.model, "gen_ai.response.model": last.model if last else ""}))
    error = _error(record.outcome, record.error)
    yield Span(trace.span, trace.parent, f"{operation} {record.model}", Kind.SERVER, began, ended + offset, told, error)
    for number, attempt in enumerate(record.attempts, 1):
        of = {**shared, **_told({"gen_ai.request.model": attempt.model}), **_answer(attempt, names)}
        of |= {"aiproxy.account": attempt.account, "aiproxy.attempt": number, "aiproxy.outcome": attempt.outcome.value}
        if attempt.upstream_status is not None:
            of["http.response.status_code"] = attempt.upstream_status
        if at := address(attempt.account):
            of["server.address"], of["server.port"] = at
        error = _error(attempt.outcome, attempt.error)
        name, times = f"{operation} {attempt.model}", (attempt.started + offset, attempt.ended + offset)
        yield Span(trace.attempt(number), trace.span, name, Kind.CLIENT, *times, of, error)


def _call(record: CallRecord) -> Mapping[str, Value]:
    """What there is no convention for."""
    told = _told(
        {
            "aiproxy.request_id": record.request_id,
            "aiproxy.client": record.client,
            "aiproxy.protocol": record.protocol,
            "aiproxy.outcome": record.outcome.value if record.outcome else "",
        }
    )
    told["aiproxy.attempts"] = len(record.attempts)
    if record.first_byte is not None:
        told["aiproxy.first_byte_seconds"] = record.first_byte - record.started
    costs = [attempt.cost for attempt in record.attempts if attempt.cost is not None]
    return {**told, "aiproxy.cost_usd": sum(costs)} if costs else told


def _answer(attempt: Attempt, names: Conventions) -> dict[str, Value]:
    told: dict[str, Value] = {"gen_ai.provider.name": PROVIDERS.get(attempt.provider, attempt.provider)}
    if attempt.error:
        told["error.type"] = attempt.error
    return told if attempt.usage is None else {**told, **_used(attempt.usage, names)}


def _used(usage: Usage, names: Conventions) -> dict[str, Value]:
    told = {
        "gen_ai.usage.input_tokens": usage.input_total,
        "gen_ai.usage.output_tokens": usage.output_total,
        "gen_ai.usage.cache_read.input_tokens": usage.cache_read,
        "gen_ai.usage.reasoning.output_tokens": usage.reasoning,
        **dict.fromkeys(CACHE_WRITE[names], usage.cache_write_total),
    }
    return {name: tokens for name, tokens in told.items() if tokens is not None}


def _error(outcome: Outcome | None, kind: str) -> str:
    """A client that leaves is no error."""
    return kind or outcome if outcome in (Outcome.FAILED, Outcome.CUT) else ""


def _told(words: Mapping[str, str]) -> dict[str, Value]:
    return {name: word for name, word in words.items() if word}
