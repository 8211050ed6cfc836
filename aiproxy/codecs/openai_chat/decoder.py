"""Chat Completions and legacy completions answers as neutral events, streamed or whole.

A whole answer is a stream of one chunk: `message` is a delta that says everything. What a candidate says in turn (thinking,
text, refusal, sound) is one open part at a time; tool calls stay open beside it, since servers interleave them and some send
their signature last. Everything ends with `[DONE]` or, once every choice has finished, with the bytes."""

from collections.abc import Sequence
from typing import Any

from msgspec import UNSET

from aiproxy.codecs.codec import Exchange
from aiproxy.codecs.json_bytes import load_object
from aiproxy.codecs.openai_chat.candidate import OpenCandidate
from aiproxy.codecs.openai_chat.continuation import Chunk, continuation
from aiproxy.codecs.openai_chat.errors import hidden_error, says_error
from aiproxy.codecs.openai_chat.given_names import GivenNames
from aiproxy.codecs.openai_chat.table import NAME
from aiproxy.codecs.openai_chat.usage import read_usage, write_usage
from aiproxy.framing import Frame
from aiproxy.framing.sse import COMMENT
from aiproxy.neutral.collect import collect
from aiproxy.neutral.errors import UpstreamFailed, UpstreamTruncated
from aiproxy.neutral.events import Heartbeat, ResponseFinished, ResponseStarted, StreamEvent, UsageUpdated
from aiproxy.neutral.response import GenerateResponse
from aiproxy.neutral.usage import Usage

DONE = b"[DONE]"

MOST_CHOICES = 128
"""OpenAI's limit of `n`."""

_HEAD = frozenset({"id", "object", "created", "model", "choices", "usage", "service_tier", "obfuscation"})
"""What every chunk has; the rest of one rides along."""


class ChatDecoder:
    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._names = GivenNames.of(exchange)
        self._candidates: dict[int, OpenCandidate] = {}
        self._started = False
        self._done = False
        self._counted = False  # usage came with the last choice's end, or after it
        self._usage: Usage | None = None
        self._raw_usage: Any = None
        self._tier: str | None = None
        self._rest: dict[str, Any] = {}

    def feed(self, frame: Frame) -> Sequence[StreamEvent]:
        data = frame.data
        if self._done or not data:
            return ()
        more = None if frame.event else continuation(data)
        if more is not None:
            said, choice, kind, text = more
            candidate = self._candidates.get(choice)
            if candidate is not None and (delta := candidate.more(kind, text)) is not None:
                self._read_rest(said)
                return (delta,)
        if frame.event == COMMENT:
            return (Heartbeat(),)
        if data == DONE:
            return self._end()
        chunk = load_object(data)
        if says_error(chunk) or frame.event == "error":
            raise hidden_error(chunk, data)
        return self.read(chunk)

    def close(self, *, clean: bool = True) -> Sequence[StreamEvent]:
        if self._done:
            return ()
        if not self._finished or not (clean or self._counted):
            raise UpstreamTruncated("The upstream's stream ended before the answer was complete.")
        return self._end()

    @property
    def _finished(self) -> bool:
        return bool(self._candidates) and all(candidate.finish_word for candidate in self._candidates.values())

    def read(self, chunk: dict[str, Any]) -> list[StreamEvent]:
        out: list[StreamEvent] = []
        choices = chunk.get("choices")
        if not self._started:
            if not choices and not chunk.get("id"):  # Azure's word on the prompt comes before the answer has a name
                self._rest |= {key: value for key, value in chunk.items() if key not in _HEAD}
                return out
            self._start(chunk, out)
        if choices:
            if not isinstance(choices, list):
                raise UpstreamFailed("The upstream sent choices that are not a list.")
            for choice in choices:
                self._choice(choice, out)
        if not chunk.keys() <= _HEAD:
            self._rest |= {key: value for key, value in chunk.items() if key not in _HEAD}
        if usage := chunk.get("usage"):
            self._counted = self._finished
            if usage != self._raw_usage:
                self._read_usage(usage, out)
        self._read_tier(chunk.get("service_tier"))
        return out

    def _read_rest(self, said: Chunk) -> None:
        if said.service_tier is not None:
            self._read_tier(said.service_tier)
        if said.system_fingerprint is not UNSET:
            self._rest["system_fingerprint"] = said.system_fingerprint

    def _read_tier(self, tier: Any) -> None:
        if isinstance(tier, str):
            self._tier = tier

    def end_whole(self) -> Sequence[StreamEvent]:
        """The end of an answer that came as one object: nothing of it can be missing."""
        return self._end()

    def _start(self, chunk: dict[str, Any], out: list[StreamEvent]) -> None:
        self._started = True
        found, model, created = chunk.get("id"), chunk.get("model"), chunk.get("created")
        out.append(
            ResponseStarted(
                found if isinstance(found, str) else "",
                model if isinstance(model, str) and model else self._exchange.request.model,
                int(created) if isinstance(created, int | float) and 0 <= created < 2**53 else 0,
            )
        )

    def _choice(self, choice: Any, out: list[StreamEvent]) -> None:
        if not isinstance(choice, dict):
            raise UpstreamFailed("The upstream sent a choice that is not an object.")
        index = choice.get("index") or 0
        candidate = self._candidates.get(index) if isinstance(index, int) else None
        if candidate is None:
            if not isinstance(index, int) or not 0 <= index < MOST_CHOICES:
                raise UpstreamFailed(f"The upstream sent a choice whose index is not a number below {MOST_CHOICES}.")
            candidate = self._candidates[index] = OpenCandidate(index, self._exchange, self._names)
        candidate.read(choice, out)

    def _read_usage(self, usage: Any, out: list[StreamEvent]) -> None:
        found = read_usage(usage)
        if found is None:
            return
        self._raw_usage = usage
        self._usage = self._usage.updated(found) if self._usage else found
        out.append(UsageUpdated(self._usage))

    def _end(self) -> list[StreamEvent]:
        if not self._candidates:
            raise UpstreamFailed("The upstream ended its answer without having said anything.")
        self._done = True
        out: list[StreamEvent] = []
        for index in sorted(self._candidates):
            self._candidates[index].end(out)
        if self._usage is not None and write_usage(self._usage) != self._raw_usage:
            self._rest["~usage"] = self._raw_usage
        out.append(ResponseFinished(self._usage, self._tier, {NAME: self._rest} if self._rest else {}))
        return out


def decode_response(body: bytes, exchange: Exchange) -> GenerateResponse:
    answer = load_object(body)
    if says_error(answer):
        raise hidden_error(answer, body)
    if not isinstance(answer.get("choices"), list):
        raise UpstreamFailed("The upstream's answer has no choices.")
    decoder = ChatDecoder(exchange)
    return collect([*decoder.read(answer), *decoder.end_whole()])
