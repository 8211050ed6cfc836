"""Tool calls as they grow. Source: OpenAI API reference, streaming; the ways in which other servers' fragments differ.

A fragment belongs to the call of its `index`; without one, of its id; without both, to the latest. A new id on a used index is
another call. Names and ids that come again say nothing new. A call starts when its name is known."""

from dataclasses import dataclass, field, replace
from typing import Any

from aiproxy.codecs.arguments import is_complete
from aiproxy.codecs.codec import Exchange
from aiproxy.codecs.openai_chat.calls import arguments_text, signature_in
from aiproxy.codecs.openai_chat.given_names import GivenNames
from aiproxy.codecs.openai_chat.notes import noted
from aiproxy.codecs.tool_ids import distinct
from aiproxy.neutral.carried import OpaqueState
from aiproxy.neutral.errors import UpstreamFailed
from aiproxy.neutral.events import OpaqueStateSet, PartFinished, PartStarted, StreamEvent, ToolCallArgumentsDelta
from aiproxy.neutral.parts import ToolCallPart
from aiproxy.neutral.response import FinishReason

MOST_CALLS = 4096
"""Of one candidate. An index beyond it would be a broken fragment."""


@dataclass(slots=True)
class OpenCall:
    """`part` None: the name is not known yet. `held`: arguments wait for the end, because the whole has to be rewritten."""

    id: str = ""
    name: str = ""
    kind: str = "function"
    legacy: bool = False
    index: int = 0
    part: ToolCallPart | None = None
    pieces: list[str] = field(default_factory=list)
    shown: int = 0
    held: bool = False
    state: OpaqueState | None = None

    def arguments(self) -> str:
        return "".join(self.pieces)


@dataclass(frozen=True, slots=True)
class EndedCalls:
    """`complete`: the arguments of every one are."""

    count: int = 0
    complete: bool = True

    def __bool__(self) -> bool:
        return self.count > 0


class OpenCalls:
    def __init__(self, candidate: int, exchange: Exchange, names: GivenNames) -> None:
        self._candidate = candidate
        self._exchange = exchange
        self._names = names
        self._calls: list[OpenCall] = []
        self._by_index: dict[int, OpenCall] = {}
        self._ids: dict[str, int] = {}

    def read(self, fragments: Any, legacy: Any, count: int, out: list[StreamEvent], *, whole: bool) -> int:
        """`count` parts have started in the candidate; returns how many have by now. `whole`: these are calls, not fragments."""
        if fragments is not None and not isinstance(fragments, list):
            raise UpstreamFailed("The upstream sent tool calls that are not a list.")
        for fragment in fragments or ():
            if not isinstance(fragment, dict):
                raise UpstreamFailed("The upstream sent a tool call that is not an object.")
            if len(fragment) == 2 and self._goes_on(fragment, out):
                continue
            call = self._new() if whole else self._call_of(fragment)
            count = self._grow(call, fragment, count, out)
        if isinstance(legacy, dict):
            call = next((call for call in self._calls if call.legacy), None) or self._new(legacy=True)
            count = self._grow(call, {"function": legacy}, count, out)
        return count

    def end(self, finish: FinishReason, out: list[StreamEvent]) -> EndedCalls:
        complete = True
        count = 0
        for call in self._calls:
            text = call.arguments()
            if call.part is None:
                if text:
                    raise UpstreamFailed("The upstream sent a tool call without a name.")
                continue
            count += 1
            whole = call.kind == "custom" or is_complete(text)
            complete = complete and bool(text) and whole
            given = self._names.original(call.name)
            told = self._names.arguments(given, text) if call.held else text
            part = replace(call.part, arguments_text=told, complete=whole or finish != "length")
            if call.state:
                part = replace(part, opaque=(call.state,))
            out.append(PartFinished(call.index, part, self._candidate))
        return EndedCalls(count, complete)

    def _goes_on(self, fragment: dict[str, Any], out: list[StreamEvent]) -> bool:
        """The short way for what most fragments are: `{index, function: {arguments}}` of a call that has started."""
        index, inner = fragment.get("index"), fragment.get("function")
        if type(index) is not int or type(inner) is not dict or len(inner) != 1:
            return False
        call, text = self._by_index.get(index), inner.get("arguments")
        if call is None or call.part is None or call.held or type(text) is not str:
            return False
        if text:
            call.pieces.append(text)
            call.shown += 1
            out.append(ToolCallArgumentsDelta(call.index, text, self._candidate))
        return True

    def _call_of(self, fragment: dict[str, Any]) -> OpenCall:
        index, call_id = fragment.get("index"), fragment.get("id")
        call_id = call_id if isinstance(call_id, str) else ""
        if isinstance(index, int) and not isinstance(index, bool):
            call = self._by_index.get(index)
            if call is None or (call_id and call.id and call.id != call_id):
                call = self._by_index[index] = self._new()
            return call
        if call_id:
            known = next((call for call in self._calls if call.id == call_id), None)
            return known or self._new()
        last = self._calls[-1] if self._calls else None
        if last is None or (_says_name(fragment) and last.name and last.pieces and is_complete(last.arguments())):
            return self._new()
        return last

    def _new(self, legacy: bool = False) -> OpenCall:
        if len(self._calls) >= MOST_CALLS:
            raise UpstreamFailed(f"The upstream sent more than {MOST_CALLS} tool calls in one answer.")
        self._calls.append(OpenCall(legacy=legacy))
        return self._calls[-1]

    def _grow(self, call: OpenCall, fragment: dict[str, Any], count: int, out: list[StreamEvent]) -> int:
        if not call.id and isinstance(found := fragment.get("id"), str):
            call.id = found
        custom = fragment.get("custom")
        inner = custom if isinstance(custom, dict) else fragment.get("function")
        if isinstance(inner, dict):
            if inner is custom:
                call.kind = "custom"
            if not call.name and isinstance(name := inner.get("name"), str):
                call.name = name
            text = arguments_text(inner.get("input" if call.kind == "custom" else "arguments"))
            if text:
                call.pieces.append(text)
        if call.part is None and call.name:
            self._start(call, count, out)
            count += 1
        if call.part is not None and not call.held:
            new = call.pieces[call.shown :]
            out += [ToolCallArgumentsDelta(call.index, piece, self._candidate) for piece in new]
            call.shown = len(call.pieces)
        if (signature := signature_in(fragment)) is not None:
            vendor, model = self._exchange.capabilities.vendor, self._exchange.request.model
            call.state = OpaqueState(vendor, "thought_signature", signature, None, model)
            if call.part is not None:
                out.append(OpaqueStateSet(call.index, call.state, self._candidate))
        return count

    def _start(self, call: OpenCall, count: int, out: list[StreamEvent]) -> None:
        position = self._candidate * MOST_CALLS + len(self._ids)
        call_id = distinct(call.id or self._exchange.fresh_id("call_", position), self._ids)
        given = self._names.original(call.name)
        call.index = count
        call.held = self._names.rewrites(given)
        freeform = call.kind == "custom" or given in self._names.freeform
        call.part = ToolCallPart(
            call_id,
            given[0],
            namespace=given[1],
            arguments_kind="freeform" if freeform else "json",
            extensions=noted({}, legacy=call.legacy),
        )
        out.append(PartStarted(call.index, call.part, self._candidate))


def _says_name(fragment: dict[str, Any]) -> bool:
    inner = fragment.get("function")
    return isinstance(inner, dict) and bool(inner.get("name"))
