"""One output item of an answer at a time, as the events that make it grow. Each kind is a small class: `grow` while deltas
come, `finish` with the whole part; nothing is shown of an item before there is something to show."""

from typing import Final

from aiproxy.codecs.json_bytes import dump
from aiproxy.codecs.openai_responses.content import write_logprobs
from aiproxy.codecs.openai_responses.items import ITEM
from aiproxy.codecs.openai_responses.reading import OWN, note
from aiproxy.codecs.openai_responses.write import write_annotation, write_call, write_part, write_reasoning
from aiproxy.neutral.carried import Json
from aiproxy.neutral.events import CitationAdded, ReasoningDelta
from aiproxy.neutral.parts import Part, RawPart, ReasoningPart, RefusalPart, TextPart, TokenLogprob, ToolCallPart

Event = dict[str, Json]

_SUMMARY: Final = "response.reasoning_summary_"


def is_own(part: Part) -> bool:
    """Whether the part is from an answer of this protocol."""
    return bool(note(part.extensions, OWN))


class OpenMessage:
    """A message: its content parts follow one another. `part_id` is the neutral id its parts share."""

    def __init__(self, item_id: str, place: int, part_id: str | None) -> None:
        self.item_id, self.place, self.part_id = item_id, place, part_id
        self.content: list[Json] = []
        self._head: dict[str, Json] | None = None
        self._added = False
        self.growing = False
        self._prefix = b""
        self._shown: list[str] = []
        self._annotations = 0
        self._logprobs: list[Json] = []

    @property
    def shown(self) -> bool:
        return self._added

    def text(self, fragment: str, logprobs: tuple[TokenLogprob, ...] | None) -> list[Event]:
        if not fragment:
            return []
        events = [] if self.growing else self._begin("output_text")
        self._shown.append(fragment)
        told = write_logprobs(logprobs) if logprobs else []
        self._logprobs += told
        event = {
            "type": "response.output_text.delta",
            "item_id": self.item_id,
            "output_index": self.place,
            "content_index": len(self.content),
            "delta": fragment,
            "logprobs": told,
        }
        return [*events, event]

    def longer(self, fragment: str, number: int) -> bytes:
        """The frame of one more text delta, for a text that is `growing`; `text` says the same as an event."""
        self._shown.append(fragment)
        if not self._prefix:
            event = self._event("response.output_text.delta", logprobs=[])
            self._prefix = b"event: response.output_text.delta\ndata: %b" % dump(event)[:-1]
        return b'%b,"delta":%b,"sequence_number":%d}\n\n' % (self._prefix, dump(fragment), number)

    def refusal(self, fragment: str) -> list[Event]:
        if not fragment:
            return []
        events = [] if self.growing else self._begin("refusal")
        self._shown.append(fragment)
        return [*events, self._event("response.refusal.delta", delta=fragment)]

    def cite(self, event: CitationAdded) -> list[Event]:
        return self._cite(write_annotation(event.citation))

    def finish_part(self, part: Part) -> list[Event]:
        """A text that is empty, and not this protocol's own, leaves no trace."""
        match part:
            case TextPart(text=text):
                if not (text or self.growing or is_own(part)):
                    return []
                events = [] if self.growing else self._begin("output_text")
                events += self.text(self._missing(text), None)
                for citation in part.citations[self._annotations :]:
                    events += self._cite(write_annotation(citation))
                found = self._whole(part)
                events.append(self._event("response.output_text.done", text=text, logprobs=found.get("logprobs") or []))
            case RefusalPart(text=text):
                if not (text or self.growing or is_own(part)):
                    return []
                events = [] if self.growing else self._begin("refusal")
                events += self.refusal(self._missing(text))
                found = write_part(part, "") or {}
                events.append(self._event("response.refusal.done", refusal=text))
            case RawPart(json=value):
                events, found = self._begin(""), value
                events[-1] = self._event("response.content_part.added", part=value)
            case _:
                return []
        self._head = self._head or note(part.extensions, ITEM)
        events.append(self._event("response.content_part.done", part=found))
        self.content.append(found)
        self.growing, self._prefix, self._shown, self._annotations, self._logprobs = False, b"", [], 0, []
        return events

    def item(self, status: str) -> dict[str, Json]:
        head = {"status": status, "role": "assistant"} if self._head is None else self._head
        return {"type": "message", "id": self.item_id, **head, "content": self.content}

    def _begin(self, kind: str) -> list[Event]:
        events: list[Event] = []
        if not self._added:
            self._added = True
            item = {"type": "message", "id": self.item_id, "status": "in_progress", "role": "assistant", "content": []}
            events.append({"type": "response.output_item.added", "output_index": self.place, "item": item})
        self.growing = True
        part: dict[str, Json] = {"type": "output_text", "annotations": [], "logprobs": [], "text": ""}
        if kind == "refusal":
            part = {"type": "refusal", "refusal": ""}
        return [*events, self._event("response.content_part.added", part=part)]

    def _whole(self, part: TextPart) -> dict[str, Json]:
        found = write_part(part, "output_text") or {}
        if not is_own(part):
            found.setdefault("logprobs", self._logprobs)
        return found

    def _cite(self, annotation: dict[str, Json] | None) -> list[Event]:
        if annotation is None:
            return []
        events = [] if self.growing else self._begin("output_text")
        index, self._annotations = self._annotations, self._annotations + 1
        told = self._event("response.output_text.annotation.added", annotation_index=index, annotation=annotation)
        return [*events, told]

    def _missing(self, whole: str) -> str:
        shown = "".join(self._shown)
        return whole[len(shown) :] if whole.startswith(shown) else ""

    def _event(self, kind: str, **fields: Json) -> Event:
        place = {"item_id": self.item_id, "output_index": self.place, "content_index": len(self.content)}
        return {"type": kind, **place, **fields}


