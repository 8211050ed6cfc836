"""The command: the gateway and its accounts' upstreams are started, the run is made, and what it found is told. Exits with 1 when
anything is left over or any client was misled."""

import signal
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from twisted.internet import reactor as installed
from twisted.internet.defer import Deferred

from bench.ports import free_port
from bench.unrest.run import IDLE, Setting, run
from bench.unrest.upstreams import Account

reactor: Any = installed


def main() -> None:
    parser = ArgumentParser(prog="bench.unrest", description=__doc__)
    parser.add_argument("--streams", type=int, default=500, help="clients, most of whom ask for streams")
    parser.add_argument("--large", type=int, default=4, help="clients more, whose requests are of 8 MB")
    parser.add_argument("--sockets", type=int, default=50, help="WebSockets more")
    parser.add_argument("--accounts", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument(
        "--before", type=float, default=40.0, help="seconds of unrest before the first look at what is held"
    )
    parser.add_argument("--calls", type=int, default=1000, help="calls that must have ended before that, too")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    failed: list[str] = []
    random = Random(asked.seed)  # noqa: S311 - the same run again for the same seed
    accounts = [Account(random) for _ in range(asked.accounts)]
    ports = [reactor.listenTCP(0, each, interface="127.0.0.1", backlog=1024) for each in accounts]
    port = free_port()
    with TemporaryDirectory(prefix="aiproxy-unrest-") as directory:
        file = Path(directory) / "aiproxy.yaml"
        file.write_text(configuration([each.getHost().port for each in ports]))
        file.chmod(0o600)
        command = [sys.executable, "-m", "bench.unrest.watched", "--config", str(file), "--port", str(port)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=directory) as gateway:
            running = Deferred.fromCoroutine(run(asked, Setting(port, accounts, gateway, file, random), failed))
            running.addErrback(lambda failure: failed.append(failure.getTraceback()))
            running.addBoth(lambda _: reactor.stop())
            reactor.run()
            gateway.send_signal(signal.SIGTERM)
    print("\n".join(failed) if failed else "nothing is left over, and nobody was misled")
    sys.exit(bool(failed))


def configuration(ports: list[int]) -> str:
    accounts = "".join(
        f'  - {{api-key: key-{number:02}-0123456789abcdef, name: a{number:02}, base-url: "http://127.0.0.1:{port}/v1", '
        f"models: [m], concurrency: 60}}\n"
        for number, port in enumerate(ports)
    )
    return f"""
request-retry: 2
max-retry-interval: 5
routing: {{session-affinity: false}}
limits: {{keep-alive-seconds: 5}}
timeouts: {{first-byte: 3, first-token: 3, idle: {IDLE[0]:g}}}
logging: {{level: error}}
state: state.db
openai-api-key:
{accounts}"""


if __name__ == "__main__":
    main()
