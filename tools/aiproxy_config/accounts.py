"""`aiproxy-config accounts …`: the accounts that log in, as their credential files have them."""

import json
import os
import time
from pathlib import Path
from typing import Any

import click

from aiproxy.credentials.imports import KNOWN_PLACES
from aiproxy.credentials.record import REFUSED, SECRET_FIELDS, Record, Unreadable
from aiproxy.credentials.times import written
from aiproxy.registry import load_registry
from aiproxy_config import switches
from aiproxy_config.asking import Refused
from aiproxy_config.foreign_logins import logins_in
from aiproxy_config.login import save
from aiproxy_config.logins import Credentials, one_sentence, opened, short
from aiproxy_config.options import CONFIG


@click.group()
def accounts() -> None:
    """Look after the accounts that log in; those with API keys, which are in the configuration, can be switched off and on.

    An ACCOUNT is named by its file, with or without `.json`, or by its e-mail address. A gateway that runs notices what is
    changed here."""


@accounts.command("list")
@click.option("--json", "in_json", is_flag=True, help="For programs.")
@CONFIG
@one_sentence
def list_(in_json: bool, config: str | None) -> None:
    """All accounts, what state they are in, and files that are none."""
    with opened(config) as credentials:
        rows = [_summary(credentials, each) for each in sorted(credentials.files.records, key=lambda each: each.id)]
        refused = credentials.refused
    if in_json:
        click.echo(json.dumps({"accounts": rows, "refused": refused}, indent=2))
        return
    widths = [max((len(row[name]) for row in rows), default=0) for name in ("account", "provider")]
    for row in rows:
        click.echo(f"{row['account']:{widths[0]}}  {row['provider']:{widths[1]}}  {row['state']}")
    closed = {row["provider"]: row["closed"] for row in rows if row["closed"]}
    for provider, words in sorted(closed.items()):
        click.echo(f"\nNote on {provider}: {words}")
    for name, why in sorted(refused.items()):
        click.echo(f"{name} {why}", err=True)
    if not rows and not refused:
        click.echo("No account is logged in. `aiproxy-config login PROVIDER` does it.")


@accounts.command()
@click.argument("account")
@CONFIG
@one_sentence
def show(account: str, config: str | None) -> None:
    """One account, without its secrets."""
    with opened(config) as credentials:
        record = credentials.record(account)
        row = _summary(credentials, record)
    click.echo(json.dumps({**row, "file": _shown(dict(record.content))}, indent=2, ensure_ascii=False))


@accounts.command()
@click.argument("account")
@CONFIG
@one_sentence
def disable(account: str, config: str | None) -> None:
    """Use it for nothing until it is enabled again; a login isn't refreshed meanwhile. ACCOUNT may be one with a key as well, by
    the name that logs have for it: that is kept in the state, and a gateway that runs notices within seconds."""
    _switch(account, config, disabled=True)


@accounts.command()
@click.argument("account")
@CONFIG
@one_sentence
def enable(account: str, config: str | None) -> None:
    """Use it again, also if a gateway's console switched it off. What its vendor has refused is tried again, too."""
    _switch(account, config, disabled=False)


def _switch(account: str, config: str | None, *, disabled: bool) -> None:
    if switches.switched(account, config, disabled=disabled):
        click.echo(f"{account} is {'disabled' if disabled else 'enabled'}.")
        return
    with opened(config) as credentials:
        record = credentials.record(account)
        mark: dict[str, Any] = {} if disabled else {REFUSED: None}
        credentials.change(record, {"disabled": disabled, **mark}, f"{'Disable' if disabled else 'Enable'} {record.id}")
    if not disabled:
        switches.forget(record.id, config)
    click.echo(f"{record.id} is {'disabled' if disabled else 'enabled'}.")


@accounts.command()
@click.argument("account")
@click.option("--yes", is_flag=True, help="Don't ask.")
@CONFIG
@one_sentence
def remove(account: str, yes: bool, config: str | None) -> None:
    """Delete its credential file. The vendor isn't told: end the login on its page, too."""
    with opened(config) as credentials:
        record = credentials.record(account)
        if not yes:
            click.confirm(f"Delete {short(record.name)}, the login of {record.label}?", abort=True, err=True)
        credentials.remove(record)
    click.echo(f"{record.id} is removed.")


