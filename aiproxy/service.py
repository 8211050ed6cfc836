"""The service tree, wiring, reload and drain: the one place that knows the whole."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from random import Random
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.logger import Logger

from aiproxy import __version__
from aiproxy.config import Configuration, ConfigurationInvalid, Settings, render_problems
from aiproxy.config.masking import Masking
from aiproxy.configuring import Configuring
from aiproxy.credentials.accounts import Accounts
from aiproxy.credentials.base import Way
from aiproxy.credentials.callback_page import listener
from aiproxy.credentials.files import Files, read_files
from aiproxy.credentials.flows import Flows
from aiproxy.credentials.login import Login
from aiproxy.credentials.renewer import Renewer
from aiproxy.credentials.token import PATIENCE_SECONDS
from aiproxy.credentials.web import TransportWeb
from aiproxy.documents import Documents
from aiproxy.gateway import Gateway, Snapshot, build_snapshot
from aiproxy.gateway.differences import Difference, differences
from aiproxy.gateway.keys import ManagedKey, managed_key
from aiproxy.gateway.snapshot import proxy
from aiproxy.history import History
from aiproxy.known_secrets import KnownSecrets
from aiproxy.listener import Listener, settled_by
from aiproxy.logs import Scrubbing, Threshold
from aiproxy.logs.recent import Recent
from aiproxy.managing import Managed
from aiproxy.neutral.errors import Draining
from aiproxy.notices import Looking
from aiproxy.persistence import Persistence
from aiproxy.prompts import Prompts, PromptsUnwritable
from aiproxy.readiness import Readiness
from aiproxy.registry import Registry
from aiproxy.reloading import Reloading, Steps
from aiproxy.secrets import Secret
from aiproxy.storage.history import AT_START, ELSEWHERE
from aiproxy.storage.single_flight import SingleFlight
from aiproxy.storage.source import Loaded, Source
from aiproxy.storage.state.database import StateRefused
from aiproxy.storage.state.retention import Retention
from aiproxy.storage.state.rows import ClientKeyRow
from aiproxy.storage.state.state import State
from aiproxy.storage.state_address import database_of
from aiproxy.tracing.export import Export, address_of
from aiproxy.transports.current import CurrentTransport
from aiproxy.web.management import Management
from aiproxy.web.management.happenings import Happenings
from aiproxy.web.management.shared_lockout import share
from aiproxy.web.management.telling import Telling
from aiproxy.web.management.watching import Watching
from aiproxy.web.origins import is_loopback
from aiproxy.web.site import Web
from aiproxy.web.together import Together
from aiproxy.welcome import base_url, setup_text, welcome_text
from aiproxy.worker import SESSION_KEY, Worker

PARTING_SECONDS = 1.0
"""How long a worker that has a successor answers what comes on kept connections, each time for the last time there. Longer than a
busy client's pause, so that only idle connections are closed under their clients."""

FLUSH_SECONDS = 1.0
"""How long the last error events may take to leave, after the drain's limit, before connections are cut."""

_log = Logger("aiproxy.service")


