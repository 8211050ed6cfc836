"""What the client of a stream has been told so far, of each choice and of each part that is not finished."""

from dataclasses import dataclass, field

from aiproxy.codecs.json_bytes import dump
from aiproxy.neutral.carried import Json
from aiproxy.neutral.parts import Part, ReasoningPart, RefusalPart, TextPart, ToolCallPart

_SILENT = (b"", b"")


@dataclass(slots=True)
class ToldPart:
    """`length` characters of it were told (of sound: of its data); of thinking, up to `section`.

    `before` and `after` are the bytes around a fragment: the chunk that brings one differs in nothing else. Both are empty
    where the client is told nothing."""

    part: Part
    before: bytes = b""
    after: bytes = b""
    call: int = 0
    length: int = 0
    transcript: int = 0
    section: tuple[str, int] | None = None
    offset: int = 0

    def chunk(self, fragment: str) -> bytes:
        return self.before + dump(fragment) + self.after if self.before and fragment else b""


@dataclass(slots=True)
class ToldChoice:
    """`head` and `tail` are the bytes around a delta. `text` counts characters of finished texts."""

    head: bytes
    tail: bytes
    calls: int = 0
    images: int = 0
    details: int = 0
    text: int = 0
    thought: bool = False
    finished: bool = False
    annotations: list[Json] = field(default_factory=list)
    parts: dict[int, ToldPart] = field(default_factory=dict)

    def delta(self, delta: Json) -> bytes:
        return self.head + dump(delta) + self.tail

    def begin(self, index: int, part: Part, *, legacy: bool, thinking: bool) -> ToldPart:
        call = self.calls
        before, after = self._around(part, call, legacy=legacy, thinking=thinking)
        told = self.parts[index] = ToldPart(part, before, after, call, offset=self.text)
        if isinstance(part, ToolCallPart):
            self.calls += 1
        return told

    def _around(self, part: Part, call: int, *, legacy: bool, thinking: bool) -> tuple[bytes, bytes]:
        match part:
            case TextPart():
                return self.head + b'{"content":', b"}" + self.tail
            case RefusalPart():
                return self.head + b'{"refusal":', b"}" + self.tail
            case ReasoningPart():
                return (self.head + b'{"reasoning_content":', b"}" + self.tail) if thinking else _SILENT
            case ToolCallPart() if legacy:
                return (self.head + b'{"function_call":{"arguments":', b"}}" + self.tail) if not call else _SILENT
            case ToolCallPart(arguments_kind=kind):
                field = b'"custom":{"input":' if kind == "freeform" else b'"function":{"arguments":'
                return self.head + b'{"tool_calls":[{"index":%d,' % call + field, b"}}]}" + self.tail
            case _:
                return _SILENT
