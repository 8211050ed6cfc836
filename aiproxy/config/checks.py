"""Rules that span keys, each with its code. They judge what could be read; what could not has its own problem already.

A rule that speaks of something absent asks `Reading.failed` first: what is there but unreadable is not absent.
"""

import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import fields
from importlib.util import find_spec
from ipaddress import ip_network
from pathlib import Path

from aiproxy.catalogue import known_provider
from aiproxy.catalogue.providers import KEYLESS
from aiproxy.config.certificates import certificate_problems
from aiproxy.config.client_rules import client_problems, key_problems
from aiproxy.config.fallback_rules import fallback_problems
from aiproxy.config.file_rules import file_problems
from aiproxy.config.listening_rules import listening_problems
from aiproxy.config.management_rules import management_problems
from aiproxy.config.payload import payload_problems
from aiproxy.config.problems import Finding, Problem, Severity, problem_at
from aiproxy.config.prompt import prompt_problems
from aiproxy.config.provider_names import providers_there
from aiproxy.config.reach_rules import reach_problems
from aiproxy.config.read import Reading
from aiproxy.config.schema import CompatibilityEntry, KeyEntry, Settings, is_memory, is_state_file
from aiproxy.config.store_rules import store_problems
from aiproxy.config.tracing_rules import tracing_problems
from aiproxy.config.urls import DIRECT, base_url_fault, has_version, is_private, proxy_fault
from aiproxy.config.vertex import vertex_problems
from aiproxy.secrets import Secret

VERSIONED = ("openai-api-key", "openai-compatibility", "codex-api-key", "xai-api-key")
"""Sections whose addresses end in a version; at other vendors the version is part of each endpoint's path."""


def check(settings: Settings, reading: Reading, file: Path | None) -> list[Problem]:
    """Every rule over one reading; `file` is where the settings were read from, if anywhere."""
    rules = (
        listening_problems(settings, reading),
        certificate_problems(settings.tls),
        _state(settings),
        file_problems(settings.logging, settings.state),
        tracing_problems(settings.tracing),
        client_problems(settings),
        _media_fetch(settings),
        _logins(settings),
        _entries(settings),
        vertex_problems(settings, reading),
        _names(settings),
        _providers(settings),
        fallback_problems(settings, reading),
        payload_problems(settings.payload),
        prompt_problems(settings.system_prompt),
        management_problems(settings.remote_management),
        reach_problems(settings, list(upstreams(settings)), reading),
        _readable(reading, file),
        store_problems(settings.store, reading),
    )
    return [
        problem_at(reading.place(path), severity, code, message, path=path)
        for rule in rules
        for severity, code, message, path in rule
    ]


def _error(code: str, path: str, message: str) -> Finding:
    return Severity.ERROR, code, message, path


def _warning(code: str, path: str, message: str) -> Finding:
    return Severity.WARNING, code, message, path


def _state(settings: Settings) -> Iterator[Finding]:
    state = settings.state
    if state and not is_state_file(state) and not is_memory(state):
        if not state.startswith(("postgresql://", "postgres://")):
            yield _error("bad-state", "state", "wants a file's name, `memory`, or a `postgresql://` URL")
        elif find_spec("psycopg") is None:
            yield _error("bad-state", "state", "PostgreSQL needs an extra: `pip install 'aiproxy[postgres]'`")


_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OURS = frozenset(
    {"host", "content-length", "content-type", "transfer-encoding", "connection", "upgrade", "te", "trailer"}
)
"""Headers that the transport sets; another value would break the request."""


def _logins(settings: Settings) -> Iterator[Finding]:
    """Tokens go to these addresses: nobody else may listen."""
    for number, (provider, urls) in enumerate(settings.upstreams.items()):
        for each in fields(urls):
            url = getattr(urls, each.name).replace("{region}", "region")
            if url and not is_private(url):
                name = each.name.replace("_", "-")
                message = f"the `{name}` of {provider} must be an https address (plain http on this machine only)"
                yield _error("bad-base-url", f"upstreams[{number}].{name}", message)


def _media_fetch(settings: Settings) -> Iterator[Finding]:
    for index, text in enumerate(settings.media_fetch.allow):
        try:
            ip_network(text)
        except ValueError as error:
            yield _error(
                "bad-network",
                f"media-fetch.allow[{index}]",
                f"`{text}` is no network: it {str(error).partition(' ')[2]}",
            )


def _entries(settings: Settings) -> Iterator[Finding]:
    if settings.proxy_url and settings.proxy_url != DIRECT:
        yield from _fault("bad-proxy-url", "proxy-url", proxy_fault(settings.proxy_url))
    accounts: dict[tuple[str, str], str] = {}
    for path, entry in upstreams(settings):
        yield from _addresses(entry, path)
        for key_path, key in _keys(entry, path):
            if not key:
                continue
            yield from key_problems(key, key_path)
            account = (entry.base_url.rstrip("/"), key.reveal())
            if account in accounts:
                yield _warning("duplicate-account", key_path, f"this is the account of {accounts[account]} again")
            accounts.setdefault(account, key_path)
        for number, (name, value) in enumerate(entry.headers.items()):
            bad = not _TOKEN.fullmatch(name) or name.lower() in _OURS
            if bad or not re.fullmatch(r"[\t -~\xa0-\xff]*", value):
                yield _error(
                    "bad-header", f"{path}.headers[{number}]", "this header has a name or a value that can't be sent"
                )