class GatewayService(Service):
    """One gateway: listens, reloads, drains. `source` is where `loaded` came from; `drain` is in seconds; `welcome` is
    told once how to call the gateway; `cannot_start` is raised with one sentence when there is nothing to listen on;
    `worker` says that we are one of several, which a supervisor started."""

    name = "aiproxy"

    def __init__(
        self,
        *,
        reactor: Any,
        loaded: Loaded,
        source: Source,
        registry: Registry,
        scrubbing: Scrubbing,
        threshold: Threshold,
        recent: Recent,
        drain: float,
        welcome: Callable[[str], object] | None = None,
        cannot_start: type[BaseException] = SystemExit,
        worker: Worker | None = None,
    ) -> None:
        self._reactor = reactor
        self._worker = worker
        self._retiring = False
        files, loaded = _files(loaded, registry)
        configuration = loaded.configuration
        self._registry = registry
        self._threshold = threshold
        self._drain = drain
        self._welcome = welcome
        self._cannot_start = cannot_start
        self._transport = CurrentTransport(reactor)
        self._former_secrets: Sequence[Secret] = ()
        self.secrets = KnownSecrets(scrubbing, self._all_secrets)
        steps = Steps(
            load=self._load,
            build=lambda new, files: self._snapshot(new, files, self.gateway.snapshot),
            ours=lambda *version: self.accounts.ours(*version),
            take_over=self._take_over,
            failed=self._failed,
        )
        self.reloading = Reloading(loaded, steps)
        self._documents = Documents(reactor, source, self.reloading.ask)
        self.configuring = Configuring(self._documents, self.reloading.taken_over)
        jitter = Random()  # noqa: S311 - spreads retries, guards nothing
        kept = configuration.settings.state_in_effect
        self.state = State(reactor, database_of(kept), _retention(configuration.settings))
        self.history = History(self._documents, self.state)
        renewer = Renewer(self._documents, SingleFlight(reactor, self.state), TransportWeb, reactor)
        self.accounts = Accounts(reactor, renewer, jitter)
        self.accounts.renewed = self.secrets.renewed
        self.logins = Flows(
            reactor, self._login, self._login_web, self._documents, listener(reactor), self.secrets.renewed
        )
        self.gateway = Gateway(reactor, jitter, self._snapshot(configuration, files))
        self.accounts.follow(files.records, self.gateway.snapshot.used)
        self._persistence = Persistence(reactor, self.gateway, self.state, kept, worker, self._keys_taken)
        self.keys = self._persistence.keys
        shared = self.state if self._persistence.shares else None
        self._notices = Looking(reactor, self.gateway, lambda: self._configuration.settings.notices, shared)
        self._prompts = Prompts(reactor, self.gateway, scrubbing, worker.number if worker is not None else None)
        self.happenings = Happenings(
            reactor,
            self.gateway,
            recent,
            lambda: self.web.metrics.counted(),
            lambda: (self.reloading.in_use.at, self.reloading.in_use.problem),
            self._persistence.offset,
            worker.number if worker is not None else None,
        )
        if self._persistence.among_workers is not None:
            self._telling = Telling(reactor, self.happenings, self._persistence.among_workers)
        self.readiness = Readiness(
            self.gateway,
            self.accounts,
            self._documents,
            self.state,
            self._persistence.bus,
            lambda: self.reloading.in_use,
            lambda: self.web.draining,
        )
        managed = Managed(
            reactor=reactor,
            gateway=self.gateway,
            registry=registry,
            accounts=self.accounts,
            logins=self.logins,
            keys=self.keys,
            state=self.state,
            documents=self._documents,
            configuring=self.configuring,
            history=self.history,
            masking=Masking(os.environ.get(SESSION_KEY, "")),
            recent=recent,
            asking=self._persistence.asking,
            mark=self.happenings.mark,
            node=self._persistence.node,
            offset=self._persistence.offset,
            configuration=lambda: self._configuration,
            compared=self._compared,
            checks=self.readiness.checks,
            base=lambda: base_url(self._configuration.settings, self.listener.port, here="127.0.0.1"),
            kept=self.secrets.renewed,
        )
        self.management = Management(
            reactor,
            os.environ.get("MANAGEMENT_PASSWORD", ""),
            os.environ.get(SESSION_KEY, ""),
            lambda: self.gateway.snapshot.settings.remote_management,
            lambda: self.gateway.snapshot.settings.websocket,
            self._documents,
            managed.tables,
            self.happenings,
            Watching(reactor, self.happenings, self._persistence.among_workers, self._persistence.others),
            self._persistence.asking,
        )
        share(self.management.gate.lockout, self._persistence.bus)
        together = Together(worker.directory, str(os.getpid())) if worker is not None else None
        self.web = Web(self.gateway, reactor, self.readiness.checks, self.management, together)
        self.state.timed = partial(self.web.metrics.stored, "state")
        self._documents.timed = partial(self.web.metrics.stored, "documents")
        self.web.metrics.also(self.readiness.gauges)
        self._export = Export(
            reactor,
            lambda: self.gateway.snapshot.settings.tracing,
            self._persistence.offset,
            self._address,
            self.web.metrics.traced,
        )
        self.gateway.ended.observers.append(self._export.observe)
        self.listener = Listener(reactor, self.web, configuration.settings, worker, cannot_start)

    @property
    def _configuration(self) -> Configuration:
        return self.reloading.configuration

    # -- start

    def privilegedStartService(self) -> None:
        """Open the listener, before privileges are dropped."""
        self.listener.open(self._configuration.settings)

    def startService(self) -> None:
        super().startService()
        try:
            self._persistence.start()
        except StateRefused as refused:
            raise self._cannot_start(f"aiproxy: state: {refused}") from None
        _log.info("state is kept in {where} ({kind})", where=self.state.status.where, kind=self.state.status.kind)
        self.web.metrics.start()
        self.gateway.health_checks.start()
        self.gateway.quota_questions.start()
        try:
            self._prompts.start(self._configuration.settings.prompt_log)
        except PromptsUnwritable as unwritable:
            raise self._cannot_start(f"aiproxy: prompt-log: {unwritable}") from None
        self._export.start()
        self._notices.start()
        self.secrets.gather()
        self._warn()
        in_use = self.reloading.in_use.loaded
        self._documents.start(in_use)
        self.history.note(in_use.kept, AT_START)
        Deferred.fromCoroutine(self.management.start()).addErrback(
            lambda failure: _log.failure("management could not start", failure)
        )
        self.accounts.start()
        self._reactor.callWhenRunning(self._take_signals)
        self._reactor.callWhenRunning(self._announce)

    def _announce(self) -> None:
        if self._worker is not None:
            self._worker.serves()  # its supervisor tells the others
            return
        settings = self._configuration.settings
        scheme = "https" if settings.tls.enable else "http"
        host = settings.host or "0.0.0.0"  # noqa: S104 - what is shown, not what is bound
        _log.info(
            "aiproxy {version} listens on {scheme}://{host}:{port}, configuration: {source}",
            version=__version__,
            scheme=scheme,
            host=f"[{host}]" if ":" in host else host,
            port=self.listener.port,
            source=self._configuration.source,
        )
        if self._welcome is not None:
            names = [model.name for model in self.gateway.snapshot.catalogue.listing({})]
            self._welcome(welcome_text(settings, self.listener.port, names) + self._setup_link())

    def _setup_link(self) -> str:
        """Where nobody else can come and nobody has a key yet, whoever sees the terminal may set one."""
        settings = self._configuration.settings
        if self.management.gate.has_key or not is_loopback(settings.host):
            return ""
        return setup_text(settings, self.listener.port, self.management.gate.open_setup())

    # -- reload

    async def _load(self) -> tuple[Files, Loaded]:
        return _files(await self._documents.load(), self._registry)

    def _all_secrets(self) -> Iterator[Secret]:
        yield from self._former_secrets
        yield from self._configuration.secrets
        yield from self.accounts.secrets
        yield from self.management.secrets

    def _warn(self) -> None:
        for warning in self._configuration.warnings:
            _log.warn("configuration: {warning}", warning=render_problems([warning]).strip())
        for name, why in {**self.reloading.in_use.loaded.refused, **self.gateway.snapshot.left_out}.items():
            _log.warn("credential left out: {name} {why}", name=name, why=why)

    def _failed(self, why: str) -> str:
        self.web.metrics.reloaded("failed")
        return self.gateway.snapshot.scrub(why)

    def _take_over(self, before: Loaded, files: Files, snapshot: Snapshot) -> None:
        loaded = self.reloading.in_use.loaded
        old, configuration = before.configuration, loaded.configuration
        self._former_secrets = old.secrets  # of calls that are still under way
        self.web.metrics.reloaded("ok")
        self.gateway.use(snapshot)
        self.gateway.health_checks.follow()
        self.gateway.quota_questions.follow()
        self.listener.follow(configuration.settings)
        self.state.retention = _retention(configuration.settings)
        self._transport.leave_former()
        self._documents.follow(loaded)
        self.history.note(loaded.kept, ELSEWHERE)
        self.accounts.follow(files.records, snapshot.used)
        self.secrets.gather()
        self._warn()
        _log.info("configuration reloaded from {source}", source=configuration.source)
        logging = configuration.settings.logging
        self._threshold.set(logging.level)
        if replace(old.settings.logging, level=logging.level) != logging:
            _log.warn("logging has changed in the configuration; that takes effect at the next start")
        if _store(old.settings) != _store(configuration.settings):
            _log.warn("the store has changed in the configuration; that takes effect at the next start")
        if old.settings.state_in_effect != configuration.settings.state_in_effect:
            _log.warn("state has changed in the configuration; that takes effect at the next start")
        if settled_by(old.settings) == settled_by(configuration.settings):
            return
        if self._worker is not None:
            _log.warn(
                "the listener has changed in the configuration; with --workers that takes effect at the next start"
            )
        else:
            Deferred.fromCoroutine(self._move_listener(old.settings, configuration.settings))

    async def _move_listener(self, old: Settings, new: Settings) -> None:
        problem = await self.listener.move(old, new)
        self.reloading.tried(problem)
        if problem:
            _log.error("{problem}", problem=problem)
        else:
            self._announce()

    def _snapshot(self, configuration: Configuration, files: Files, before: Snapshot | None = None) -> Snapshot:
        return build_snapshot(
            configuration.settings,
            configuration.secrets,
            self._registry.providers,
            self._reactor,
            self._transport.of,
            before,
            files,
            self.accounts.credential,
        )

    def _login(self, provider: str) -> Login | None:
        declared = self._registry.logins.get(provider)
        return declared and declared.resolved(self.gateway.snapshot.settings)

    def _login_web(self, login: Login) -> TransportWeb:
        settings = self.gateway.snapshot.settings
        way = Way(login.provider, self._transport.of(settings), proxy(settings.proxy_url), self._reactor)
        return TransportWeb(way, PATIENCE_SECONDS)

    # -- signals and stop

    def _take_signals(self) -> None:
        """HUP reloads. TERM and INT stop after a drain, a second one stops at once."""

        def from_signal(do: Callable[[], object]) -> Callable[[int, object], None]:
            return lambda _number, _frame: self._reactor.callFromThread(do)

        signal.signal(signal.SIGHUP, from_signal(self.reloading.ask))
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, from_signal(self._asked_to_stop))
        if self._worker is not None:
            signal.signal(signal.SIGUSR1, from_signal(self._retire))
            self._worker.begin(self._reactor, self._asked_to_stop)

    def _retire(self) -> None:
        """A successor serves the socket that we share: leave what comes now to it."""
        self._retiring = True
        self._asked_to_stop()

    def _asked_to_stop(self) -> None:
        if self.running:
            self._reactor.stop()
        else:
            self.listener.hurry()

    def stopService(self) -> Deferred[None]:
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        """Drain: not ready, no new calls, answers under way may finish; at the limit they end with their error event.

        The listener stays open until then, so that whoever asks is told 503 and not refused a connection; unless a
        successor serves it: then clients are first told to go there, by their next answer."""
        if self._retiring:
            await self.listener.leave_to_successor()
            await deferLater(self._reactor, PARTING_SECONDS)
        self._documents.stop_watching()
        self.gateway.health_checks.stop()
        self.gateway.quota_questions.stop()
        self.web.metrics.stop()
        self.web.draining = True
        self.reloading.stop()
        self.listener.drain()
        self.management.hang_up()
        if count := self.listener.in_flight:
            _log.info("draining: {count} answers under way, for at most {limit:g} s", count=count, limit=self._drain)
        await self.listener.idle_within(self._drain)
        if self.listener.in_flight:
            told = "The gateway is shutting down and could not wait for this answer any longer."
            self.gateway.interrupt_all(Draining(told))
            await self.listener.idle_within(FLUSH_SECONDS)
        await self.listener.close()
        self.listener.abort()
        self._notices.stop()
        await self._prompts.stop()
        self.logins.stop()
        await self.accounts.stop()
        self.management.stop()
        self._documents.stop()
        await self._transport.close()
        self.gateway.ended.now()
        self.web.metrics.leave()
        await self.listener.close_metrics()
        await self._export.stop()
        await self._persistence.stop()
        _log.info("stopped")

    # -- management

    def _compared(self, other: Configuration) -> Sequence[Difference]:
        """What clients would notice if it took the place of the one in use."""
        files = read_files(self.reloading.in_use.loaded.credentials, self._registry.logins)
        here = self._transport.latest
        snapshot = build_snapshot(
            files.without_demo(other).settings,
            other.secrets,
            self._registry.providers,
            self._reactor,
            lambda _settings: here,
            files=files,
            signing=self.accounts.credential,
        )
        return list(differences(self.gateway.snapshot, snapshot))

    def _keys_taken(self, rows: Sequence[ClientKeyRow]) -> None:
        keys: list[ManagedKey] = []
        for row in rows:
            try:
                keys.append(managed_key(row))
            except (ConfigurationInvalid, ValueError) as error:  # of a newer version, perhaps
                _log.error("the managed key {name} is left out: {why}", name=row.name, why=str(error))
        self.gateway.manage(keys)

    def _address(self, account: str) -> tuple[str, int] | None:
        upstream = self.gateway.snapshot.upstreams.get(account)
        return None if upstream is None else address_of(upstream.base_url)


def _files(loaded: Loaded, registry: Registry) -> tuple[Files, Loaded]:
    """Credential files that somebody's calls can be made with; with any of them, the configuration needs no demo."""
    called = {provider.name for provider in registry.providers if provider.accounts}
    files = read_files(loaded.credentials, {name: each for name, each in registry.logins.items() if name in called})
    return files, replace(loaded, configuration=files.without_demo(loaded.configuration))


def _retention(settings: Settings) -> Retention:
    return Retention(settings.state_retention.days, settings.state_retention.max_size_mb)


def _store(settings: Settings) -> tuple[object, ...]:
    return settings.store, settings.auth_dir