class OpenReasoning:
    """A reasoning item. Raw thinking of this protocol is shown as such, another's as a summary; `visible` False shows neither."""

    def __init__(self, item_id: str, place: int, own: bool, visible: bool) -> None:
        self.item_id, self.place = item_id, place
        self._own, self._visible = own, visible
        self._added = False
        self._shown: dict[tuple[str, int], list[str]] = {}
        self._current: tuple[str, int] | None = None
        self._sections = 0

    def grow(self, event: ReasoningDelta) -> list[Event]:
        return self._grow((event.channel, event.section), event.fragment)

    def finish(self, part: ReasoningPart, encrypted: str | None) -> tuple[list[Event], dict[str, Json] | None]:
        """The last events, and the item; None when there is nothing to tell of it."""
        events: list[Event] = []
        sections = [(("summary", place), text) for place, text in enumerate(part.summaries)]
        for key, text in (*sections, (("raw", 0), part.text)):
            shown = "".join(self._shown.get(key, ()))
            if text.startswith(shown) and (key not in self._shown or key == self._current):
                events += self._grow(key, text[len(shown) :])
        if self._own:
            events += self._skip_to(len(part.summaries))
        events += self._end_section()
        if not (self._own or encrypted is not None or self._shown):
            return [], None
        events = self._begin() + events
        if self._own:
            return events, {"id": self.item_id} | write_reasoning(part, encrypted)
        summaries = tuple("".join(fragments) for fragments in self._shown.values())
        return events, write_reasoning(ReasoningPart(summaries=summaries, id=self.item_id), encrypted)

    def _grow(self, key: tuple[str, int], fragment: str) -> list[Event]:
        if not fragment or not self._visible or (key != self._current and key in self._shown):
            return []
        events = self._begin()
        if key != self._current:
            events += self._end_section()
            events += self._skip_to(key[1]) if self._own and key[0] == "summary" else []
            self._current = key
            self._shown[key] = []
            if not self._is_raw(key):
                events.append(self._summary("part.added", part={"type": "summary_text", "text": ""}))
        self._shown[key].append(fragment)
        if self._is_raw(key):
            return [*events, self._event("response.reasoning_text.delta", content_index=0, delta=fragment)]
        return [*events, self._summary("text.delta", delta=fragment)]

    def _skip_to(self, section: int) -> list[Event]:
        """Summaries of this protocol's own that are empty have their place, too."""
        events: list[Event] = []
        while self._sections + (self._current is not None) < section:
            events += self._end_section()
            self._current = ("summary", self._sections)
            self._shown.setdefault(self._current, [])
            events.append(self._summary("part.added", part={"type": "summary_text", "text": ""}))
            events += self._end_section()
        return events

    def _end_section(self) -> list[Event]:
        if self._current is None:
            return []
        text = "".join(self._shown[self._current])
        raw, self._current = self._is_raw(self._current), None
        if raw:
            return [self._event("response.reasoning_text.done", content_index=0, text=text)]
        part = {"type": "summary_text", "text": text}
        events = [self._summary("text.done", text=text), self._summary("part.done", part=part)]
        self._sections += 1
        return events

    def _is_raw(self, key: tuple[str, int]) -> bool:
        return self._own and key[0] == "raw"

    def _begin(self) -> list[Event]:
        if self._added:
            return []
        self._added = True
        item = {"type": "reasoning", "id": self.item_id, "summary": []}
        return [{"type": "response.output_item.added", "output_index": self.place, "item": item}]

    def _summary(self, kind: str, **fields: Json) -> Event:
        return self._event(f"{_SUMMARY}{kind}", summary_index=self._sections, **fields)

    def _event(self, kind: str, **fields: Json) -> Event:
        return {"type": kind, "item_id": self.item_id, "output_index": self.place, **fields}


