"""How fast streams are translated: events a second, decoded from one protocol and encoded to another, for every pair.

The floor is what nobody can go below in Python: parsing and writing the same frames' JSON, with orjson and with the standard
library. Times are the process's own (other processes don't count), the best of several rounds. Run it from the project's root:

    .venv/bin/python tools/bench/codecs.py [--json]
"""

import json
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass

import orjson

from aiproxy.codecs import anthropic_messages, code_assist, gemini, ollama, openai_chat, openai_responses
from aiproxy.codecs.codec import Codec, Exchange
from aiproxy.codecs.envelope import Sealer
from aiproxy.framing import Frame
from aiproxy.neutral.collect import opening
from aiproxy.neutral.events import (
    CandidateFinished,
    PartFinished,
    PartStarted,
    ReasoningDelta,
    ResponseFinished,
    ResponseStarted,
    StreamEvent,
    TextDelta,
    ToolCallArgumentsDelta,
)
from aiproxy.neutral.parts import Part, ReasoningPart, TextPart, ToolCallPart
from aiproxy.neutral.request import GenerateRequest, Turn
from aiproxy.neutral.tools import FunctionTool
from aiproxy.neutral.usage import Usage
from aiproxy.secrets import Secret

CODECS: Sequence[Codec] = (
    openai_chat.CODEC,
    openai_responses.CODEC,
    anthropic_messages.CODEC,
    gemini.CODEC,
    code_assist.CODEC,
    ollama.CODEC,
)

GOAL = 3.0
"""Times the orjson floor a pair may take."""

REQUEST = GenerateRequest(
    "a-model",
    (Turn("user", (TextPart("What is the weather in Ulm?"),)),),
    stream=True,
    tools=(FunctionTool("get_weather", parameters={"type": "object", "properties": {"city": {"type": "string"}}}),),
)


@dataclass(frozen=True, slots=True)
class Row:
    """Of one pair. Microseconds are per frame of the upstream."""

    upstream: str
    client: str
    frames: int
    events: int
    events_per_second: int
    microseconds: float
    orjson_floor: float
    json_floor: float

    @property
    def times_orjson(self) -> float:
        return self.microseconds / self.orjson_floor


def told(deltas: int) -> Iterator[StreamEvent]:
    """An answer as models stream it: some thinking, much text, a call in small pieces."""
    yield ResponseStarted("resp_1", REQUEST.model, 1790000000)
    thinking = [f" thought {number}" for number in range(deltas // 4)]
    words = [f" word {number}" for number in range(deltas)]
    arguments = ['{"city": "', *(f"Ulm {number} " for number in range(deltas // 8)), '"}']
    yield from _part(0, ReasoningPart(text="".join(thinking)), [ReasoningDelta(0, piece) for piece in thinking])
    yield from _part(1, TextPart("".join(words)), [TextDelta(1, piece) for piece in words])
    call = ToolCallPart("call_1", "get_weather", "".join(arguments))
    yield from _part(2, call, [ToolCallArgumentsDelta(2, piece) for piece in arguments])
    yield CandidateFinished("tool_calls")
    yield ResponseFinished(Usage(input_uncached=9, output_visible=deltas, reasoning=deltas // 4))


def _part(index: int, part: Part, deltas: Sequence[StreamEvent]) -> Iterator[StreamEvent]:
    yield PartStarted(index, opening(part))
    yield from deltas
    yield PartFinished(index, part)


def exchange(source: str) -> Exchange:
    return Exchange(REQUEST, Sealer(Secret("key of the benchmark"), "tenant"), "req_1", source=source, now=1790000000)


def frames_of(codec: Codec, deltas: int) -> list[Frame]:
    """The answer in the codec's own wire."""
    encoder, framer = codec.encoder(exchange(codec.name)), codec.wire.framer()
    wire = b"".join(map(encoder.feed, told(deltas)))
    return [*framer.feed(wire), *framer.close()]


def translate(frames: Sequence[Frame], upstream: Codec, client: Codec) -> int:
    """How many events there were on the way."""
    asked = exchange(client.name)
    decoder, encoder = upstream.decoder(asked), client.encoder(asked)
    count = 0
    for frame in frames:
        for event in decoder.feed(frame):
            encoder.feed(event)
            count += 1
    for event in decoder.close():
        encoder.feed(event)
        count += 1
    return count


def rewritten(payloads: Sequence[bytes], loads: Callable[[bytes], object], dumps: Callable[[object], object]) -> None:
    """The floor. Nothing is kept, as a stream keeps nothing: a list of the results would cost more than the work."""
    for data in payloads:
        dumps(loads(data))


def seconds(run: Callable[[], object], rounds: int) -> float:
    best = float("inf")
    for _ in range(rounds):
        start = time.process_time()
        run()
        best = min(best, time.process_time() - start)
    return best


def measured(upstream: Codec, client: Codec, deltas: int, rounds: int) -> Row:
    frames = frames_of(upstream, deltas)
    payloads = [frame.data for frame in frames if frame.data.startswith(b"{")]
    fast = seconds(lambda: rewritten(payloads, orjson.loads, orjson.dumps), rounds)
    slow = seconds(lambda: rewritten(payloads, json.loads, json.dumps), rounds)
    taken = seconds(lambda: translate(frames, upstream, client), rounds)
    events, each = translate(frames, upstream, client), 1e6 / len(frames)
    return Row(
        upstream.name,
        client.name,
        len(frames),
        events,
        round(events / taken),
        taken * each,
        fast * each,
        slow * each,
    )


def table(rows: Sequence[Row]) -> Iterator[str]:
    yield f"{'upstream':17}{'client':17}{'events/s':>10}{'µs/frame':>10}{'orjson':>8}{'×':>6}{'json':>8}{'×':>6}"
    for row in rows:
        over = "" if row.times_orjson <= GOAL else "  over"
        yield (
            f"{row.upstream:17}{row.client:17}{row.events_per_second:>10,}{row.microseconds:10.2f}"
            f"{row.orjson_floor:8.2f}{row.times_orjson:6.1f}{row.json_floor:8.2f}{row.microseconds / row.json_floor:6.1f}{over}"
        )


def main() -> None:
    names = [codec.name for codec in CODECS]
    parser = ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--upstream", choices=names, action="append", help="only this one; may be repeated")
    parser.add_argument("--client", choices=names, action="append", help="only this one; may be repeated")
    parser.add_argument("--deltas", type=int, default=2000, help="pieces of text in the answer (default: 2000)")
    parser.add_argument("--rounds", type=int, default=7, help="the best one counts (default: 7)")
    parser.add_argument("--json", action="store_true", help="print a JSON list instead of a table")
    options = parser.parse_args()
    rows = [
        measured(upstream, client, options.deltas, options.rounds)
        for upstream in CODECS
        for client in CODECS
        if upstream.name in (options.upstream or names) and client.name in (options.client or names)
    ]
    if options.json:
        found = [asdict(row) | {"times_orjson": row.times_orjson} for row in rows]
        sys.stdout.write(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode() + "\n")
    else:
        sys.stdout.write("\n".join(table(rows)) + "\n")


if __name__ == "__main__":
    main()
