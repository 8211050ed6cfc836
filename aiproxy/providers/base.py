"""What a provider declares, and what an attempt needs of one of its accounts."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from twisted.internet.interfaces import IReactorTime

from aiproxy.catalogue import Alias, Names, Offer, named
from aiproxy.catalogue.globs import matches
from aiproxy.codecs.codec import Codec
from aiproxy.codecs.json_bytes import dump
from aiproxy.codecs.report import Report
from aiproxy.codecs.splice import read_object
from aiproxy.codecs.wire import Wire
from aiproxy.config.schema import ErrorAction, KeyEntry, ModelEntry, RequestScopedError, ResponsesEntry, Settings
from aiproxy.credentials.api_key import ApiKey
from aiproxy.credentials.base import Credential
from aiproxy.neutral.carried import Json
from aiproxy.pools.quota import Window
from aiproxy.pools.verdict import FaultRule
from aiproxy.providers.faults import COMMON
from aiproxy.providers.model_list import ModelList
from aiproxy.providers.quota_question import QuotaQuestion
from aiproxy.secrets import Secret
from aiproxy.transports.base import Transport

NO_MEMBERS: Mapping[str, Json] = {}

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
    `keeps_answers` False: it knows no answer by its id, although its wire format says so.
    `repairs` are what this upstream wants said differently from others of its wire format, in every body; `leaves_out` names the
    fields of a body (dotted) that it answers with an error: they are dropped, and the client is told. `tells` are the
    headers that a body asks for. `repeats_model`: bodies say the model's name deep inside, so that one with an alias is
    written anew. `models` are globs of those that answer here and nowhere else. `socket`: it answers on a WebSocket, too."""

    operation: Operation
    path: str
    wire: Wire
    codec: Codec | None = None
    stream_path: str = ""
    repairs: "tuple[Repair, ...]" = ()
    leaves_out: "Callable[[Mapping[str, Json]], Iterable[str]] | None" = None
    tells: "Callable[[Mapping[str, Json]], Mapping[str, str]] | None" = None
    repeats_model: bool = False
    keeps_answers: bool = True
    socket: bool = False
    models: tuple[str, ...] = ANY_NAME

    @property
    def names_model_in_path(self) -> bool:
        return "{model}" in self.path

    def url(self, base_url: str, model: str, *, stream: bool) -> str:
        path = self.stream_path if stream and self.stream_path else self.path
        return base_url + path.replace("{model}", quote(model, safe="/"))

    def repaired(self, body: bytes, report: Report, members: Mapping[str, Json] = NO_MEMBERS) -> bytes:
        """Byte for byte what it was where nothing ails it. `members` are what the account says besides.

        Raises `Unsupported` for a field that is left out where the report is strict."""
        if not (self.repairs or self.leaves_out or members):
            return body
        found = read_object(body)
        changed = [repair(found) for repair in self.repairs]
        for name in () if self.leaves_out is None else tuple(self.leaves_out(found)):
            report.drop(name.removeprefix(f"{self.wire.request_member}."))
            changed.append(without(found, name))
        return dump({**found, **members}) if any(changed) or members else body

    def headers(self, body: bytes) -> Mapping[str, str]:
        """What the body asks for beside it."""
        return {} if self.tells is None else self.tells(read_object(body))


Repair = Callable[[dict[str, Json]], bool]
"""Changes a request's body in place, and says whether it did."""


def without(body: dict[str, Json], name: str) -> bool:
    """Takes a dotted name out of a body; whether it was there."""
    *outer, last = name.split(".")
    for key in outer:
        inner = body.get(key)
        if not isinstance(inner, dict):
            return False
        body = inner
    return body.pop(last, None) is not None


def speaking(
    codec: Codec, operation: Operation, path: str, stream_path: str = "", repairs: tuple[Repair, ...] = ()
) -> Endpoint:
    """An endpoint that any client protocol can be translated to."""
    return Endpoint(operation, path, codec.wire, codec, stream_path, repairs)


