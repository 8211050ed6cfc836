"""Any endpoint that speaks OpenAI's API under its own address: a provider for each entry of `openai-compatibility`."""

from collections.abc import Iterable
from dataclasses import replace

from aiproxy.config.schema import ApiKeyEntry, CompatibilityEntry, Settings
from aiproxy.providers.base import Provider, Upstream, models_of, rules_of
from aiproxy.providers.openai import CHAT, PASSED_FAMILIES

ABILITIES = {"developer_role": False, "freeform_tools": False}
"""What only OpenAI itself is known to take."""


def _upstreams(settings: Settings) -> Iterable[Upstream]:
    for entry in settings.openai_compatibility:
        if not entry.disabled:
            yield from _accounts(entry)


def _accounts(entry: CompatibilityEntry) -> Iterable[Upstream]:
    provider = replace(OPENAI_COMPATIBLE, name=entry.name, base_url=entry.base_url)
    models, accepts = models_of(entry.models)
    for number, key in enumerate(entry.api_key_entries or (ApiKeyEntry(),), 1):
        yield Upstream(
            id=f"{entry.name}-{number}",
            provider=provider,
            credential=provider.sign_with(key.api_key),
            base_url=entry.base_url.rstrip("/"),
            models=models,
            accepts=accepts,
            proxy_url=key.proxy_url or entry.proxy_url,
            prefix=entry.prefix,
            priority=entry.priority,
            excluded_models=entry.excluded_models,
            headers=entry.headers,
            cools=None if entry.disable_cooling is None else not entry.disable_cooling,
            weight=entry.weight if key.weight is None else key.weight,
            concurrency=entry.concurrency,
            rules=rules_of(entry.request_scoped_errors),
            check_model=entry.check_model,
        )


OPENAI_COMPATIBLE = Provider(
    name="openai-compatibility",
    base_url="",
    endpoints=CHAT,
    upstreams=_upstreams,
    abilities=ABILITIES,
    passed_families=PASSED_FAMILIES,
)
