"""Accounts: how each is and why, and what a hand may do about it.

A switch by hand is kept in the state and told to the other processes; a file that says `disabled` itself is enabled in the file.
Priority, weight and note are changed where they stand: in the configuration, or in the credential file."""

from collections.abc import Callable, Mapping, Sequence
from time import time
from typing import Any

from aiproxy.credentials.accounts import Accounts
from aiproxy.credentials.changing import change
from aiproxy.credentials.login import Login
from aiproxy.credentials.record import REFUSED, Record
from aiproxy.credentials.renewer import Documents
from aiproxy.gateway import Gateway
from aiproxy.neutral.errors import InvalidRequest, NotFound
from aiproxy.providers.base import Upstream
from aiproxy.providers.logins import FIRST
from aiproxy.storage.documents import CREDENTIALS
from aiproxy.storage.state.asking import Span, sums
from aiproxy.storage.state.database import StateUnavailable
from aiproxy.storage.store import Change
from aiproxy.web.management.kept import Kept
from aiproxy.web.management.rooms import account_views as views
from aiproxy.web.management.rooms.editing import Configuring, editing
from aiproxy.web.management.rooms.refusing import refusing
from aiproxy.web.management.routes import Asked, Route

USED_SECONDS = 86400.0
"""The span of which a list tells what was used: a day."""


