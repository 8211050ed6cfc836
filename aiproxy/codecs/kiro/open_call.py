"""A tool call as it comes, in pieces of which any may lack what another said."""

from collections.abc import Iterator

from aiproxy.codecs.kiro.tools import KiroTools
from aiproxy.neutral.collect import opening
from aiproxy.neutral.events import PartFinished, PartStarted, StreamEvent, ToolCallArgumentsDelta


class OpenCall:
    """`index` is its part's, to be set before its name is known: only then it starts."""

    def __init__(self, call_id: str, tools: KiroTools) -> None:
        self.id = call_id
        self.index = -1
        self._tools = tools
        self._name = ""
        self._fragments: list[str] = []

    @property
    def named(self) -> bool:
        return bool(self._name)

    @property
    def arguments(self) -> str:
        return "".join(self._fragments)

    def grow(self, name: str, fragment: str) -> Iterator[StreamEvent]:
        if fragment:
            self._fragments.append(fragment)
        if self._name:
            if fragment and self._passes:
                yield ToolCallArgumentsDelta(self.index, fragment)
        elif name:
            self._name = name
            yield PartStarted(self.index, opening(self._tools.called(self.id, name, "", complete=True)))
            if self._fragments and self._passes:
                yield ToolCallArgumentsDelta(self.index, self.arguments)

    def finish(self, *, complete: bool) -> Iterator[StreamEvent]:
        yield PartFinished(self.index, self._tools.called(self.id, self._name, self.arguments, complete=complete))

    @property
    def _passes(self) -> bool:
        return not self._tools.is_changed(self._name)
