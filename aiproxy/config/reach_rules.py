"""Rules on which models clients can reach, and by which names: lists, aliases, prefixes, what client keys allow."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aiproxy.catalogue.globs import matches
from aiproxy.config.problems import Finding, Severity
from aiproxy.config.provider_names import entries_by_provider, names_at, names_of
from aiproxy.config.read import Reading
from aiproxy.config.schema import CompatibilityEntry, KeyEntry, Settings


@dataclass(frozen=True, slots=True)
class Entry:
    path: str
    content: KeyEntry | CompatibilityEntry


def reach_problems(
    settings: Settings, entries: Sequence[tuple[str, KeyEntry | CompatibilityEntry]], reading: Reading
) -> Iterator[Finding]:
    """`entries` is every upstream with its path, disabled ones too."""
    found = [Entry(path, content) for path, content in entries]
    for entry in found:
        yield from _lists(entry)
    used = [each for each in found if not (isinstance(each.content, CompatibilityEntry) and each.content.disabled)]
    yield from _shadowed(used)
    yield from _renamed(settings)
    yield from _prefixes(settings, used)
    if not reading.failed("api-keys"):
        yield from _allowed(settings, found)
        yield from _open_keys(settings)


def _warning(code: str, path: str, message: str) -> Finding:
    return Severity.WARNING, code, message, path


def _lists(entry: Entry) -> Iterator[Finding]:
    content, path = entry.content, entry.path
    known: dict[tuple[str, str], int] = {}
    hidden = []
    for index, model in enumerate(content.models):
        alias = model.alias or model.name
        model_path = f"{path}.models[{index}]"
        if alias and (alias, model.name) in known:
            message = f"this is {path}.models[{known[alias, model.name]}] again"
            yield Severity.ERROR, "duplicate-model", message, model_path
        known.setdefault((alias, model.name), index)
        if matches(alias, content.excluded_models) or matches(model.name, content.excluded_models):
            hidden.append(model_path)
    if (content.models and len(hidden) == len(content.models)) or matches("", content.excluded_models):
        yield _warning("all-models-excluded", f"{path}.excluded-models", "this leaves the entry without any model")
    else:
        for model_path in hidden:
            yield _warning("unreachable-model", model_path, "this model is listed, but `excluded-models` hides it")


def _shadowed(entries: Sequence[Entry]) -> Iterator[Finding]:
    """An alias that is some other listed model's own name: who asks for it gets the one or the other."""
    own: dict[str, str] = {}
    prefixes = {entry.content.prefix for entry in entries if entry.content.prefix}
    for entry in entries:
        for index, model in enumerate(entry.content.models):
            if model.name in names_of(model):
                own.setdefault(model.name, f"{entry.path}.models[{index}]")
    for entry in entries:
        for index, model in enumerate(entry.content.models):
            path = f"{entry.path}.models[{index}]"
            if model.alias and model.alias != model.name and own.get(model.alias, path) != path:
                message = f"this alias is the own name of {own[model.alias]}: who asks for it gets one of the two"
                yield _warning("shadowed-alias", f"{path}.alias", message)
            for name in names_of(model):
                prefix, slash, _ = name.partition("/")
                if slash and prefix in prefixes:
                    message = f"a name that begins with `{prefix}/` is looked for at entries of that `prefix` only"
                    yield _warning("hidden-by-prefix", path, message)


def _renamed(settings: Settings) -> Iterator[Finding]:
    """`model-alias`: of models that its provider doesn't list, or in place of what an entry has under that name."""
    by_provider = entries_by_provider(settings)
    for number, (provider, aliases) in enumerate(settings.model_alias.items()):
        there = by_provider.get(provider.lower(), [])
        if names_at(settings, provider.lower()) is None:
            continue  # any name is passed on there
        listed = {name for entry in there for model in entry.models for name in names_of(model)}
        for index, alias in enumerate(aliases):
            path = f"model-alias[{number}][{index}]"
            if alias.name and alias.name not in listed:
                yield _warning("without-effect", path, "no entry of this provider lists a model of this name")
            elif alias.alias and alias.alias != alias.name and alias.alias in listed:
                message = "this provider's entries have a model of that name, which this alias hides"
                yield _warning("shadowed-alias", path, message)


def _prefixes(settings: Settings, entries: Sequence[Entry]) -> Iterator[Finding]:
    prefixes = {entry.content.prefix for entry in entries if entry.content.prefix}
    if settings.force_model_prefix and entries and all(entry.content.prefix for entry in entries):
        message = (
            f"every upstream here has a `prefix`, so no model answers to its plain name, only to `{min(prefixes)}/…`"
        )
        yield _warning("hidden-by-prefix", "force-model-prefix", message)
    for index, client in enumerate(settings.api_keys):
        for number, prefix in enumerate(client.prefixes):
            if prefix not in prefixes:
                path = f"api-keys[{index}].prefixes[{number}]"
                yield _warning("without-effect", path, "no upstream here has this `prefix`")


def _allowed(settings: Settings, entries: Sequence[Entry]) -> Iterator[Finding]:
    """Listed models that no client key allows."""
    if not settings.api_keys or any(not client.models for client in settings.api_keys):
        return
    allowed = tuple({glob for client in settings.api_keys for glob in client.models})
    for entry in entries:
        prefix = entry.content.prefix
        for index, model in enumerate(entry.content.models):
            names = [f"{prefix}/{name}" for name in names_of(model)] if prefix else []
            if not (prefix and settings.force_model_prefix):
                names += names_of(model)
            if not any(matches(name, allowed) for name in names):
                message = "no client key's `models` allow this one"
                yield _warning("unreachable-model", f"{entry.path}.models[{index}]", message)


def _open_keys(settings: Settings) -> Iterator[Finding]:
    """A key without limits on models beside keys that have some: perhaps they were forgotten."""
    if any(client.models for client in settings.api_keys):
        for index, client in enumerate(settings.api_keys):
            if not client.models and client.key:
                message = 'this key may use every model, others here may not; `models: ["*"]` says that it is meant'
                yield _warning("open-key", f"api-keys[{index}]", message)
