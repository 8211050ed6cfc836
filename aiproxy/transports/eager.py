"""Writing to a socket at once.

Twisted's TCP transport puts what is written into a buffer and has the reactor come back for it: two more system calls and another
turn of the event loop for each event of a stream. A socket with nothing waiting can nearly always take it now; what it doesn't take
goes the ordinary way, and so does everything on a transport that isn't plain TCP."""

from collections.abc import Callable

from twisted.internet.interfaces import ITransport
from twisted.internet.tcp import Connection

Buffer = bytes | memoryview


def eager_writer(transport: ITransport) -> Callable[[bytes], None]:
    """`transport.write`, eagerly where that is possible."""
    if not isinstance(transport, Connection):
        return transport.write
    tcp: Connection = transport

    def write(data: bytes) -> None:
        sent = write_some(tcp, data)
        if sent < len(data):
            tcp.write(data[sent:] if sent else data)

    return write


def write_some(transport: object, data: Buffer) -> int:
    """How many bytes the socket takes right now, before anything that is written later: 0 where it must be waited for. A
    lost connection takes nothing; an ordinary write finds that out again, and tells everybody."""
    if not isinstance(transport, Connection):
        return 0
    if transport.dataBuffer or transport._tempDataLen:  # noqa: SLF001 # FileDescriptor's: others are before us
        return 0
    if transport.disconnecting or not transport.connected or transport._writeDisconnected:  # noqa: SLF001
        return 0
    try:
        return int(transport.socket.send(data))
    except OSError:  # also that it would block
        return 0
