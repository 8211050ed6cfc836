"""What the gateway keeps between calls, for upstreams that keep nothing and clients that lose what they were given:
answers that later requests refer to, and opaque state that has to come home to the vendor that made it.

Everything is a tenant's own, which is whoever holds a client key; a vendor's state is looked for in that vendor's name only."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from aiproxy.codecs import replay
from aiproxy.codecs.codec import Storing
from aiproxy.codecs.envelope import Sealer
from aiproxy.codecs.report import Report
from aiproxy.config.schema import Remembered, Settings
from aiproxy.gateway.call import Call
from aiproxy.memory import BoundedMemory, Limits
from aiproxy.neutral.carried import Json
from aiproxy.neutral.errors import NotFound
from aiproxy.neutral.parts import Part
from aiproxy.neutral.request import Turn
from aiproxy.secrets import Secret

NOT_FOUND = "previous_response_not_found"
"""The code by which clients know that they must send the whole conversation."""


class State:
    """`now` is seconds of a clock that never goes back."""

    def __init__(self, settings: Settings, now: Callable[[], float]) -> None:
        self.responses = BoundedMemory(_limits(settings.response_store), now)
        self.replays = BoundedMemory(_limits(settings.replay_store), now)

    def limit(self, settings: Settings) -> None:
        """Other limits from now on; what is within them stays."""
        self.responses.limit(_limits(settings.response_store))
        self.replays.limit(_limits(settings.replay_store))

    # -- answers that later requests refer to

    async def continue_conversation(self, call: Call, sealing_key: Secret) -> None:
        """Put the conversation in the place of the call's reference to a kept answer, if it has one. Raises `NotFound`; and
        what is wrong with the request's own items, whose places the client knows."""
        storing = call.codec.storing if call.codec else None
        if call.codec is None or storing is None or (reference := storing.reference(call.incoming.outline)) is None:
            return
        holders = (call.connection.memory,) if call.connection else ()
        turns = await self.conversation((*holders, call.client.tenant), reference, storing)
        if not turns:
            return
        call.codec.decode_request(call.incoming, Sealer(sealing_key, call.client.tenant), Report())
        call.continues, call.original = reference, call.incoming
        call.incoming = replace(call.incoming, body=storing.continued(call.incoming.body, turns))

    async def conversation(self, holders: Sequence[str], reference: str, storing: Storing) -> Sequence[bytes]:
        """What these tenants hold of the conversation up to this answer, the first turn first; it may begin with what an
        upstream keeps. Raises `NotFound`."""
        turns: dict[str, bytes] = {}
        wanted: str | None = reference
        while wanted is not None:
            kept = await self._kept(holders, wanted)
            if wanted in turns or (kept is None and storing.ours(wanted)):  # ids of upstreams may come twice
                raise unknown_response(reference)
            if kept is None:
                break
            turns[wanted] = kept
            wanted = storing.previous(kept)
        return [*turns.values()][::-1]

    async def _kept(self, holders: Sequence[str], response_id: str) -> bytes | None:
        for holder in holders:
            if (kept := await self.responses.get(holder, response_id)) is not None:
                return kept
        return None

    def keep(self, call: Call, response: Mapping[str, Json]) -> None:
        """The answer to this call by its id: for its client, or only for its connection, if the client doesn't want it stored."""
        storing = call.codec.storing if call.codec else None
        assert storing is not None
        asked = call.original or call.incoming
        alone = None if storing.wanted(asked.outline) else call.connection
        holder = call.client.tenant if alone is None else alone.memory
        self.responses.put(holder, response["id"], storing.keep(asked.body, response))

    # -- opaque state

    async def recalled(self, tenant: str, vendor: str, turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
        """The history with what this vendor signed back in the turns that come without it."""
        known: dict[str, replay.Remembered] = {}
        for turn in turns:
            for key in replay.missing(turn):
                if key not in known and (kept := await self.replays.get(tenant, f"{vendor}\0{key}")) is not None:
                    known[key] = replay.unpack(kept)
        return replay.recalled(turns, known.get) if known else turns

    def rememberer(self, tenant: str, vendor: str) -> Callable[[Sequence[Part]], None]:
        """Remembers the opaque state in an answer of this vendor."""

        def remember(parts: Sequence[Part]) -> None:
            if replay.has_state(parts):
                kept = replay.pack(parts)
                for key in replay.keys(parts):
                    self.replays.put(tenant, f"{vendor}\0{key}", kept)

        return remember


def unknown_response(reference: str) -> NotFound:
    return NotFound(
        f"Previous response with id '{reference}' not found: it was not to be stored, was deleted, or is older than this "
        "gateway keeps one. Send the whole conversation as `input`, without `previous_response_id`.",
        code=NOT_FOUND,
        param="previous_response_id",
    )


def _limits(remembered: Remembered) -> Limits:
    return Limits(remembered.entries, int(remembered.size_mb * (1 << 20)), remembered.lifetime)