def upstreams(settings: Settings) -> Iterator[tuple[str, KeyEntry | CompatibilityEntry]]:
    """Every entry with its path, disabled ones too."""
    for section, entries in settings.key_entries.items():
        for index, key_entry in enumerate(entries):
            yield f"{section}[{index}]", key_entry
    for index, entry in enumerate(settings.openai_compatibility):
        yield f"openai-compatibility[{index}]", entry


def _keys(entry: KeyEntry | CompatibilityEntry, path: str) -> Sequence[tuple[str, Secret]]:
    if isinstance(entry, KeyEntry):
        return [(f"{path}.api-key", entry.api_key)]
    return [(f"{path}.api-key-entries[{i}].api-key", each.api_key) for i, each in enumerate(entry.api_key_entries)]


def _addresses(entry: KeyEntry | CompatibilityEntry, path: str) -> Iterator[Finding]:
    if entry.base_url:
        fault = base_url_fault(entry.base_url)
        yield from _fault("bad-base-url", f"{path}.base-url", fault)
        if not fault and path.startswith(VERSIONED) and not has_version(entry.base_url):
            message = "this address has no version at its end; most servers want `/v1` there"
            yield _warning("base-url-without-version", f"{path}.base-url", message)
    proxies = [(f"{path}.proxy-url", entry.proxy_url)]
    if isinstance(entry, CompatibilityEntry):
        proxies += [
            (f"{path}.api-key-entries[{i}].proxy-url", e.proxy_url) for i, e in enumerate(entry.api_key_entries)
        ]
    for proxy_path, url in proxies:
        if url and url != DIRECT:
            yield from _fault("bad-proxy-url", proxy_path, proxy_fault(url))


def _fault(code: str, path: str, fault: str) -> Iterator[Finding]:
    if fault:
        yield _error(code, path, f"`{path}` {fault}")


def _names(settings: Settings) -> Iterator[Finding]:
    found = list(upstreams(settings))
    # Names of clients, accounts and providers are apart: logs show all three.
    yield from _repeated([(client.name, f"api-keys[{i}].name") for i, client in enumerate(settings.api_keys)])
    yield from _repeated([(entry.name, f"{path}.name") for path, entry in found if isinstance(entry, KeyEntry)])
    yield from _repeated(
        [(entry.name, f"{path}.name") for path, entry in found if isinstance(entry, CompatibilityEntry)]
    )
    for path, entry in found:
        if isinstance(entry, CompatibilityEntry) and not re.fullmatch(r"[ -~]*", entry.name):
            yield _error("bad-name", f"{path}.name", "a provider's name stands in headers: printable ASCII")
        if not re.fullmatch(r"[!-.0-~]*", entry.prefix):
            yield _error("bad-name", f"{path}.prefix", "a prefix is printable ASCII without `/` or blanks")


def _repeated(names: Sequence[tuple[str, str]]) -> Iterator[Finding]:
    first: dict[str, str] = {}
    for name, path in names:
        if name and name in first:
            yield _error("duplicate-name", path, f"this name is taken by {first[name]}")
        first.setdefault(name, path)


def _providers(settings: Settings) -> Iterator[Finding]:
    """Names of providers, where no upstream of this file has them."""
    there = providers_there(settings)
    named = [("routing.default-provider", settings.routing.default_provider)]
    named += [
        (f"api-keys[{index}].providers[{number}]", name)
        for index, client in enumerate(settings.api_keys)
        for number, name in enumerate(client.providers)
    ]
    named += [(f"model-alias[{number}]", name) for number, name in enumerate(settings.model_alias)]
    for key, mapping in (
        ("oauth-clients", settings.oauth_clients),
        ("upstreams", settings.upstreams),
        ("oauth-excluded-models", settings.oauth_excluded_models),
        ("oauth-request-scoped-errors", settings.oauth_request_scoped_errors),
    ):
        for number, name in enumerate(mapping):
            if name.lower() not in KEYLESS:
                message = f"no accounts of this version log in there; there are: {', '.join(KEYLESS)}"
                yield _warning("unknown-provider", f"{key}[{number}]", message)
    for path, name in named:
        if name and not known_provider(name, there):
            yield _warning(
                "unknown-provider", path, f"no upstream here is at this provider; there are: {', '.join(sorted(there))}"
            )


def _readable(reading: Reading, file: Path | None) -> Iterator[Finding]:
    if file is None or not reading.literal:
        return
    try:
        mode = file.stat().st_mode
    except OSError:
        return
    if stat.S_ISREG(mode) and mode & stat.S_IROTH:
        message = f"a secret stands here in plain text, and everyone on this machine may read the file (mode {stat.S_IMODE(mode):04o})"
        yield _warning("readable-secret", reading.literal[0], message)