class AccountsRoom:
    """`logins` are the kinds there are, `offset` what lies between the gateway's clock and the time of day."""

    def __init__(
        self,
        gateway: Gateway,
        accounts: Accounts,
        logins: Mapping[str, Login],
        documents: Documents,
        state: Kept,
        offset: Callable[[], float],
        configuring: Configuring,
    ) -> None:
        self._gateway = gateway
        self._accounts = accounts
        self._logins = logins
        self._documents = documents
        self._state = state
        self._offset = offset
        self._configuring = configuring

    def routes(self) -> Sequence[Route]:
        one = "/accounts/<path:account>"
        return (
            Route("GET", "/accounts", "All accounts: health, rests and why, quotas, logins, use.", self.listed),
            Route("GET", one, "One account.", self.shown),
            Route(
                "PATCH",
                one,
                "Change where it stands: in the configuration, or in its credential file.",
                self.changed,
                takes={
                    "priority": "Smaller is used first.",
                    "weight": "Its share under weighted-round-robin.",
                    "note": "Words of the operator's.",
                },
            ),
            Route("POST", f"{one}/disable", "Lend it to nobody until it is enabled again.", self.disable),
            Route("POST", f"{one}/enable", "Lend it again; a refused login is tried again.", self.enable),
            Route(
                "POST",
                f"{one}/clear",
                "Forget its rests: all, or one model's.",
                self.clear,
                takes={"model": 'The model; "" is the rest of the whole account.'},
            ),
            Route("POST", f"{one}/probe", "Ask it now whether it works; the pool goes by what comes.", self.probe),
            Route(
                "POST",
                f"{one}/test",
                "Ask it for a few tokens of a model.",
                self.test,
                takes={"model": "The upstream's name of the model."},
            ),
            Route("POST", f"{one}/quota", "Ask its vendor now what is left.", self.quota),
            Route("POST", f"{one}/refresh", "Renew its token now.", self.refresh),
        )

    # -- what is told

    async def listed(self, _asked: Asked) -> Mapping[str, Any]:
        told = await self._told()
        return {"accounts": told, "attention": list(views.attention(told)), "refused": self._left_out()}

    async def shown(self, asked: Asked) -> Mapping[str, Any]:
        name = asked.path["account"]
        found = next((each for each in await self._told() if each["account"] == name), None)
        if found is None:
            raise _unknown(name)
        return found

    async def _told(self) -> list[Mapping[str, Any]]:
        snapshot, pool = self._gateway.snapshot, self._gateway.pool
        rests = views.Rests(pool.resting(), self._offset())
        of_pool = {account.id: account for account in snapshot.accounts}
        used, now, switched = await self._used(), time(), pool.disabled
        found: list[Mapping[str, Any]] = []
        in_use = set()
        for upstream in snapshot.upstreams.values():
            record = self._record(upstream)
            login = self._login(record)
            in_use.add(record.name if record else "")
            resting = rests.of(of_pool[upstream.id])
            entry = views.Entry() if record else views.entry_of(upstream.id, snapshot.settings)
            refused = login["refused"] if login else ""
            found.append(
                {
                    "account": upstream.id,
                    **views.configured(upstream),
                    "place": entry.place,
                    "note": record.text("note") if record else entry.note,
                    "state": views.state(disabled=upstream.id in switched, refused=refused, rests=resting),
                    "rests": resting,
                    "in-use": pool.in_use(upstream.id),
                    "quotas": views.quotas(self._gateway.quotas.of(upstream.id, now)),
                    "tells-quota": upstream.quota is not None,
                    "used": used.get(upstream.id),
                    "login": login,
                }
            )
        for record in self._accounts.records.values():
            if record.name not in in_use and (login := self._login(record)):
                state = views.state(disabled=record.disabled, refused=login["refused"] or "left out", rests=())
                about = {"account": record.id, "provider": login["provider"], "note": record.text("note")}
                found.append({**about, "state": state, "login": login})
        return found

    async def _used(self) -> Mapping[str, Any]:
        """By account, within a day; of none while the database is away."""
        since = self._state.now() - USED_SECONDS
        try:
            rows = await self._state.read(lambda session: sums(session, ("account",), Span(since)))
        except StateUnavailable:
            return {}
        return {row.pop("account"): row for row in rows}

    def _left_out(self) -> Mapping[str, str]:
        return {**self._gateway.snapshot.left_out, **self._accounts.refused()}

    def _login(self, record: Record | None) -> Mapping[str, Any] | None:
        login = views.login_of(record, self._logins.values()) if record else None
        return views.logged_in(record, login) if record and login else None

    def _record(self, upstream: Upstream) -> Record | None:
        return self._accounts.records.get(f"{CREDENTIALS}{upstream.login or upstream.id}.json")

    def _upstream(self, asked: Asked) -> Upstream:
        """Raises `NotFound`."""
        name = asked.path["account"]
        found = self._gateway.snapshot.upstreams.get(name)
        if found is None:
            if f"{CREDENTIALS}{name}.json" in self._accounts.records:
                raise InvalidRequest(f"The account {name!r} is not in use: it is disabled, or its file is refused.")
            raise _unknown(name)
        return found

    # -- what a hand does

    async def disable(self, asked: Asked) -> Mapping[str, Any]:
        self._gateway.pool.disable(self._upstream(asked).id)
        return await self.shown(asked)

    async def enable(self, asked: Asked) -> Mapping[str, Any]:
        name = asked.path["account"]
        record = self._accounts.records.get(f"{CREDENTIALS}{name}.json")
        if record is not None and (record.disabled or record.get(REFUSED)):
            with refusing():
                await change(self._documents, record.name, {"disabled": False, REFUSED: None}, f"Enable {name}")
        elif record is None:
            self._upstream(asked)
        self._gateway.pool.enable(name)
        return await self.shown(asked)

    async def clear(self, asked: Asked) -> Mapping[str, Any]:
        account, model = self._upstream(asked), asked.optional("model")
        if model is not None and not isinstance(model, str):
            raise InvalidRequest("The field 'model' must be a text.", param="model")
        return {"cleared": self._gateway.pool.clear(account.id, model)}

    async def probe(self, asked: Asked) -> Mapping[str, Any]:
        return await self._checked(self._upstream(asked), "")

    async def test(self, asked: Asked) -> Mapping[str, Any]:
        return await self._checked(self._upstream(asked), asked.text("model"))

    async def _checked(self, upstream: Upstream, model: str) -> Mapping[str, Any]:
        found = await self._gateway.health_checks.ask(upstream.id, model)
        error = found.error
        return {
            "account": upstream.id,
            "asked": found.asked,
            "works": found.asked and error is None,
            "model": found.model,
            "seconds": found.seconds,
            "code": error.kind if error else "",
            "error": self._gateway.snapshot.scrub(error.message) if error else "",
        }

    async def quota(self, asked: Asked) -> Mapping[str, Any]:
        upstream = self._upstream(asked)
        windows = await self._gateway.quota_questions.ask(upstream.id)
        return {"account": upstream.id, "tells-quota": upstream.quota is not None, "quotas": views.quotas(windows)}

    async def refresh(self, asked: Asked) -> Mapping[str, Any]:
        upstream = self._upstream(asked)
        record = self._record(upstream)
        used = self._gateway.snapshot.used.get(record.name) if record else None
        if record is None or used is None:
            raise InvalidRequest(f"The account {upstream.id!r} has a key, which is not renewed.")
        renewed = await self._accounts.refresh(used.login, record.name, used.way)
        return views.logged_in(renewed, used.login)

    async def changed(self, asked: Asked) -> Mapping[str, Any]:
        wanted = asked.object()
        numbers = {name: wanted[name] for name in ("priority", "weight") if name in wanted}
        if unknown := wanted.keys() - {"priority", "weight", "note"}:
            raise InvalidRequest(f"The field {min(unknown)!r} can't be changed here.", param=min(unknown))
        for name, value in numbers.items():
            if not isinstance(value, int) or isinstance(value, bool):
                raise InvalidRequest(f"The field '{name}' must be a whole number.", param=name)
        upstream = self._upstream(asked)
        record = self._record(upstream)
        if record is None:
            await self._in_configuration(upstream, wanted, asked.change(f"Change {upstream.id}"))
        else:
            note = {"note": asked.text("note") or None} if "note" in wanted else {}
            said = {"priority": FIRST - numbers["priority"]} if "priority" in numbers else {}
            weight = {"weight": numbers["weight"]} if "weight" in numbers else {}
            with refusing():
                await change(self._documents, record.name, {**said, **weight, **note}, f"Change {upstream.id}")
        return {"changed": sorted(wanted)}

    async def _in_configuration(self, upstream: Upstream, wanted: Mapping[str, Any], why: Change) -> None:
        place = views.entry_of(upstream.id, self._gateway.snapshot.settings).place
        if not place:
            raise InvalidRequest(f"The account {upstream.id!r} stands in no configuration.")
        with editing():
            values = {f"{place}.{name}": value for name, value in wanted.items()}
            await self._configuring.put(values, why)


def _unknown(name: str) -> NotFound:
    return NotFound(f"There is no account {name!r}. GET /v0/management/accounts lists them.", param="account")
