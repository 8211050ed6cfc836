"""Connections at rest: what one takes of the gateway's memory after it has asked once, plain and over TLS.

    PYTHONPATH=tools python -m bench.idle --connections 1000

Exits with 1 when one takes more than `IDLE_BYTES`, or TLS more than `IDLE_TLS_BYTES`."""

import os
import socket
import ssl
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.answers import KEY
from bench.certificate import write_certificate
from bench.ports import free_port
from bench.processes import memory
from bench.systems import CannotRun, load_system, running

IDLE_BYTES, IDLE_TLS_BYTES = 10_000, 80_000
"""Of the gateway's memory, for one connection. OpenSSL's buffers are most of the second."""

SETTLES = 1.0
"""Seconds after the last answer."""

REQUEST = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


def main() -> None:
    parser = ArgumentParser(prog="bench.idle", description=__doc__)
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--system", default="aiproxy", help="a name or an adapter file")
    asked = parser.parse_args()
    try:
        plain, secure = (_each(asked.system, asked.connections, tls=tls) for tls in (False, True))
    except CannotRun as error:
        sys.exit(f"bench.idle: {error}")
    print(f"{asked.connections} connections at rest: {plain / 1000:.1f} kB each, over TLS {secure / 1000:.1f} kB each")
    sys.exit(0 if plain <= IDLE_BYTES and secure <= IDLE_TLS_BYTES else 1)


def _each(system: str, count: int, *, tls: bool) -> float:
    """Bytes. As many are opened and closed before, so that what a first one costs is not counted."""
    with TemporaryDirectory(prefix="aiproxy-idle-") as made:
        certificate, key = write_certificate(Path(made))
        values = {
            "key": KEY,
            "stub": "1",
            "directory": made,
            "certificate": str(certificate),
            "certificate_key": str(key),
        }
        with running(load_system(system), values, free_port(), os.sched_getaffinity(0), tls=tls, workers=1) as at:
            for each in [_asked(at.port, tls=tls) for _ in range(min(50, count))]:
                each.close()
            time.sleep(SETTLES)
            before = memory(at.pid)
            opened = [_asked(at.port, tls=tls) for _ in range(count)]
            time.sleep(SETTLES)
            each_takes = (memory(at.pid) - before) / count
            for each in opened:
                each.close()
            return each_takes


def _asked(port: int, *, tls: bool) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port))
    if tls:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = context.wrap_socket(connection)
    connection.sendall(REQUEST)
    if not connection.recv(4096).startswith(b"HTTP/1.1 200"):
        raise CannotRun("it does not answer at /healthz")
    return connection


if __name__ == "__main__":
    main()
