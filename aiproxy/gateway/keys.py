"""From the client keys of a configuration to the clients that hold them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import NamedTuple

import orjson

from aiproxy.catalogue import known_provider
from aiproxy.catalogue.globs import matches
from aiproxy.clients import Client, moment
from aiproxy.clients.limits import MICRO, Counts, Limit, Limited, Window
from aiproxy.config.managed import key_settings
from aiproxy.config.schema import Budget, ClientKey, CommonLimits, KeyLimits, Settings
from aiproxy.secrets import Secret
from aiproxy.storage.state.rows import ClientKeyRow


def clients_of(settings: Settings, providers: Collection[str]) -> Iterator[tuple[Secret, Client]]:
    """`providers` are the names of those that are configured."""
    for number, key in enumerate(settings.api_keys, 1):
        yield key.key, _client(number, key, providers, settings.tag_limits)


class ManagedKey(NamedTuple):
    """A key that no configuration has. `id` is the holder's; `until` is seconds since the epoch, None for never."""

    digest: bytes
    id: str
    key: ClientKey
    until: float | None


def managed_key(row: ClientKeyRow) -> ManagedKey:
    """As the state keeps it. Raises `ConfigurationInvalid` and `ValueError` for settings that mean nothing to this version."""
    settings = key_settings(row.name, orjson.loads(row.settings))
    return ManagedKey(bytes.fromhex(row.digest), row.id, settings, row.until)


def managed_clients(
    keys: Sequence[ManagedKey], settings: Settings, providers: Collection[str]
) -> Iterator[tuple[bytes, Client]]:
    for each in keys:
        client = _client(each.id, each.key, providers, settings.tag_limits, tenant=f"managed {each.id}")
        ends = [at for at in (each.until, client.expires) if at is not None]
        yield each.digest, replace(client, expires=min(ends, default=None))


def _client(
    number: int | str,
    key: ClientKey,
    providers: Collection[str],
    tag_limits: Mapping[str, CommonLimits],
    tenant: str = "",
) -> Client:
    models, accounts = key.models or ("*",), key.accounts or ("*",)
    named = {known_provider(name, providers) for name in key.providers}

    def may_reach(account: str, provider: str, prefix: str) -> bool:
        return (
            (not key.providers or provider in named)
            and (not key.prefixes or prefix in key.prefixes)
            and matches(account, accounts)
        )

    if not tenant:
        tenant = f"name {key.name}" if key.name else f"key {sha256(key.key.reveal().encode()).hexdigest()}"
    limited = [_limited(tenant, "This key", key.limits, key.budget), *_of_models(tenant, "This key", key.model_limits)]
    limited += [
        _limited(f"tag {tag}", f"All keys tagged {tag!r}", found, found.budget)
        for tag in key.tags
        if (found := tag_limits.get(tag))
    ]
    return Client(
        name=key.name or f"key-{number}",
        tenant=tenant,
        limits=tuple(each for each in limited if each.limits),
        may_use=lambda model: matches(model, models),
        may_reach=may_reach,
        priority=key.priority,
        expires=moment(key.expires) if key.expires else None,
        disabled=key.disabled,
        tags=key.tags,
        strict=None if key.translation is None else key.translation == "strict",
        told=key.answer_headers,
        logged=key.prompt_log,
    )


def common_limits(settings: Settings) -> Sequence[Limited]:
    """Of models, for all clients together."""
    found = _of_models("all", "All clients", settings.model_limits)
    return tuple(each for each in found if each.limits)


def _of_models(holder: str, words: str, limits: Mapping[str, CommonLimits]) -> Iterator[Limited]:
    for glob, found in limits.items():
        yield _limited(f"{holder} model {glob}", f"{words}, of the models {glob!r},", found, found.budget, (glob,))


_LIMITS = (
    ("requests_per_minute", Counts.REQUESTS, Window.MINUTE),
    ("tokens_per_minute", Counts.TOKENS, Window.MINUTE),
    ("concurrent", Counts.CALLS, Window.NOW),
    ("requests_per_day", Counts.REQUESTS, Window.DAY),
)


def _limited(holder: str, words: str, limits: KeyLimits, budget: Budget, models: tuple[str, ...] = ()) -> Limited:
    found = [Limit(name.replace("_", "-"), getattr(limits, name), counts, window) for name, counts, window in _LIMITS]
    found += [
        Limit("tokens-per-month", budget.tokens_per_month, Counts.TOKENS, Window.MONTH),
        Limit("usd-per-month", round(budget.usd_per_month * MICRO), Counts.MICRO_USD, Window.MONTH),
    ]
    return Limited(holder, words, tuple(limit for limit in found if limit.most), limits.shadow, models)
