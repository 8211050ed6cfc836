"""Which providers a configuration has accounts at, and what they list."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from aiproxy.catalogue.providers import WITH_LOGINS
from aiproxy.config.schema import CompatibilityEntry, KeyEntry, ModelEntry, Settings, StoreType


def entries_by_provider(settings: Settings) -> Mapping[str, list[KeyEntry | CompatibilityEntry]]:
    """Every upstream in use, by the lower-case name of its provider."""
    found: dict[str, list[KeyEntry | CompatibilityEntry]] = defaultdict(list)
    for section, entries in settings.key_entries.items():
        if entries:
            found[section.removesuffix("-api-key")] += entries
    for entry in settings.openai_compatibility:
        if not entry.disabled:
            found[entry.name.lower()].append(entry)
    return found


def providers_there(settings: Settings) -> set[str]:
    """Those that accounts of this file are at, or may be by a login."""
    there = {section.removesuffix("-api-key") for section, entries in settings.key_entries.items() if entries}
    there |= {entry.name for entry in settings.openai_compatibility if not entry.disabled}
    there |= {"demo"} if settings.demo_in_effect else set()
    return there | (set(WITH_LOGINS) if may_log_in(settings) else set())


def may_log_in(settings: Settings) -> bool:
    """Whether credentials of logins may be there: a file is, or another store has to be asked."""
    if settings.store.type is not StoreType.FILE:
        return True
    directory = Path(settings.auth_dir_in_effect)
    try:
        return any(file.suffix == ".json" for file in directory.iterdir())
    except OSError:
        return False


def names_of(model: ModelEntry) -> tuple[str, ...]:
    """What clients call it."""
    alias = model.alias or model.name
    return (alias, model.name) if model.fork and alias != model.name else (alias,)


def names_at(settings: Settings, provider: str) -> set[str] | None:
    """What clients may ask a provider for; None when that is not in the file: some account passes any name on, or logs in."""
    entries = entries_by_provider(settings).get(provider.lower(), [])
    if any(not entry.models for entry in entries) or (provider in WITH_LOGINS and may_log_in(settings)):
        return None
    if not entries:
        return None
    return set(_names(settings, provider, entries))


def _names(settings: Settings, provider: str, entries: list[KeyEntry | CompatibilityEntry]) -> Iterator[str]:
    for entry in entries:
        for model in entry.models:
            for name in names_of(model):
                yield name
                if entry.prefix:
                    yield f"{entry.prefix}/{name}"
    for named, aliases in settings.model_alias.items():
        if named.lower() == provider.lower():
            yield from (alias.alias for alias in aliases)
