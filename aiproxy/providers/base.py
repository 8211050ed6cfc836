"""What a provider declares, and what an attempt needs of one of its accounts."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from twisted.internet.interfaces import IReactorTime

from aiproxy.catalogue import Alias, Names, Offer, named
from aiproxy.codecs.codec import Codec
from aiproxy.codecs.json_bytes import dump
from aiproxy.codecs.splice import read_object
from aiproxy.codecs.wire import Wire
from aiproxy.config.schema import ErrorAction, KeyEntry, ModelEntry, RequestScopedError, Settings
from aiproxy.credentials.api_key import ApiKey
from aiproxy.credentials.base import Credential
from aiproxy.neutral.carried import Json
from aiproxy.pools.verdict import FaultRule
from aiproxy.providers.faults import COMMON
from aiproxy.secrets import Secret
from aiproxy.transports.base import Transport

ANY_NAME = ("*",)
"""The globs of an account without a list of models: every name is passed on."""


class Operation(StrEnum):
    """What a client can ask for, whatever the protocol."""

    CHAT = "chat"
    COMPLETIONS = "completions"
    EMBEDDINGS = "embeddings"
    EMBEDDING = "embedding"
    """Of one text, where a protocol has an endpoint of its own for it."""
    COUNT_TOKENS = "count_tokens"
    COMPACT = "compact"
    MODELS = "models"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an upstream does one operation, in which wire format.

    `path` is appended to the account's base URL, `stream_path` instead of it for streams where they have one of their
    own; `{model}` stands for the upstream's name. `codec` is what translates for it; None where nothing is translated.
    `repairs` are what this upstream wants said differently from others of its wire format, in every body.
    `repeats_model`: bodies say the model's name deep inside, so that one with an alias is written anew."""

    operation: Operation
    path: str
    wire: Wire
    codec: Codec | None = None
    stream_path: str = ""
    repairs: "tuple[Repair, ...]" = ()
    repeats_model: bool = False

    @property
    def names_model_in_path(self) -> bool:
        return "{model}" in self.path

    def url(self, base_url: str, model: str, *, stream: bool) -> str:
        path = self.stream_path if stream and self.stream_path else self.path
        return base_url + path.replace("{model}", quote(model, safe="/"))

    def repaired(self, body: bytes) -> bytes:
        """Byte for byte what it was where nothing ails it."""
        if not self.repairs:
            return body
        found = read_object(body)
        changed = [repair(found) for repair in self.repairs]
        return dump(found) if any(changed) else body


Repair = Callable[[dict[str, Json]], bool]
"""Changes a request's body in place, and says whether it did."""


def speaking(
    codec: Codec, operation: Operation, path: str, stream_path: str = "", repairs: tuple[Repair, ...] = ()
) -> Endpoint:
    """An endpoint that any client protocol can be translated to."""
    return Endpoint(operation, path, codec.wire, codec, stream_path, repairs)


@dataclass(frozen=True, slots=True)
class Provider:
    """An upstream, as data. `upstreams` finds its accounts in a configuration; `in_process` makes the transport of one
    that isn't reached over the network. `vendor` is whose models it serves, where that is one vendor's ("" otherwise).
    `abilities` are what all its models can or can't, as fields of `Capabilities`. `models` are what it is known to
    have, where it can't be asked. `headers` go with every request unless the client says them; `passed_on` are the
    client's headers that mean something to this upstream, `passed_families` what the names of others begin with.
    `faults` are its failures that blame somebody else than their kind says, the first row that fits; `previews` the names
    under which it offers the same model before its release, with a quota of its own."""

    name: str
    base_url: str
    endpoints: tuple[Endpoint, ...]
    upstreams: "Callable[[Settings], Iterable[Upstream]]"
    vendor: str = ""
    abilities: Mapping[str, Any] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    passed_on: tuple[str, ...] = ()
    passed_families: tuple[str, ...] = ()
    faults: tuple[FaultRule, ...] = COMMON
    previews: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    key_header: str = "authorization"
    key_scheme: str = "Bearer "
    in_process: Callable[[IReactorTime, Settings], Transport] | None = None

    def sign_with(self, key: Secret) -> ApiKey:
        return ApiKey(key, self.key_header, self.key_scheme)

    def endpoint(self, operation: Operation, protocol: str) -> Endpoint | None:
        """The endpoint that speaks the client's protocol, which relays, else the first that can be translated to."""
        offered = [endpoint for endpoint in self.endpoints if endpoint.operation is operation]
        for endpoint in offered:
            if endpoint.wire.name == protocol:
                return endpoint
        return next((endpoint for endpoint in offered if endpoint.codec is not None), None)


@dataclass(frozen=True, slots=True)
class Upstream:
    """One account at a provider, as the configuration describes it. `proxy_url` "" means the global one."""

    id: str
    provider: Provider
    credential: Credential
    base_url: str
    models: Names = field(default_factory=dict)
    accepts: tuple[str, ...] = ANY_NAME
    proxy_url: str = ""
    prefix: str = ""
    priority: int = 100
    excluded_models: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    cools: bool | None = None
    weight: int = 1
    concurrency: int = 0
    rules: tuple[FaultRule, ...] = ()
    """The operator's own words on failures."""
    check_model: str = ""
    login: str = ""
    """The login whose projects this account is one of, where there are several."""

    @property
    def offer(self) -> Offer:
        return Offer(self.id, self.provider.name, self.models, self.accepts, self.prefix, self.excluded_models)


def models_of(entries: Sequence[ModelEntry]) -> tuple[Names, tuple[str, ...]]:
    """An entry's list of models → the names clients use, and whether others are passed on."""
    return named(aliases_of(entries)), () if entries else ANY_NAME


def aliases_of(entries: Sequence[ModelEntry]) -> Sequence[Alias]:
    return [Alias(entry.name, entry.alias, entry.fork, entry.force_mapping) for entry in entries]


def rules_of(entries: Sequence[RequestScopedError]) -> tuple[FaultRule, ...]:
    """The operator's rules as rows of a fault table."""
    return tuple(
        FaultRule(
            statuses=frozenset((entry.status,)) if entry.status else frozenset(),
            words=tuple(word.lower() for word in entry.match),
            patterns=tuple(re.compile(pattern) for pattern in entry.match_regexr),
            stops=entry.action in (ErrorAction.STOP, ErrorAction.STOP_AND_COOLDOWN),
            cools=entry.action in (ErrorAction.STOP_AND_COOLDOWN, ErrorAction.CONTINUE_AND_COOLDOWN),
        )
        for entry in entries
    )


def from_key_entries(provider: Provider, entries: Sequence[KeyEntry]) -> Iterable[Upstream]:
    """The accounts of a provider whose configuration section is a list of keys."""
    for number, entry in enumerate(entries, 1):
        models, accepts = models_of(entry.models)
        yield Upstream(
            id=entry.name or f"{provider.name}-{number}",
            provider=provider,
            credential=provider.sign_with(entry.api_key),
            base_url=(entry.base_url or provider.base_url).rstrip("/"),
            models=models,
            accepts=accepts,
            proxy_url=entry.proxy_url,
            prefix=entry.prefix,
            priority=entry.priority,
            excluded_models=entry.excluded_models,
            headers=entry.headers,
            cools=None if entry.disable_cooling is None else not entry.disable_cooling,
            weight=entry.weight,
            concurrency=entry.concurrency,
            rules=rules_of(entry.request_scoped_errors),
            check_model=entry.check_model,
        )


NO_KEY = ApiKey(Secret(""))
