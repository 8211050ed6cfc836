"""One count of wrong keys for all processes: each tells the others, over the bus, how it stands with an address."""

from contextlib import suppress

from twisted.logger import Logger

from aiproxy.storage.bus import Bus, Message, Topic
from aiproxy.web.management.lockout import Lockout, Standing

_log = Logger("aiproxy.audit")


def share(lockout: Lockout, bus: Bus) -> None:
    """From now on. Guesses at several processes within a message's way are counted at each of them only."""

    def tell(address: str, standing: Standing) -> None:
        with suppress(ValueError):  # an absurdly long address
            bus.publish(Topic.LOCKOUT, address, standing._asdict())

    def hear(message: Message) -> None:
        match message.body:
            case {"failures": int(failures), "latest": float(latest), "locked_until": float(until)}:
                lockout.take(message.key, Standing(failures, latest, until))
            case _:
                _log.warn("a message about wrong keys was not understood; another version of aiproxy is on the bus")

    lockout.tell = tell
    bus.subscribe(Topic.LOCKOUT, hear)
