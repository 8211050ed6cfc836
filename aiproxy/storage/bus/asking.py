"""Questions to the other members of a bus. Each answers with values of JSON, in as many messages as they take.

Who asks waits until as many have answered as were there to hear it, or for `ANSWER_SECONDS`: one that has ended, or hangs, or is of
a version that doesn't know the question keeps nobody waiting for longer."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, NamedTuple

from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as TookTooLong

from aiproxy.storage.bus.batches import Joined, batches
from aiproxy.storage.bus.bus import Bus
from aiproxy.storage.bus.message import Message, Topic

ANSWER_SECONDS = 1.0
"""A member answers at once; one that is so busy is left out."""

MOST_PARTS = 64
"""Messages of one answer: some 3 MB, twice the lines of the log that are kept. What comes after them is not told."""

SLOTS = 4 * MOST_PARTS
"""Messages of one member that may wait for another one at a time; newer ones take the place of the oldest, whose answers are then
late."""

Answer = Callable[[Mapping[str, Any]], Iterable[Any]]


class Answers(NamedTuple):
    given: Sequence[Sequence[Any]]
    """One for each member that has answered."""
    silent: int = 0
    """Members that have not."""


@dataclass(slots=True)
class _Asked:
    whole: Deferred[None] = field(default_factory=Deferred)
    parts: dict[str, dict[int, Sequence[Any]]] = field(default_factory=dict)
    """By member."""
    given: dict[str, Sequence[Any]] = field(default_factory=dict)


class Asking:
    """`bus` None: there is nobody to ask. `others` says how many members were there for what was said last."""

    def __init__(self, reactor: Any, bus: Bus | None, others: Callable[[], int]) -> None:
        self._reactor = reactor
        self._bus = bus
        self._others = others
        self._answers: dict[str, Answer] = {}
        self._numbers, self._messages = count(), count()
        self._asked: dict[int, _Asked] = {}
        if bus is not None:
            bus.subscribe(Topic.QUESTION, self._question)
            bus.subscribe(Topic.ANSWER, self._answer)

    def answer(self, question: str, by: Answer) -> None:
        """What we say when we are asked."""
        self._answers[question] = by

    async def ask(self, question: str, about: Mapping[str, Any] | None = None) -> Answers:
        if self._bus is None:
            return Answers(())
        number, asked = next(self._numbers), _Asked()
        self._asked[number] = asked
        self._publish(Topic.QUESTION, {"number": number, "question": question, "about": dict(about or {})})
        try:
            await asked.whole.addTimeout(ANSWER_SECONDS, self._reactor)
        except TookTooLong:
            pass
        finally:
            del self._asked[number]
        return Answers(list(asked.given.values()), max(0, self._others() - len(asked.given)))

    def _question(self, message: Message) -> None:
        match message.body:
            case {"number": int(number), "question": str(question), "about": dict(about)} if question in self._answers:
                assert self._bus is not None
                said = list(batches(self._answers[question](about), self._bus.carrier.most))[:MOST_PARTS] or [[]]
                for part, values in enumerate(said):
                    body = {"to": message.origin, "number": number, "part": part, "of": len(said), "values": values}
                    self._publish(Topic.ANSWER, body)

    def _answer(self, message: Message) -> None:
        match message.body:
            case {
                "to": str(to),
                "number": int(number),
                "part": int(part),
                "of": int(of),
                "values": list(values),
            }:
                asked = self._asked.get(number) if self._bus is not None and to == self._bus.origin else None
                if asked is None:
                    return
                parts = asked.parts.setdefault(message.origin, {})
                parts[part] = values
                if len(parts) == of:
                    asked.given[message.origin] = list(
                        Joined().feed(value for place in sorted(parts) for value in parts[place])
                    )
                    if len(asked.given) >= self._others() and not asked.whole.called:
                        asked.whole.callback(None)

    def _publish(self, topic: Topic, body: Mapping[str, Any]) -> None:
        assert self._bus is not None
        self._bus.publish(topic, f"{self._bus.origin} {next(self._messages) % SLOTS}", body)
