"""The stages that were worked out: they are the same for a client's every call for a model, and cost a look at each account."""

from collections.abc import Callable, Hashable, Sequence

from aiproxy.clients import Client
from aiproxy.gateway.stages import Stage

MOST_KEPT = 100_000
"""Candidates in the stages that are kept, all together. About 30 MB."""

LONGEST_NAME = 256
"""Characters of the name of a model whose stages are kept; clients may ask for any name."""


class Planned:
    """Of one configuration."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, tuple[Client, Sequence[Stage]]] = {}
        self._size = 0

    def stages(
        self, client: Client, model: str, asked: Hashable, work_out: Callable[[], Sequence[Stage]]
    ) -> Sequence[Stage]:
        """`asked` is all that they depend on besides."""
        key = (id(client), model, asked)  # of a client that is held beside them, so that no other gets its id
        if (found := self._kept.get(key)) is not None:
            return found[1]
        made = work_out()
        if len(model) <= LONGEST_NAME:
            if self._size > MOST_KEPT:
                self._kept.clear()
                self._size = 0
            self._kept[key] = client, made
            self._size += 1 + sum(len(stage.candidates) for stage in made)
        return made
