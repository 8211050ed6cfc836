"""twistd's front door: `Options` and `makeService`. `twistd aiproxy --help` shows what `Options` says."""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar, TextIO

from twisted.application.service import IService
from twisted.logger import ILogObserver, Logger
from twisted.python import usage

from aiproxy import __version__
from aiproxy.config import Configuration, ConfigurationInvalid, render_problems
from aiproxy.heap import hold_the_collector, return_large_blocks, spare_the_collector
from aiproxy.logs import Scrubbing, Threshold, make_observer, spellings
from aiproxy.logs.recent import Recent
from aiproxy.secrets import Scrubber
from aiproxy.storage.source import Loaded, Source
from aiproxy.storage.store import StoreError, Unavailable
from aiproxy.succession import take
from aiproxy.welcome import base_url, welcome_text
from aiproxy.worker import worker_of

EX_CONFIG = 78
"""The exit status for an invalid configuration (sysexits.h); systemd shows it by name and can be told not to restart."""

EX_UNAVAILABLE = 69
"""The exit status when the store is away and there is no mirror of it to start from: a later start may do better."""

DRAIN_SECONDS = 600.0
"""How long streams may take to finish after SIGTERM: long answers take minutes, load balancers wait that long."""

MOST_WORKERS = 64
"""One a core is best; more than any machine has that runs one gateway is a typing error."""

_log = Logger("aiproxy.supervisor")


class Options(usage.Options):
    """The daemon's command line. `Options.configuration` is loaded once the line is parsed; an invalid one ends the
    process with `EX_CONFIG` and the same report as `aiproxy-config validate`."""

    synopsis = "[options]"
    longdesc = "A unified AI API gateway. Without a file it listens on loopback and offers the demo models."
    optParameters: ClassVar = [
        ["config", "c", None, "Configuration file; see configs/README.md for where it is looked for otherwise."],
        ["host", None, None, "Address to listen on, instead of the configuration's."],
        ["port", None, None, "Port to listen on, instead of the configuration's."],
        ["drain", None, DRAIN_SECONDS, "Seconds that answers may take to finish after SIGTERM.", float],
        ["workers", None, 1, "Processes that serve, for as many cores; SIGUSR2 brings what is installed now.", int],
    ]
    optFlags: ClassVar = [["welcome", None, "Print how to call the gateway once it listens."]]

    at_twistd: ClassVar["Options | None"] = None
    """The command line of this process, since twistd takes its logger by name only."""

    def __init__(self) -> None:
        super().__init__()
        self["set"] = []
        self.scrubbing = Scrubbing()
        self.threshold = Threshold()
        self.recent = Recent()
        self.source: Source
        self.loaded: Loaded
        self.configuration: Configuration

    def opt_set(self, assignment: str) -> None:
        """Override one setting: KEY.PATH=VALUE, the value in YAML. May be given several times."""
        self["set"].append(assignment)

    def postOptions(self) -> None:
        if not 0 <= self["drain"] < float("inf"):
            raise usage.UsageError("--drain takes a number of seconds, 0 or more")
        if not 1 <= self["workers"] <= MOST_WORKERS:
            raise usage.UsageError(f"--workers takes a number from 1 to {MOST_WORKERS}")
        self.source = Source(self["config"], os.environ, self._overrides())
        try:
            self.loaded = self.source.start()
        except ConfigurationInvalid as invalid:
            sys.stderr.write(render_problems(invalid.problems))
            raise SystemExit(EX_CONFIG) from None
        except StoreError as error:
            sys.stderr.write(f"aiproxy: {error}\n")
            raise SystemExit(EX_UNAVAILABLE if isinstance(error, Unavailable) else EX_CONFIG) from None
        self.configuration = self.loaded.configuration
        self.scrubbing.scrubber = Scrubber(spellings(self.configuration.secrets))
        self.threshold.set(self.configuration.settings.logging.level)
        if self.parent is not None:
            self._take_over_logging(self.parent)

    def for_worker(self) -> list[str]:
        """The same command line, for one of the processes it asks for. Where the log goes was decided here."""
        file = self.configuration.settings.logging.file
        config = [f"--config={self['config']}"] if self["config"] is not None else []
        log = [f"logging.file={json.dumps(file)}"] if file else []
        return [*config, f"--drain={self['drain']}", *(f"--set={each}" for each in (*self._overrides(), *log))]

    def _overrides(self) -> list[str]:
        named = [f"host={json.dumps(self['host'])}"] if self["host"] is not None else []
        named += [f"port={self['port']}"] if self["port"] is not None else []
        return [*self["set"], *named]

    def opt_version(self) -> None:
        """Print the version and exit."""
        sys.stdout.write(f"aiproxy {__version__}\n")
        raise SystemExit(0)

    def observer(self, stream: TextIO | None = None) -> ILogObserver:
        """Where log events go, as the configuration says."""
        stream = stream or sys.stdout
        logging = self.configuration.settings.logging
        isatty = stream.isatty()
        return make_observer(
            logging, self.scrubbing, stream, isatty=isatty, recent=self.recent, threshold=self.threshold
        )

    def _take_over_logging(self, twistd: Any) -> None:
        """Our observer instead of twistd's, unless its own options ask for something."""
        if twistd.get("logger") or twistd.get("logfile") or twistd.get("syslog"):
            return
        if not twistd.get("nodaemon") and not self.configuration.settings.logging.file:
            settings = self.configuration.settings
            logging = replace(settings.logging, file="twistd.log")
            self.configuration = replace(self.configuration, settings=replace(settings, logging=logging))
        Options.at_twistd = self
        twistd["logger"] = f"{__name__}.twistd_observer"