@accounts.command()
@click.argument("account")
@CONFIG
@one_sentence
def refresh(account: str, config: str | None) -> None:
    """Have its token renewed now, whether or not it ends soon."""
    with opened(config) as credentials:
        renewed = credentials.renewed(credentials.record(account))
        state = _state(credentials, renewed)
    click.echo(f"{renewed.id}: {state}")


@accounts.command()
@click.argument("account")
@CONFIG
@one_sentence
def test(account: str, config: str | None) -> None:
    """Find out whether its login still holds, and ask its vendor, by a question that costs nothing. A token that has ended,
    or that the vendor won't have any more, is renewed.

    The exit status is 1 when the account can't be used now."""
    with opened(config) as credentials:
        record = credentials.record(account)
        login = credentials.login_of(record)
        expires = login.tokens(record).expires
        if login.renewable(record) and expires is not None and expires <= time.time():
            record = credentials.renewed(record)
        state = _state(credentials, record)
        click.echo(f"{record.id}: {state}")
        if not state.startswith("good"):
            raise SystemExit(1)
        try:
            try:
                said = credentials.asked(record)
            except Refused as refused:
                if not (refused.stale and login.renewable(record)):
                    raise
                click.echo("The vendor won't have this token; it is renewed.")
                said = credentials.asked(credentials.renewed(record))
        except Refused as refused:
            raise click.ClickException(f"{record.id}: {refused}") from None
        click.echo(
            f"{record.id}: {said or 'its vendor answers no question that costs nothing; only a call will show more'}"
        )


@accounts.command("import")
@click.argument("files", nargs=-1)
@CONFIG
@one_sentence
def import_(files: tuple[str, ...], config: str | None) -> None:
    """Take over logins of other programs: FILES of theirs, CLIProxyAPI's and AIClient-2-API's too, or without FILES, what
    the vendors' own programs keep in this home directory.

    Both programs then hold one login: where refresh tokens are single use (Codex, Claude, Kimi, Qwen) one of them will be
    logged out by the other's refresh. Stop using it there, or log in anew here."""
    found = files or tuple(place for place in map(os.path.expanduser, KNOWN_PLACES) if Path(place).exists())
    if not found:
        raise click.ClickException("no program that we know keeps a login in this home directory; name FILES")
    failed = 0
    with opened(config) as credentials:
        for file in found:
            try:
                for login, content in logins_in(Path(file), load_registry().logins):
                    record = save(credentials, login, content)
                    click.echo(f"{file}: {record.label} is now {short(record.name)}")
            except (Unreadable, OSError) as error:
                failed += 1
                click.echo(f"{file} {error.strerror if isinstance(error, OSError) else error}", err=True)
    if failed:
        raise SystemExit(1)


def _summary(credentials: Credentials, record: Record) -> dict[str, Any]:
    login = credentials.login_of(record)
    return {
        "account": record.id,
        "provider": login.provider,
        "whose": record.label,
        "state": _state(credentials, record),
        "closed": login.closed,
    }


def _state(credentials: Credentials, record: Record) -> str:
    login = credentials.login_of(record)
    if record.disabled:
        return "disabled"
    if why := login.refused(record):
        return f"refused: {why} To log in again: `aiproxy-config login {login.provider}`"
    tokens = login.tokens(record)
    if tokens.expires is None:
        return "good"
    left = tokens.expires - time.time()
    ends = written(tokens.expires)
    if left > 0:
        return f"good until {ends}" + (", renewed by then" if login.renewable(record) else "")
    return f"ended {ends}, to be renewed" if login.renewable(record) else f"ended {ends}: log in again"


def _shown(content: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _shown(value) if isinstance(value, dict) else "[secret]" if name in SECRET_FIELDS and value else value
        for name, value in content.items()
    }
