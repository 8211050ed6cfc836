"""From the client keys of a configuration to the clients that hold them."""

from collections.abc import Collection, Iterator
from hashlib import sha256

from aiproxy.catalogue import known_provider
from aiproxy.catalogue.globs import matches
from aiproxy.clients import Client, moment
from aiproxy.config.schema import ClientKey, Settings
from aiproxy.secrets import Secret


def clients_of(settings: Settings, providers: Collection[str]) -> Iterator[tuple[Secret, Client]]:
    """`providers` are the names of those that are configured."""
    for number, key in enumerate(settings.api_keys, 1):
        yield key.key, _client(number, key, providers)


def _client(number: int, key: ClientKey, providers: Collection[str]) -> Client:
    models, accounts = key.models or ("*",), key.accounts or ("*",)
    named = {known_provider(name, providers) for name in key.providers}

    def may_reach(account: str, provider: str, prefix: str) -> bool:
        return (
            (not key.providers or provider in named)
            and (not key.prefixes or prefix in key.prefixes)
            and matches(account, accounts)
        )

    return Client(
        name=key.name or f"key-{number}",
        tenant=f"name {key.name}" if key.name else f"key {sha256(key.key.reveal().encode()).hexdigest()}",
        may_use=lambda model: matches(model, models),
        may_reach=may_reach,
        priority=key.priority,
        expires=moment(key.expires) if key.expires else None,
        disabled=key.disabled,
        tags=key.tags,
        strict=None if key.translation is None else key.translation == "strict",
        told=key.answer_headers,
    )