def twistd_observer() -> ILogObserver:
    """Named to twistd as its `--logger`."""
    assert Options.at_twistd is not None
    return Options.at_twistd.observer()


def makeService(options: Options, reactor: Any = None) -> IService:
    if reactor is None:
        from twisted.internet import reactor as default_reactor

        reactor = default_reactor
    daemonizes = options.parent is not None and not options.parent.get("nodaemon")
    # A daemon tells the twistd that waits for it by an ordinary exception.
    cannot_start = RuntimeError if daemonizes else SystemExit
    welcome: Callable[[str], object] | None = sys.stdout.write if options["welcome"] else None
    if options["workers"] > 1:
        return _make_supervisor(options, reactor, welcome, cannot_start)
    hold_the_collector()
    from aiproxy.registry import load_registry
    from aiproxy.service import GatewayService
    from aiproxy.transports.polling import poll_lightly

    return_large_blocks()
    reactor.callWhenRunning(spare_the_collector)
    poll_lightly(reactor)
    try:
        return GatewayService(
            reactor=reactor,
            loaded=replace(options.loaded, configuration=options.configuration),
            source=options.source,
            registry=load_registry(),
            scrubbing=options.scrubbing,
            threshold=options.threshold,
            recent=options.recent,
            drain=options["drain"],
            welcome=welcome,
            cannot_start=cannot_start,
            worker=worker_of(os.environ),
        )
    except ValueError as error:  # SSL_CERT_FILE, SSL_CERT_DIR, or two plugins of one name
        raise SystemExit(f"aiproxy: {error}") from None


def _make_supervisor(
    options: Options, reactor: Any, welcome: Callable[[str], object] | None, cannot_start: type[BaseException]
) -> IService:
    from aiproxy.supervisor import Supervisor

    left = take(os.environ)
    pidfile = left.pidfile if left is not None else options.parent["pidfile"] if options.parent is not None else ""
    configuration, count = options.configuration, options["workers"]
    settings, at = configuration.settings, configuration.settings.metrics

    def serving(port: int) -> None:
        _log.info(
            "aiproxy {version} listens on {address}, configuration: {source}, workers: {count}",
            version=__version__,
            address=base_url(settings, port),
            source=configuration.source,
            count=count,
        )
        if welcome is not None:
            welcome(welcome_text(settings, port, []))

    if left is not None and left.rehearsal:
        raise SystemExit(0)
    return Supervisor(
        reactor=reactor,
        count=count,
        address=(settings.host, settings.port),
        metrics=(at.host, at.port) if at.enable and at.port else None,
        arguments=options.for_worker(),
        serving=serving,
        cannot_start=cannot_start,
        pidfile=pidfile,
        left=left,
    )
