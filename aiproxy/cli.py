"""The script `aiproxy`: the same gateway in the foreground, for people who don't know twistd."""

import sys
from collections.abc import Sequence

from twisted.logger import globalLogBeginner
from twisted.python import usage

from aiproxy.tap import Options, makeService


def main(arguments: Sequence[str] | None = None) -> None:
    """Run until a signal ends it. Exit status 2 for a wrong command line, 78 for an invalid configuration."""
    options = Options()
    try:
        options.parseOptions(list(sys.argv[1:] if arguments is None else arguments))
    except usage.UsageError as error:
        sys.stderr.write(f"aiproxy: {error}\n{options.getSynopsis()}\n")
        raise SystemExit(2) from None
    globalLogBeginner.beginLoggingTo([options.observer()], redirectStandardIO=False)
    from twisted.internet import reactor

    service = makeService(options, reactor)
    service.privilegedStartService()
    service.startService()
    reactor.addSystemEventTrigger("before", "shutdown", service.stopService)
    reactor.run()
