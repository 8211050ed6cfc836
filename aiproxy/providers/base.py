"""What a provider declares, and what an attempt needs of one of its accounts."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from twisted.internet.interfaces import IReactorTime

from aiproxy.catalogue import Offer
from aiproxy.codecs.wire import Wire
from aiproxy.config.schema import KeyEntry, ModelEntry, Settings
from aiproxy.credentials.api_key import BearerKey
from aiproxy.secrets import Secret
from aiproxy.transports.base import Transport

ANY_NAME = ("*",)
"""The globs of an account without a list of models: every name is passed on."""


class Operation(StrEnum):
    """What a client can ask for, whatever the protocol."""

    CHAT = "chat"
    COMPLETIONS = "completions"
    EMBEDDINGS = "embeddings"
    MODELS = "models"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an upstream does one operation, in which wire format. `path` is appended to the account's base URL."""

    wire: Wire
    operation: Operation
    path: str


@dataclass(frozen=True, slots=True)
class Provider:
    """An upstream, as data. `upstreams` finds its accounts in a configuration; `in_process` makes the transport of one
    that isn't reached over the network."""

    name: str
    base_url: str
    endpoints: tuple[Endpoint, ...]
    upstreams: "Callable[[Settings], Iterable[Upstream]]"
    in_process: Callable[[IReactorTime, Settings], Transport] | None = None

    def endpoint(self, operation: Operation, protocol: str) -> Endpoint | None:
        """The endpoint that speaks the client's protocol, which relays; None where there is none."""
        for endpoint in self.endpoints:
            if endpoint.operation is operation and endpoint.wire.name == protocol:
                return endpoint
        return None


@dataclass(frozen=True, slots=True)
class Upstream:
    """One account at a provider, as the configuration describes it. `proxy_url` "" means the global one."""

    id: str
    provider: Provider
    credential: BearerKey
    base_url: str
    models: Mapping[str, str] = field(default_factory=dict)
    accepts: tuple[str, ...] = ANY_NAME
    proxy_url: str = ""
    prefix: str = ""
    priority: int = 100
    excluded_models: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    cools: bool | None = None

    @property
    def offer(self) -> Offer:
        return Offer(self.id, self.provider.name, self.models, self.accepts, self.prefix, self.excluded_models)


def models_of(entries: Sequence[ModelEntry]) -> tuple[Mapping[str, str], tuple[str, ...]]:
    """An entry's list of models → the names clients use, and whether others are passed on."""
    return {entry.alias or entry.name: entry.name for entry in entries}, () if entries else ANY_NAME


def from_key_entries(provider: Provider, entries: Sequence[KeyEntry]) -> Iterable[Upstream]:
    """The accounts of a provider whose configuration section is a list of keys."""
    for number, entry in enumerate(entries, 1):
        models, accepts = models_of(entry.models)
        yield Upstream(
            id=entry.name or f"{provider.name}-{number}",
            provider=provider,
            credential=BearerKey(entry.api_key),
            base_url=(entry.base_url or provider.base_url).rstrip("/"),
            models=models,
            accepts=accepts,
            proxy_url=entry.proxy_url,
            prefix=entry.prefix,
            priority=entry.priority,
            excluded_models=entry.excluded_models,
            headers=entry.headers,
            cools=None if entry.disable_cooling is None else not entry.disable_cooling,
        )


NO_KEY = BearerKey(Secret(""))
