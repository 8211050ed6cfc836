"""The gateway in a process of its own, as the script `aiproxy` runs it; for each SIGUSR1 it writes a line of what it holds."""

import gc
import json
import os
import signal
import sys
from typing import Any

from twisted.internet import reactor as installed
from twisted.internet.defer import Deferred

from aiproxy.tap import Options, makeService

reactor: Any = installed


def held(service: Any) -> dict[str, int]:
    gateway = service.gateway
    gc.collect()
    return {
        "blocks": sys.getallocatedblocks(),
        "leases": sum(gateway.pool.in_use(account) for account in gateway.snapshot.upstreams),
        "waiting": gateway.pool.waiting,
        "calls": len(gateway._under_way),  # noqa: SLF001 - nobody else needs to know
        "connections": sum(len(site.connections) for site in service.listener._sites),  # noqa: SLF001
        "deferreds": sum(isinstance(found, Deferred) for found in gc.get_objects()),
        "sockets": sum(
            os.readlink(f"/proc/self/fd/{number}").startswith("socket:")
            for number in os.listdir("/proc/self/fd")
            if os.path.exists(f"/proc/self/fd/{number}")
        ),
        "timers": len(reactor.getDelayedCalls()),
    }


def main() -> None:
    options = Options()
    options.parseOptions(sys.argv[1:])
    service = makeService(options, reactor)
    service.privilegedStartService()
    service.startService()

    def write() -> None:
        sys.stdout.write(json.dumps(held(service)) + "\n")
        sys.stdout.flush()

    # Ours goes in after the service has taken its own.
    reactor.callWhenRunning(lambda: signal.signal(signal.SIGUSR1, lambda *_: reactor.callFromThread(write)))
    reactor.callLater(0.5, write)
    reactor.run()


if __name__ == "__main__":
    main()
