"""Upstreams that came to us: the relays that are connected, as accounts beside those of the configuration."""

from collections.abc import Iterable
from typing import Protocol

from twisted.internet.interfaces import IReactorTime

from aiproxy.config.schema import UpstreamUrls
from aiproxy.credentials.base import Way
from aiproxy.gateway.snapshot import Snapshot, with_accounts
from aiproxy.providers.aistudio import AISTUDIO, account
from aiproxy.transports.base import Transport


class Relay(Protocol):
    """`name` is the account's."""

    @property
    def name(self) -> str: ...

    @property
    def transport(self) -> Transport: ...

    def reconsider(self) -> None:
        """The configuration or the keys have changed: leave if this relay may not be here any more."""


def with_relays(snapshot: Snapshot, relays: Iterable[Relay], clock: IReactorTime) -> Snapshot:
    settings = snapshot.settings
    address = settings.upstreams.get(AISTUDIO.name, UpstreamUrls()).base_url
    found = [
        (account(relay.name, address, settings.websocket.calls), Way(relay.name, relay.transport, "", clock))
        for relay in relays
    ]
    return with_accounts(snapshot, found) if found else snapshot
