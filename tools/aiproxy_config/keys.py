"""`aiproxy-config keys …`: the client keys of the configuration file."""

import json
import secrets
import time
from dataclasses import fields
from typing import Any

import click

from aiproxy.clients import moment
from aiproxy.config.client_edits import RANDOM_BYTES, named, rotated
from aiproxy.config.edit import edited, without
from aiproxy.config.load import Configuration
from aiproxy.config.schema import Budget, ClientKey, KeyLimits
from aiproxy.config.yaml_text import one_line
from aiproxy.credentials.times import written
from aiproxy.storage.state.rows import ClientKeyRow
from aiproxy_config import managed
from aiproxy_config.editing import change
from aiproxy_config.in_use import in_use
from aiproxy_config.options import CONFIG


@click.group()
def keys() -> None:
    """Look after client keys: those of `api-keys` in the configuration, and managed ones, which are kept in the state as
    digests. A gateway that runs takes changes up by itself.

    A key is shown when it is made, and never again. NAME is what logs call its holder; `key-N`, its place in the list, for one
    without a name; of a managed key also its id."""


@keys.command("list")
@click.option("--json", "in_json", is_flag=True, help="For programs.")
@CONFIG
@managed.sentences
def list_(in_json: bool, config: str | None) -> None:
    """All client keys: what each may use, and whether it works. The keys themselves are not shown."""
    configuration = in_use(config)
    found = [{"name": name, **_told(key)} for name, key in named(configuration.settings).items()]
    found += [_managed(row) for row in managed.listed(configuration.settings)]
    if in_json:
        click.echo(json.dumps(found, indent=2))
        return
    for told in found:
        name = told.pop("name")
        state, *_ = told.pop("state"), None
        details = ", ".join(f"{key}: {one_line(value)}" for key, value in told.items())
        click.echo(f"{name}  {state}" + (f"  {details}" if details else ""))
    if not found:
        click.echo("There is no client key: only this machine may call, without one.")


@keys.command()
@click.argument("name")
@click.option("--model", "models", multiple=True, metavar="GLOB", help="A model that it may use; repeatable.")
@click.option("--provider", "providers", multiple=True, help="A provider whose accounts it may spend; repeatable.")
@click.option("--expires", metavar="DATE", help="When it stops working.")
@click.option("--tag", "tags", multiple=True, help="A team or a project; repeatable.")
@click.option("--managed", "in_state", is_flag=True, help="Keep it in the state, for all nodes that share it.")
@CONFIG
@managed.sentences
def new(
    name: str,
    models: tuple[str, ...],
    providers: tuple[str, ...],
    expires: str | None,
    tags: tuple[str, ...],
    in_state: bool,
    config: str | None,
) -> None:
    """Make a client key for NAME, write it to the configuration, or its digest to the state, and show it once.

    Limits and the rest are set afterwards: `aiproxy-config set 'api-keys[N].limits.requests-per-minute' 60`."""
    configuration = in_use(config)
    if name in named(configuration.settings):
        raise click.ClickException(f"there is a client key named {name!r} already; `keys rotate` gives it another one")
    options = {"models": list(models), "providers": list(providers), "expires": expires, "tags": list(tags)}
    said: dict[str, Any] = {option: value for option, value in options.items() if value}
    if in_state:
        click.echo(managed.create(configuration.settings, name, said).key)
        return
    key = _random()
    entry = {"name": name, "key": key, **said}
    place = len(configuration.settings.api_keys)
    change(config, lambda before: edited(before, f"api-keys[{place}]", entry), f"Make a key for {name}")
    click.echo(key)
    if not place:
        click.echo("This is the first key: from now on every call needs one.", err=True)


@keys.command()
@click.argument("name")
@click.option(
    "--overlap",
    type=click.FloatRange(0),
    default=0.0,
    metavar="SECONDS",
    help="How long a managed key's old one works on.",
)
@CONFIG
@managed.sentences
def rotate(name: str, overlap: float, config: str | None) -> None:
    """Give NAME another key, and show it once. The old one stops working at once, unless an --overlap is given."""
    configuration = in_use(config)
    if found := managed.find(configuration.settings, name, unless=named(configuration.settings)):
        click.echo(managed.rotate(configuration.settings, found.id, overlap).key)
        return
    if overlap:
        raise click.UsageError("keys of the configuration have no --overlap; managed ones do")
    place = _place(configuration, name)
    key = _random()
    change(config, lambda before: rotated(before, place, key), f"Rotate the key of {name}")
    click.echo(key)


@keys.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Also when it is the last one, so that no key is asked for any more.")
@CONFIG
@managed.sentences
def revoke(name: str, yes: bool, config: str | None) -> None:
    """Take NAME's key out of the configuration, or end a managed one. It stops working at once."""
    configuration = in_use(config)
    if found := managed.find(configuration.settings, name, unless=named(configuration.settings)):
        managed.revoke(configuration.settings, found.id)
        click.echo(f"The key of {name} is revoked.")
        return
    place = _place(configuration, name)
    if len(configuration.settings.api_keys) == 1 and not yes:
        raise click.ClickException(
            f"{name!r} is the last key: without it no key is asked for any more. --yes revokes it all the same"
        )
    where = change(config, lambda before: without(before, f"api-keys[{place}]"), f"Revoke the key of {name}")
    click.echo(f"{where}: the key of {name} is revoked.")


def _random() -> str:
    return f"aiproxy-{secrets.token_urlsafe(RANDOM_BYTES)}"


def _place(configuration: Configuration, name: str) -> int:
    names = list(named(configuration.settings))
    if name not in names:
        raise click.ClickException(f"there is no client key named {name!r}; there are: {', '.join(names) or 'none'}")
    return names.index(name)


def _told(key: ClientKey) -> dict[str, Any]:
    expired = bool(key.expires) and time.time() >= moment(key.expires)
    state = "disabled" if key.disabled else "expired" if expired else "works"
    said = {
        "models": list(key.models), "providers": list(key.providers), "prefixes": list(key.prefixes),
        "accounts": list(key.accounts), "expires": key.expires, "tags": list(key.tags),
        "limits": _set(key.limits), "budget": _set(key.budget), "model-limits": sorted(key.model_limits),
    }  # fmt: skip
    return {"state": state, **{name: value for name, value in said.items() if value}}


def _set(limits: KeyLimits | Budget) -> dict[str, Any]:
    """Those that are not 0."""
    values = {limit.name.replace("_", "-"): getattr(limits, limit.name) for limit in fields(limits)}
    return {name: value for name, value in values.items() if value}


def _managed(row: ClientKeyRow) -> dict[str, Any]:
    ended = row.until is not None and row.until <= time.time()
    ending = {"until": written(row.until)} if row.until is not None else {}
    settings = json.loads(row.settings)
    return {
        "name": row.name,
        "state": "ended" if ended else "works",
        "id": row.id,
        "key": f"…{row.ending}",
        **settings,
        **ending,
    }
