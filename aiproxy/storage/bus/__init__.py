"""What one process tells the others: rests, tokens, counters, configuration versions; and to those of its machine that ask, or while
they watch, what happens in it.

A `Bus` makes messages ordered and idempotent; a carrier takes their bytes: `local` within a process, `amp` over a Unix
socket between the processes of one machine, `postgres` (LISTEN/NOTIFY) between nodes. No secret travels here: a message
names what has changed, and who needs the secret reads it where it is kept."""

from aiproxy.storage.bus.bus import Bus, Carrier
from aiproxy.storage.bus.local import Hub
from aiproxy.storage.bus.message import Message, Topic

__all__ = ["Bus", "Carrier", "Hub", "Message", "Topic"]
