"""What every carrier does: all others hear what one says, once, in one order for each key, also after a break."""

import pytest

from aiproxy.storage.bus import Topic
from aiproxy.storage.bus.message import encode
from tests.rig.postgres import Postgres
from tests.storage.bus.carriers import members, until
from tests.transports.servers import edge

CARRIERS = pytest.mark.parametrize("kind", ["in-process", "amp", "postgresql"])
BREAKABLE = pytest.mark.parametrize("kind", ["amp", "postgresql"])


def server_for(kind: str, request: pytest.FixtureRequest) -> Postgres | None:
    return request.getfixturevalue("postgres") if kind == "postgresql" else None


@CARRIERS
@edge
async def test_all_others_hear_it_once(kind: str, request: pytest.FixtureRequest) -> None:
    async with members(kind, server_for(kind, request)) as made:
        first, second, third = await made.member(), await made.member(), await made.member()
        sent = first.bus.publish(Topic.COOLDOWN, "account-1", {"until": 12.5, "reason": "Grüße ✓"})
        back = second.bus.publish(Topic.TOKEN, "account-2", {"version": 3})
        await second.until(lambda: second.heard)
        await third.until(lambda: len(third.heard) == 2)
        await first.until(lambda: first.heard)
        assert first.heard == [back]
        assert second.heard == [sent]
        assert sorted(third.heard, key=lambda message: message.topic) == [sent, back]


@CARRIERS
@edge
async def test_messages_of_a_key_are_heard_in_order_and_the_last_of_each_for_certain(
    kind: str, request: pytest.FixtureRequest
) -> None:
    async with members(kind, server_for(kind, request)) as made:
        speaker, ear = await made.member(), await made.member()
        for number in range(300):
            for account in range(5):
                speaker.bus.publish(Topic.COOLDOWN, f"account-{account}", {"number": number})
        await ear.until(lambda: sum(message.body["number"] == 299 for message in ear.heard) == 5)
        for account in range(5):
            numbers = [message.body["number"] for message in ear.heard if message.key == f"account-{account}"]
            assert numbers == sorted(set(numbers))


@CARRIERS
@edge
async def test_two_that_speak_of_one_key_end_up_agreeing(kind: str, request: pytest.FixtureRequest) -> None:
    async with members(kind, server_for(kind, request)) as made:
        # The second one's clock is ten seconds behind.
        first, second = await made.member(lambda: 1010.0), await made.member(lambda: 1000.0)
        early = first.bus.publish(Topic.COOLDOWN, "account-1", {"by": "first"})
        await second.until(lambda: second.heard)
        late = second.bus.publish(Topic.COOLDOWN, "account-1", {"by": "second"})
        assert late.at > early.at
        await first.until(lambda: first.heard)
        assert first.heard == [late]


@CARRIERS
@edge
async def test_the_largest_message_arrives_and_a_larger_one_is_refused(
    kind: str, request: pytest.FixtureRequest
) -> None:
    async with members(kind, server_for(kind, request)) as made:
        speaker, ear = await made.member(), await made.member()
        empty = len(encode(speaker.bus.publish(Topic.COUNTER, "client", {"filling": ""})))
        full = speaker.bus.publish(Topic.COUNTER, "client", {"filling": "x" * (speaker.bus.carrier.most - empty - 5)})
        with pytest.raises(ValueError, match="can be carried"):
            speaker.bus.publish(Topic.COUNTER, "client", {"filling": "x" * speaker.bus.carrier.most})
        await ear.until(lambda: ear.heard and ear.heard[-1] == full)


@CARRIERS
@edge
async def test_who_left_hears_nothing_more(kind: str, request: pytest.FixtureRequest) -> None:
    async with members(kind, server_for(kind, request)) as made:
        speaker, gone, ear = await made.member(), await made.member(), await made.member()
        made.made.remove(gone.bus)
        await gone.bus.stop()
        speaker.bus.publish(Topic.CONFIGURATION, "", {"version": "abc"})
        await ear.until(lambda: ear.heard)
        assert gone.heard == []


@CARRIERS
@edge
async def test_what_is_said_last_is_heard(kind: str, request: pytest.FixtureRequest) -> None:
    async with members(kind, server_for(kind, request)) as made:
        speaker, ear = await made.member(), await made.member()
        made.made.remove(speaker.bus)
        for account in range(3):
            speaker.bus.publish(Topic.COOLDOWN, f"account-{account}", {})
        await speaker.bus.stop()
        await ear.until(lambda: len(ear.heard) == 3)


@BREAKABLE
@edge
async def test_after_a_break_all_hear_the_latest_and_know_that_they_missed_some(
    kind: str, request: pytest.FixtureRequest
) -> None:
    server = server_for(kind, request)
    async with members(kind, server) as made:
        speaker, ear = await made.member(), await made.member()
        assert (speaker.missed, ear.missed) == (1, 1)
        if server is None:
            await made.hub.stop()
        else:
            server.stop()
        try:
            await until(made.reactor, lambda: not speaker.bus.carrier.connected and not ear.bus.carrier.connected)
            for number in range(50):
                last = speaker.bus.publish(Topic.COOLDOWN, "account-1", {"number": number})
        finally:
            if server is None:
                made.hub.start()
            else:
                server.start()
        await until(made.reactor, lambda: speaker.missed == ear.missed == 2)
        speaker.bus.publish(Topic.COOLDOWN, "account-2", {})
        await ear.until(lambda: any(message.key == "account-2" for message in ear.heard))
        # Whoever comes back later reads what it missed where it is kept; who was there has heard the last.
        assert [m for m in ear.heard if m.key == "account-1"] in ([last], [])
