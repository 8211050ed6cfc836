"""A call that is ended before its time: what its record says of it depends on who ended it, and on what its client has had."""

from collections.abc import Callable

import pytest
from twisted.internet.defer import CancelledError

from aiproxy.neutral import errors
from aiproxy.usage import Outcome
from tests.rig.scripted import SILENT, Asked, Rig, Streams
from tests.rig.upstream import events

CONFIGURATION = """
timeouts: {total: 60}
openai-api-key:
  - {api-key: key-one-0123456789, name: one, base-url: "http://one.test/v1"}
"""


def by_deadline(rig: Rig, _: Asked) -> None:
    rig.clock.advance(60)


def by_shutdown(rig: Rig, _: Asked) -> None:
    rig.gateway.interrupt_all(errors.Draining("The gateway is shutting down."))


def by_operator(rig: Rig, asked: Asked) -> None:
    assert rig.gateway.interrupt(asked.record.request_id, errors.EndedByOperator("An operator has ended it.")) == 1


def by_client(_: Rig, asked: Asked) -> None:
    asked.done.cancel()


@pytest.mark.parametrize(
    ("end", "raised", "kind"),
    [
        (by_deadline, errors.Timeout, "timeout"),
        (by_shutdown, errors.Draining, "draining"),
        (by_operator, errors.EndedByOperator, "ended_by_operator"),
        (by_client, CancelledError, ""),
    ],
)
@pytest.mark.parametrize("streams", [True, False])
def test_call_and_attempt_say_who_ended_them(
    end: Callable[[Rig, Asked], None], raised: type[BaseException], kind: str, streams: bool
) -> None:
    rig, stream = Rig(CONFIGURATION), Streams()
    rig["one"].otherwise = stream if streams else SILENT
    asked = rig.ask(stream=streams)
    if streams:
        stream.say(*events("So ", "far")[:3])
    end(rig, asked)
    assert isinstance(asked.error, raised)
    (attempt,) = asked.record.attempts
    outcome = (Outcome.CUT if streams else Outcome.FAILED) if kind else Outcome.CANCELLED
    assert (asked.record.outcome, asked.record.error) == (outcome, kind)
    assert (attempt.outcome, attempt.error) == (outcome, kind)
    assert rig.gateway.under_way == 0
    assert list(rig.gateway.pool.resting()) == [], "it is no fault of an account"


def test_only_what_is_named_is_ended() -> None:
    rig = Rig(CONFIGURATION)
    rig["one"].otherwise = SILENT
    first, second = rig.ask(), rig.ask()
    by_operator(rig, second)
    assert first.error is None
    assert isinstance(second.error, errors.EndedByOperator)
    assert rig.gateway.interrupt("req_2", errors.EndedByOperator("Again.")) == 0
