"""Accounts switched off and on by hand, in the state without a gateway; those that run notice within seconds.

Synchronous, within a transaction."""

from collections.abc import Mapping

from aiproxy.pools.book import DISABLED, FOR_EVER, switch_of
from aiproxy.storage.state.database import Session
from aiproxy.storage.state.rows import COOLDOWNS, CooldownRow


def switched_off(session: Session) -> Mapping[str, CooldownRow]:
    """By what each is kept as."""
    rows = [CooldownRow(*row) for row in session.rows(f"{COOLDOWNS.select} WHERE reason = ?", (DISABLED,))]
    return {row.account: row for row in rows}


def switch_off(session: Session, now: float, name: str, identity: str) -> None:
    session.run(COOLDOWNS.put, CooldownRow(switch_of(identity), "", name, DISABLED, 0.0, now, FOR_EVER, now))


def switch_on(session: Session, name: str) -> int:
    """How many switches there were."""
    return session.run("DELETE FROM cooldowns WHERE reason = ? AND name = ?", (DISABLED, name))
