"""An answer as the events of a response and, at its end, the response itself: for streams, whole answers and sockets alike."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final, assert_never

from aiproxy.codecs.codec import Exchange
from aiproxy.codecs.envelope import Envelope
from aiproxy.codecs.openai_responses.errors import failed_error
from aiproxy.codecs.openai_responses.items import is_content
from aiproxy.codecs.openai_responses.open_items import Event, OpenCall, OpenMessage, OpenReasoning, is_own
from aiproxy.codecs.openai_responses.skeleton import Skeleton, status_of
from aiproxy.codecs.openai_responses.table import NAME
from aiproxy.codecs.openai_responses.whole_items import encrypted, tell_loss, whole_item
from aiproxy.codecs.serializer import Serializer
from aiproxy.codecs.tool_ids import distinct
from aiproxy.neutral.carried import Json, OpaqueState
from aiproxy.neutral.errors import GatewayError, UpstreamFailed
from aiproxy.neutral.events import (
    AudioDelta,
    CandidateFinished,
    CitationAdded,
    Heartbeat,
    OpaqueStateSet,
    PartFinished,
    PartStarted,
    RawEvent,
    ReasoningDelta,
    RefusalDelta,
    ResponseFinished,
    ResponseStarted,
    StreamEvent,
    TextDelta,
    ToolCallArgumentsDelta,
    UsageUpdated,
)
from aiproxy.neutral.parts import (
    AudioPart,
    CompactionPart,
    DocumentPart,
    ImagePart,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    VideoPart,
)
from aiproxy.neutral.usage import Usage

_ENDS: Final = {"incomplete": "response.incomplete", "cancelled": "response.incomplete", "failed": "response.failed"}


class ResponseWriter:
    """`feed` gives the events of one neutral event, without their numbers; `response` is whole after `ResponseFinished`."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._serializer = Serializer()
        self._skeleton = Skeleton(exchange)
        self._visible = exchange.request.reasoning.visibility in ("summary", "full")
        self._output: list[Json] = []
        self._message: OpenMessage | None = None
        self._open: OpenReasoning | OpenCall | str | None = None  # a text: the id of an item that comes whole
        self._growing: int | None = None  # the index of the part that is open
        self._states: tuple[OpaqueState, ...] = ()  # of the open call or text, not yet told
        self._taken: dict[str, int] = {}
        self._end = CandidateFinished("stop")
        self._usage: Usage | None = None
        self._started = False
        self.complete = False
        self.response: dict[str, Json] = {}

    def feed(self, event: StreamEvent) -> list[Event]:
        if self.complete:
            return []
        return [told for one in self._serializer.feed(event) for told in self._feed(one)]

    def growing_text(self, event: TextDelta) -> OpenMessage | None:
        """The message that only gets longer by this delta: most of a stream is this, and there is nothing to serialize."""
        if (
            self.complete
            or event.part_index != self._growing
            or event.candidate
            or event.logprobs
            or not event.fragment
        ):
            return None
        return self._message if self._message and self._message.growing else None

    def fail(self, error: GatewayError) -> list[Event]:
        """Nothing after the clean end; the failure alone otherwise."""
        if self.complete:
            return []
        events = [] if self._started else self._start()
        self.complete = True
        self.response = self._skeleton.failed(failed_error(error), self._output)
        return [*events, {"type": "response.failed", "response": self.response}]

    def _feed(self, event: StreamEvent) -> list[Event]:
        if getattr(event, "candidate", 0) != 0:
            self._exchange.report.lose("sampling.n")
            return []
        match event:
            case TextDelta():
                return self._text(event)
            case RefusalDelta(_, fragment):
                return self._message.refusal(fragment) if self._message else []
            case ReasoningDelta():
                return self._open.grow(event) if isinstance(self._open, OpenReasoning) else []
            case ToolCallArgumentsDelta(_, fragment):
                return self._arguments(fragment)
            case CitationAdded():
                return self._message.cite(event) if self._message else []
            case OpaqueStateSet(_, state):
                self._states = (*self._states, state)
                return []
            case AudioDelta() | Heartbeat():
                return []
            case PartStarted(index, part):
                self._growing = index
                return self._begin(part)
            case PartFinished(_, part):
                self._growing = None
                return self._finish(part)
            case ResponseStarted(response_id, _, created, usage):
                self._skeleton.start(response_id, created)
                self._usage = usage
                return self._start()
            case UsageUpdated(usage):
                self._usage = usage
                return []
            case CandidateFinished():
                self._end = event
                return self._close_message(incomplete=status_of(event)[0] == "incomplete")
            case ResponseFinished():
                return self._finished(event)
            case RawEvent():
                return self._raw(event)
            case _:
                assert_never(event)

    def _start(self) -> list[Event]:
        self._started = True
        begun = self._skeleton.begun()
        return [{"type": kind, "response": begun} for kind in ("response.created", "response.in_progress")]

    def _finished(self, event: ResponseFinished) -> list[Event]:
        usage = event.usage or self._usage
        if status_of(self._end)[0] == "failed":
            return self.fail(UpstreamFailed(self._end.detail or "The model failed to answer."))
        self.complete = True
        self.response = self._skeleton.finished(self._end, self._output, usage, event.service_tier, event.extensions)
        if self._exchange.keep is not None:
            self._exchange.keep(self.response)
        kind = _ENDS.get(self.response.get("status", ""), "response.completed")
        return [{"type": kind, "response": self.response}]

    # Parts

    def _begin(self, part: Part) -> list[Event]:
        self._states = ()
        if is_content(part) and not isinstance(part, ImagePart | AudioPart | VideoPart | DocumentPart):
            events = self._close_message() if self._message and self._message.part_id != part.id else []
            if self._message is None:
                item_id = part.id or self._fresh("msg_")
                self._message = OpenMessage(item_id, len(self._output), part.id)
            return events
        events = self._close_message()
        place = len(self._output)
        match part:
            case ReasoningPart():
                own = is_own(part)
                self._open = OpenReasoning(part.id or self._fresh("rs_"), place, own, own or self._visible)
            case ToolCallPart():
                prefix = "ctc_" if part.arguments_kind == "freeform" else "fc_"
                call_id = part.call_id or self._fresh("call_")
                call_id = call_id if is_own(part) else distinct(call_id, self._taken)
                self._open = OpenCall(part.id or self._fresh(prefix), place, part, call_id)
            case _ if (item := whole_item(part, len(self._output), self._exchange)) is not None and not isinstance(
                part, CompactionPart
            ):
                self._open = str(item.get("id"))
                events.append({"type": "response.output_item.added", "output_index": place, "item": item})
            case _:
                pass
        return events

    def _text(self, event: TextDelta) -> list[Event]:
        return self._message.text(event.fragment, event.logprobs) if self._message else []

    def _arguments(self, fragment: str) -> list[Event]:
        if not isinstance(self._open, OpenCall):
            return []
        return (self._sign(self._open, self._states) if not self._open.shown else []) + self._open.grow(fragment)

    def _finish(self, part: Part) -> list[Event]:
        opened, self._open = self._open, None
        match part:
            case ReasoningPart() if isinstance(opened, OpenReasoning):
                events, item = opened.finish(part, encrypted(part, self._exchange))
                return events + (self._done(item) if item is not None else [])
            case ToolCallPart() if isinstance(opened, OpenCall):
                return self._finish_call(opened, part)
            case _ if self._message and is_content(part):
                events = self._message.finish_part(part)
                if isinstance(part, TextPart) and part.opaque and not is_own(part):
                    message_id = self._message.item_id
                    events += self._close_message() + self._carry(part.opaque, message_id)
                return events
            case _:
                return self._finish_whole(part, shown=opened is not None)

    def _finish_call(self, opened: OpenCall, part: ToolCallPart) -> list[Event]:
        """A signature goes before the call where it was known in time, else behind it."""
        events = [] if opened.shown else self._sign(opened, part.opaque)
        more, item = opened.finish(part)
        events += more + self._done(item)
        return events + self._sign(opened, part.opaque)

    def _sign(self, call: OpenCall, states: Iterable[OpaqueState]) -> list[Event]:
        """The call's signatures in an item of their own; those told already are skipped."""
        key = f"signed {call.call_id}"
        states = tuple(states)
        if not states or key in self._taken:
            return []
        self._taken[key] = 1
        events = self._carry(states, call.call_id)
        call.place = len(self._output)
        return events

    def _carry(self, states: Iterable[OpaqueState], owner: str) -> list[Event]:
        events: list[Event] = []
        for state in states:
            sealed = self._exchange.sealer.seal(Envelope(replace(state, item_id=owner)))
            opened = OpenReasoning(self._fresh("rs_"), len(self._output), own=False, visible=False)
            more, item = opened.finish(ReasoningPart(), sealed)
            assert item is not None
            events += more + self._done(item)
        return events

    def _finish_whole(self, part: Part, shown: bool) -> list[Event]:
        item = whole_item(part, len(self._output), self._exchange)
        if item is None:
            tell_loss(part, self._exchange)
            return []
        place = len(self._output)
        added = [] if shown else [{"type": "response.output_item.added", "output_index": place, "item": item}]
        return added + self._done(item)

    def _done(self, item: dict[str, Json]) -> list[Event]:
        self._output.append(item)
        return [{"type": "response.output_item.done", "output_index": len(self._output) - 1, "item": item}]

    def _close_message(self, *, incomplete: bool = False) -> list[Event]:
        message, self._message = self._message, None
        if message is None or not message.shown:
            return []
        return self._done(message.item("incomplete" if incomplete else "completed"))

    def _raw(self, event: RawEvent) -> list[Event]:
        """An event of this protocol about the item that is open now."""
        if event.protocol != NAME or not isinstance(self._open, str) or event.json.get("item_id") != self._open:
            return []
        return [{**event.json, "type": event.event, "output_index": len(self._output)}]

    def _fresh(self, prefix: str) -> str:
        return self._exchange.fresh_id(prefix, len(self._output))
