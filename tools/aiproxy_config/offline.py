"""A gateway's snapshot without a gateway: what its configuration and its credential files come to, with nobody to ask."""

import os

import click
from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock

from aiproxy.clients import Client
from aiproxy.config import ConfigurationInvalid, Settings
from aiproxy.credentials.base import Credential
from aiproxy.credentials.files import read_files
from aiproxy.credentials.login import Login
from aiproxy.credentials.record import Record
from aiproxy.gateway.keys import clients_of, managed_clients, managed_key
from aiproxy.gateway.snapshot import Snapshot, build_snapshot
from aiproxy.neutral.errors import GatewayError, UpstreamFailed
from aiproxy.providers.base import NO_KEY
from aiproxy.registry import load_registry
from aiproxy.storage.source import Loaded, Source
from aiproxy.storage.state.database import StateRefused, StateUnavailable
from aiproxy.storage.store import StoreError
from aiproxy.transports.base import Request, Response
from aiproxy_config import managed
from aiproxy_config.options import refusing

reading = refusing(StoreError, StateRefused, StateUnavailable, GatewayError)
"""Of a command that looks at an offline gateway."""


def offline(config: str | None, *overrides: str) -> Snapshot:
    """Of the configuration that a gateway would use. Raises `ConfigurationInvalid` and `StoreError`."""
    return snapshot_of(Source(config, os.environ, overrides).start())


def snapshot_of(loaded: Loaded) -> Snapshot:
    registry = load_registry()
    files = read_files(loaded.credentials, registry.logins)
    configuration = files.without_demo(loaded.configuration)
    return build_snapshot(
        configuration.settings,
        configuration.secrets,
        registry.providers,
        Clock(),
        _Nowhere,
        files=files,
        signing=_unsigned,
    )


def _unsigned(_login: Login, _record: Record) -> Credential:
    return NO_KEY


class _Nowhere:
    """A network that reaches nothing."""

    def __init__(self, _settings: Settings) -> None:
        pass

    def send(self, request: Request) -> Deferred[Response]:
        return fail(UpstreamFailed(f"Nothing is asked here, {request.url} neither."))

    def resolve(self, host: str) -> Deferred[str]:
        return fail(UpstreamFailed(f"Nothing is asked here, {host} neither."))


def client_named(snapshot: Snapshot, holder: str) -> Client:
    """Whose key has this name in logs; of a managed key also its id."""
    settings, providers = snapshot.settings, snapshot.catalogue.providers
    clients = {client.name: client for _, client in clients_of(settings, providers)}
    if holder in clients:
        return clients[holder]
    if row := managed.find(settings, holder):
        try:
            key = managed_key(row)
        except (ConfigurationInvalid, ValueError) as error:  # of a newer version, perhaps
            raise click.ClickException(f"the managed key {holder!r} can't be used by this version: {error}") from None
        return next(client for _, client in managed_clients([key], settings, providers))
    known = ", ".join(dict.fromkeys([*clients, *(row.name for row in managed.listed(settings))])) or "none"
    raise click.ClickException(f"there is no client key named {holder!r}; there are: {known}")
