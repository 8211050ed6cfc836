"""Accounts with keys switched off and on, and what a gateway's console switched off on again: in the state."""

import time

import click

from aiproxy.config.schema import MEMORY, Settings
from aiproxy.storage.documents import CREDENTIALS
from aiproxy.storage.state.switches import switch_off, switch_on
from aiproxy_config.in_use import in_use
from aiproxy_config.offline import offline
from aiproxy_config.past import session, state_is_there


def switched(account: str, config: str | None, *, disabled: bool) -> bool:
    """False where the configuration has no account with a key of this name."""
    snapshot = offline(config)
    found = next((each for each in snapshot.accounts if each.id == account), None)
    if found is None or f"{CREDENTIALS}{snapshot.upstreams[account].login or account}.json" in snapshot.used:
        return False
    if snapshot.settings.state_in_effect == MEMORY:
        raise click.ClickException(
            "the state is in memory, so that nothing outside the gateway can switch an account there; set `state`"
        )
    with session(snapshot.settings) as opened:
        if disabled:
            switch_off(opened, time.time(), account, found.identity)
        else:
            switch_on(opened, account)
    return True


def forget(account: str, config: str | None) -> None:
    settings: Settings = in_use(config).settings
    if state_is_there(settings):
        with session(settings) as opened:
            switch_on(opened, account)
