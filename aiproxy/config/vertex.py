"""Rules for `vertex-api-key`: how an account there signs, and where it is."""

import re
from collections.abc import Iterator

from aiproxy.config.problems import Finding, Severity
from aiproxy.config.read import Reading
from aiproxy.config.schema import Settings, VertexEntry
from aiproxy.config.service_account import ServiceAccount, Unusable, read_service_account
from aiproxy.secrets import Secret

SHAPES = {
    "location": re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"),  # stands in a host's name
    "project": re.compile(r"[a-z0-9]([a-z0-9.:-]*[a-z0-9])?"),  # may be a domain's: `example.com:name`
}
EXAMPLES = {"location": "europe-west4", "project": "my-project-1"}


def vertex_problems(settings: Settings, reading: Reading) -> Iterator[Finding]:
    accounts: dict[tuple[str, ...], str] = {}
    for index, entry in enumerate(settings.vertex_api_key):
        path = f"vertex-api-key[{index}]"
        yield from _one_way_to_sign(entry, path, reading)
        for name, shape in SHAPES.items():
            if (value := getattr(entry, name)) and not shape.fullmatch(value):
                message = f"a {name} is lower case letters, digits and hyphens, `{EXAMPLES[name]}` for one"
                yield Severity.ERROR, "bad-name", message, f"{path}.{name}"
        if not entry.service_account:
            continue
        try:
            account = read_service_account(entry.service_account.reveal())
        except Unusable as why:
            yield Severity.ERROR, "bad-service-account", f"this {why}", f"{path}.service-account"
            continue
        yield from _of_service_account(account, entry, path)
        same = (account.email, entry.project, entry.location, entry.base_url)
        if same in accounts:
            message = f"this is the account of {accounts[same]} again"
            yield Severity.WARNING, "duplicate-account", message, f"{path}.service-account"
        accounts.setdefault(same, path)


def secrets_within(settings: Settings) -> Iterator[Secret]:
    """What is secret in service accounts that can be read."""
    for entry in settings.vertex_api_key:
        if entry.service_account:
            yield from read_service_account(entry.service_account.reveal()).secrets


def _one_way_to_sign(entry: VertexEntry, path: str, reading: Reading) -> Iterator[Finding]:
    if entry.api_key and entry.service_account:
        message = "`api-key` and `service-account` are two accounts; make two entries of them"
        yield Severity.ERROR, "two-logins", message, f"{path}.service-account"
    elif not entry.api_key and not entry.service_account:
        if not any(reading.failed(f"{path}.{name}") for name in ("api-key", "service-account")):
            yield Severity.ERROR, "missing-key", "`api-key` or `service-account` is missing here", path
    elif entry.api_key:
        for name in ("location", "project"):
            if getattr(entry, name):
                message = f"a key knows its own {name}; this counts for a `service-account` only"
                yield Severity.WARNING, "without-effect", message, f"{path}.{name}"


def _of_service_account(account: ServiceAccount, entry: VertexEntry, path: str) -> Iterator[Finding]:
    if not entry.project and not account.project:
        yield Severity.ERROR, "missing-key", "the file names no project, so `project` is wanted here", path
    for name, value in (("project", account.project), ("location", account.location)):
        if value and not getattr(entry, name) and not SHAPES[name].fullmatch(value):
            yield Severity.ERROR, "bad-service-account", f"this names an impossible {name}", f"{path}.service-account"
