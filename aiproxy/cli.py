"""The script `aiproxy`: the same gateway in the foreground, for people who don't know twistd."""

import os
import sys
from collections.abc import Sequence

from twisted.logger import globalLogBeginner
from twisted.python import usage

from aiproxy.succession import AGAIN_SECONDS, asked_to_stop_within, has_workers
from aiproxy.tap import Options, makeService


def main(arguments: Sequence[str] | None = None) -> None:
    """Run until a signal ends it. Exit status 2 for a wrong command line, 78 for an invalid configuration."""
    options = _parsed(list(sys.argv[1:] if arguments is None else arguments))
    globalLogBeginner.beginLoggingTo([options.observer()], redirectStandardIO=False)
    from twisted.internet import reactor

    service = makeService(options, reactor)
    service.privilegedStartService()
    service.startService()
    reactor.addSystemEventTrigger("before", "shutdown", service.stopService)
    reactor.run()


def _parsed(arguments: Sequence[str]) -> Options:
    """The command line and its configuration. One that became invalid since the rehearsal, or a store that is away, must not end a
    process that has workers already: they serve meanwhile."""
    while True:
        options = Options()
        try:
            options.parseOptions(arguments)
        except usage.UsageError as error:
            sys.stderr.write(f"aiproxy: {error}\n{options.getSynopsis()}\n")
            raise SystemExit(2) from None
        except SystemExit:
            if not has_workers(os.environ) or asked_to_stop_within(AGAIN_SECONDS):
                raise
        else:
            return options
