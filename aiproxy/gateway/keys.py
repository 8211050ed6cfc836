"""From the client keys of a configuration to the clients that hold them."""

from collections.abc import Collection, Iterator, Mapping
from hashlib import sha256

from aiproxy.catalogue import known_provider
from aiproxy.catalogue.globs import matches
from aiproxy.clients import Client, moment
from aiproxy.clients.limits import Counts, Limit, Limited, Window
from aiproxy.config.schema import ClientKey, KeyLimits, Settings
from aiproxy.secrets import Secret


def clients_of(settings: Settings, providers: Collection[str]) -> Iterator[tuple[Secret, Client]]:
    """`providers` are the names of those that are configured."""
    for number, key in enumerate(settings.api_keys, 1):
        yield key.key, _client(number, key, providers, settings.tag_limits)


def _client(number: int, key: ClientKey, providers: Collection[str], tag_limits: Mapping[str, KeyLimits]) -> Client:
    models, accounts = key.models or ("*",), key.accounts or ("*",)
    named = {known_provider(name, providers) for name in key.providers}

    def may_reach(account: str, provider: str, prefix: str) -> bool:
        return (
            (not key.providers or provider in named)
            and (not key.prefixes or prefix in key.prefixes)
            and matches(account, accounts)
        )

    tenant = f"name {key.name}" if key.name else f"key {sha256(key.key.reveal().encode()).hexdigest()}"
    limited = [_limited(tenant, "This key", key.limits)]
    limited += [
        _limited(f"tag {tag}", f"All keys tagged {tag!r}", tag_limits[tag]) for tag in key.tags if tag in tag_limits
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
    )


_LIMITS = (
    ("requests_per_minute", Counts.REQUESTS, Window.MINUTE),
    ("tokens_per_minute", Counts.TOKENS, Window.MINUTE),
    ("concurrent", Counts.CALLS, Window.NOW),
    ("requests_per_day", Counts.REQUESTS, Window.DAY),
    ("tokens_per_month", Counts.TOKENS, Window.MONTH),
)


def _limited(holder: str, words: str, limits: KeyLimits) -> Limited:
    found = (Limit(name.replace("_", "-"), getattr(limits, name), counts, window) for name, counts, window in _LIMITS)
    return Limited(holder, words, tuple(limit for limit in found if limit.most), limits.shadow)