class OpenCall:
    """A call of a function or of a custom tool."""

    def __init__(self, item_id: str, place: int, part: ToolCallPart, call_id: str) -> None:
        self.item_id, self.place, self.call_id = item_id, place, call_id
        self._part = part
        self._freeform = part.arguments_kind == "freeform"
        self._kind = "response.custom_tool_call_input" if self._freeform else "response.function_call_arguments"
        self._shown: list[str] = []
        self.shown = False

    def begin(self) -> list[Event]:
        if self.shown:
            return []
        self.shown = True
        item: dict[str, Json] = {
            "type": "custom_tool_call" if self._freeform else "function_call",
            "id": self.item_id,
            "call_id": self.call_id,
            "name": self._part.name,
            "input" if self._freeform else "arguments": "",
        }
        if self._part.namespace is not None:
            item["namespace"] = self._part.namespace
        if not self._freeform:
            item["status"] = "in_progress"
        return [{"type": "response.output_item.added", "output_index": self.place, "item": item}]

    def grow(self, fragment: str) -> list[Event]:
        if not fragment:
            return []
        self._shown.append(fragment)
        return [*self.begin(), self._event("delta", delta=fragment)]

    def finish(self, part: ToolCallPart) -> tuple[list[Event], dict[str, Json]]:
        item = {"id": self.item_id} | write_call(part) | {"call_id": self.call_id}
        key = "input" if self._freeform else "arguments"
        if not is_own(part):
            if not self._freeform:
                item["arguments"] = item["arguments"] or "{}"
                item["status"] = "completed" if part.complete else "incomplete"
            item["id"] = self.item_id
        text, shown = item[key], "".join(self._shown)
        events = self.begin()
        events += self.grow(text[len(shown) :] if text.startswith(shown) else "")
        return [*events, self._event("done", **{key: text})], item

    def _event(self, kind: str, **fields: Json) -> Event:
        return {"type": f"{self._kind}.{kind}", "item_id": self.item_id, "output_index": self.place, **fields}