def nobody(_settings: Settings) -> "Iterable[Upstream]":
    """Of a provider whose accounts are all logins."""
    return ()


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A login as its credential file tells it: `name` is what its account shall be called, `record` the file, `credential`
    what signs for it. `base_url` is where the operator wants its calls to go, "" for the provider's own address; `quota_url`
    the same of questions for its quota; `pays` lets it spend credits that cost money."""

    name: str
    record: Mapping[str, Json]
    credential: Credential
    base_url: str = ""
    quota_url: str = ""
    pays: bool = False


@dataclass(frozen=True, slots=True)
class Provider:
    """An upstream, as data. `upstreams` finds its accounts in a configuration, `accounts` those of a login; `in_process` makes the transport of one that isn't reached over the network. `vendor` is whose models it serves, where that is one vendor's ("" otherwise).
    `abilities` are what all its models can or can't, as fields of `Capabilities`. `models` are what it is known to
    have, where it can't be asked. `headers` go with every request unless the client says them, and the values of `added`
    beside whatever the client says in the same lists; `passed_on` are the client's headers that mean something to this upstream, `passed_families` what the names of others begin with.
    `faults` are its failures that blame somebody else than their kind says, the first row that fits; `windows` reads quotas off an
    answer's headers, at a time since the epoch; `stale` the statuses by which it says
    that a token is no good any more; `binds_state` globs of the models whose signed thinking only the account that made it
    can give back. `elsewhere` is what it says of a model that another of its endpoints serves, in lower case. `spares` are
    further addresses of the same back end, where the same account asks at once if the first can't be reached, or limits it."""

    name: str
    base_url: str
    endpoints: tuple[Endpoint, ...]
    upstreams: "Callable[[Settings], Iterable[Upstream]]" = nobody
    accounts: "Callable[[LoggedIn], Iterable[Upstream]] | None" = None
    vendor: str = ""
    abilities: Mapping[str, Any] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    added: Mapping[str, str] = field(default_factory=dict)
    passed_on: tuple[str, ...] = ()
    passed_families: tuple[str, ...] = ()
    faults: tuple[FaultRule, ...] = COMMON
    windows: Callable[[Mapping[str, str], float], Iterable[Window]] | None = None
    stale: frozenset[int] = frozenset((401,))
    binds_state: tuple[str, ...] = ()
    key_header: str = "authorization"
    key_scheme: str = "Bearer "
    in_process: Callable[[IReactorTime, Settings], Transport] | None = None
    elsewhere: str = ""
    spares: tuple[str, ...] = ()

    def sign_with(self, key: Secret) -> ApiKey:
        return ApiKey(key, self.key_header, self.key_scheme)

    def endpoint(self, operation: Operation, protocol: str, model: str) -> Endpoint | None:
        """The endpoint for a model that speaks the client's protocol, which relays, else the first that can be translated to."""
        offered = [each for each in self.endpoints if each.operation is operation and matches(model, each.models)]
        offered = [each for each in offered if each.models != ANY_NAME] or offered
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
    per_minute: int = 0
    rules: tuple[FaultRule, ...] = ()
    """The operator's own words on failures."""
    check_model: str = ""
    login: str = ""
    """The login whose projects this account is one of, where there are several."""
    members: Mapping[str, Json] = field(default_factory=dict)
    """What its requests to generate say at the top of their bodies: a project, a profile."""
    socket: bool = False
    """Whether calls of clients on a WebSocket go to it on one, where its endpoint has one."""
    apart: bool = False
    """It is reached by a way of its own: that others of its address can't be reached says nothing of it."""
    quota: QuotaQuestion | None = None
    """How its provider is asked what is left, where it can be."""
    lists: ModelList | None = None
    """How its provider is asked for its models, where no endpoint does it in a protocol."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """The one of its calls, and the provider's spares of it unless it is another than the provider's."""
        return (self.base_url, *(self.provider.spares if self.base_url == self.provider.base_url else ()))

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
            socket=isinstance(entry, ResponsesEntry) and entry.websockets,
        )


NO_KEY = ApiKey(Secret(""))
