"""Rules on who stands in for whom, and on failures the operator has a say in."""

import re
from collections.abc import Iterator, Mapping, Sequence

from aiproxy.catalogue import known_provider
from aiproxy.catalogue.providers import ALSO_CALLED, WITH_LOGINS
from aiproxy.config.problems import Finding, Severity
from aiproxy.config.provider_names import may_log_in, names_at, names_of, providers_there
from aiproxy.config.read import Reading
from aiproxy.config.schema import CompatibilityEntry, KeyEntry, RequestScopedError, Settings

Chains = Mapping[str, Sequence[str]]


def fallback_problems(settings: Settings, reading: Reading) -> Iterator[Finding]:
    yield from _providers(settings)
    yield from _models(settings)
    for path, rules in _rule_lists(settings):
        yield from _patterns(path, rules, reading)


def _providers(settings: Settings) -> Iterator[Finding]:
    there = providers_there(settings)
    sections = {section.removesuffix("-api-key") for section in settings.key_entries}
    known = there | sections | set(ALSO_CALLED.values()) | set(WITH_LOGINS) | {"demo"}
    key = "provider-fallback-chain"
    chain = settings.provider_fallback_chain
    named = [(f"{key}[{number}]", name) for number, name in enumerate(chain)]
    named += [
        (f"{key}[{number}][{index}]", name)
        for number, targets in enumerate(chain.values())
        for index, name in enumerate(targets)
    ]
    named += [(f"health-check.providers[{index}]", name) for index, name in enumerate(settings.health_check.providers)]
    listed = f"there are: {', '.join(sorted(there))}"
    for path, name in named:
        if not known_provider(name, known):
            yield Severity.ERROR, "unknown-fallback", f"there is no provider of this name; {listed}", path
        elif not known_provider(name, there):
            yield Severity.WARNING, "unknown-provider", f"no upstream here is at this provider; {listed}", path
    meant = {known_provider(name, known): [known_provider(t, known) for t in then] for name, then in chain.items()}
    yield from _loops(key, meant)
    yield from _idle(settings, meant)


def _idle(settings: Settings, meant: Chains) -> Iterator[Finding]:
    """Of two providers that list their models, one without any of the other's can't stand in for it."""
    for number, (provider, targets) in enumerate(meant.items()):
        wanted = names_at(settings, provider)
        for index, target in enumerate(targets):
            offered = names_at(settings, target)
            if target != provider and wanted is not None and offered is not None and not wanted & offered:
                path = f"provider-fallback-chain[{number}][{index}]"
                message = f"{target} lists no model under a name that {provider} lists, so it never stands in"
                yield Severity.WARNING, "idle-fallback", message, path


def _models(settings: Settings) -> Iterator[Finding]:
    """A model that nobody lists is nobody's only where nobody passes any name on."""
    entries: list[KeyEntry | CompatibilityEntry] = [e for section in settings.key_entries.values() for e in section]
    entries += (entry for entry in settings.openai_compatibility if not entry.disabled)
    listed = {
        name for aliases in settings.model_alias.values() for model in aliases for name in (model.alias, model.name)
    }
    for entry in entries:
        for model in entry.models:
            names = names_of(model)
            listed |= {*names, *(f"{entry.prefix}/{name}" for name in names if entry.prefix)}
    any_name = any(not entry.models for entry in entries) or settings.demo_in_effect or may_log_in(settings)
    for number, (wanted, targets) in enumerate(settings.model_fallback.items()):
        if not any_name and wanted not in listed:
            message = "nobody here offers a model of this name, so nothing ever stands in for it"
            yield Severity.WARNING, "idle-fallback", message, f"model-fallback[{number}]"
        for index, name in enumerate(targets):
            if not any_name and name not in listed:
                path = f"model-fallback[{number}][{index}]"
                yield Severity.ERROR, "unknown-fallback", "nobody here offers a model of this name", path
    yield from _loops("model-fallback", settings.model_fallback)


def _loops(key: str, chains: Chains) -> Iterator[Finding]:
    for number, start in enumerate(chains):
        met: set[str] = set()
        waiting = list(chains[start])
        while waiting:
            name = waiting.pop()
            if name == start:
                yield (
                    Severity.ERROR,
                    "fallback-loop",
                    "what stands in here leads back to what it stands in for",
                    f"{key}[{number}]",
                )
                break
            if name not in met:
                met.add(name)
                waiting += chains.get(name, ())


def _rule_lists(settings: Settings) -> Iterator[tuple[str, Sequence[RequestScopedError]]]:
    yield "request-scoped-errors", settings.request_scoped_errors
    for number, rules in enumerate(settings.oauth_request_scoped_errors.values()):
        yield f"oauth-request-scoped-errors[{number}]", rules
    for section, entries in settings.key_entries.items():
        for index, entry in enumerate(entries):
            yield f"{section}[{index}].request-scoped-errors", entry.request_scoped_errors
    for index, compatible in enumerate(settings.openai_compatibility):
        yield f"openai-compatibility[{index}].request-scoped-errors", compatible.request_scoped_errors


def _patterns(path: str, rules: Sequence[RequestScopedError], reading: Reading) -> Iterator[Finding]:
    for number, rule in enumerate(rules):
        for index, pattern in enumerate(rule.match_regexr):
            try:
                re.compile(pattern)
            except re.error as error:
                where = f"{path}[{number}].match-regexr[{index}]"
                yield Severity.ERROR, "bad-pattern", f"this is not a regular expression: {error.msg}", where
        if not (rule.status or rule.match or rule.match_regexr or reading.failed(f"{path}[{number}]")):
            message = "this rule fits every failure; give it a status or words"
            yield Severity.WARNING, "rule-for-everything", message, f"{path}[{number}]"
