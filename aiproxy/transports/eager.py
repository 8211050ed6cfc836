"""Writing to a socket at once.

Twisted's TCP transport puts what is written into a buffer and has the reactor come back for it: two more system calls and another
turn of the event loop for each event of a stream. A socket with nothing waiting can nearly always take it now; what it doesn't take
goes the ordinary way, and so does everything on a transport that isn't plain TCP."""

from collections.abc import Callable

from twisted.internet.interfaces import ITransport
from twisted.internet.tcp import Connection


def eager_writer(transport: ITransport) -> Callable[[bytes], None]:
    """`transport.write`, eagerly where that is possible."""
    if not isinstance(transport, Connection):
        return transport.write
    tcp: Connection = transport

    def write(data: bytes) -> None:
        if tcp.dataBuffer or tcp._tempDataLen or tcp.disconnecting or not tcp.connected or tcp._writeDisconnected:  # noqa: SLF001 # FileDescriptor's
            tcp.write(data)
            return
        sent = tcp.writeSomeData(data)
        if not isinstance(sent, int):  # lost: an ordinary write finds that out again, and tells everybody
            tcp.write(data)
        elif sent < len(data):
            tcp.write(data[sent:])

    return write
