"""Client keys: those of the configuration and managed ones, what each may use and has used. A key is shown when it is made, and
never again."""

from collections.abc import Mapping, Sequence
from secrets import token_urlsafe
from time import time
from typing import Any

import orjson

from aiproxy.clients import moment
from aiproxy.clients.told import share
from aiproxy.config.client_edits import RANDOM_BYTES, named, rotated
from aiproxy.config.edit import edited, without
from aiproxy.config.effective import plain
from aiproxy.config.managed import key_settings
from aiproxy.config.problems import ConfigurationInvalid
from aiproxy.config.schema import ClientKey
from aiproxy.gateway import Gateway
from aiproxy.neutral.errors import Conflict, InvalidRequest
from aiproxy.secrets import Scrubber
from aiproxy.storage.keys import ManagedKeys
from aiproxy.storage.state.client_keys import Made
from aiproxy.storage.state.rows import ClientKeyRow
from aiproxy.web.management.rooms.editing import Configuring, editing
from aiproxy.web.management.rooms.refusing import refusing
from aiproxy.web.management.routes import Asked, Route

LONGEST_OVERLAP = 31 * 86400.0
"""Seconds that an old key may work on beside its successor: a month of notice."""


MADE_OF = frozenset(("name", "settings", "until", "managed"))
"""The fields of a request for a key."""


class ClientKeysRoom:
    def __init__(self, gateway: Gateway, keys: ManagedKeys, configuring: Configuring) -> None:
        self._gateway = gateway
        self._keys = keys
        self._configuring = configuring

    def routes(self) -> Sequence[Route]:
        return (
            Route("GET", "/keys", "All client keys, without the keys themselves.", self.listed),
            Route(
                "POST",
                "/keys",
                "Make a key, and show it once.",
                self.create,
                takes={
                    "name": "Whose it is.",
                    "settings": "As an entry of `api-keys`, without `key` and `name`.",
                    "until": "Seconds since the epoch when a managed one ends.",
                    "managed": "false: write it to the configuration; else its digest to the state.",
                },
            ),
            Route(
                "POST",
                "/keys/<path:key>/rotate",
                "Give its holder another key, and show it once; by id, or by its name in the configuration.",
                self.rotate,
                takes={"overlap": "Seconds that a managed one's old key works on."},
            ),
            Route(
                "DELETE",
                "/keys/<path:key>",
                "Revoke it.",
                self.revoke,
                query={"last": "`true`: also when no key is asked for any more then."},
            ),
            Route("GET", "/limits", "How all limits stand.", self.limits),
        )

    async def listed(self, _asked: Asked) -> Mapping[str, Any]:
        with refusing():
            rows = await self._keys.listed()
        configured = [_configured(name, key) for name, key in self._named().items()]
        return {"keys": [*configured, *map(_managed, rows)], "open": self._gateway.keyring.open}

    async def create(self, asked: Asked) -> Mapping[str, Any]:
        body = asked.object()
        if unknown := sorted(body.keys() - MADE_OF):
            told = f"There is no field {unknown[0]!r} here; what a key may use stands in 'settings'."
            raise InvalidRequest(told, param=unknown[0])
        name, settings, until = asked.text("name").strip(), body.get("settings") or {}, body.get("until")
        if not name:
            raise InvalidRequest("The field 'name' must say whose key it is.", param="name")
        if not isinstance(settings, dict):
            raise InvalidRequest("The field 'settings' must be an object.", param="settings")
        if name in self._named():
            raise Conflict(f"There is a client key named {name!r} already; rotate gives it another one.", param="name")
        with editing():
            try:
                key_settings(name, settings)
            except ConfigurationInvalid:
                raise
            except ValueError as error:
                raise InvalidRequest(f"{error}.", param="settings") from None
            if body.get("managed", True):
                if not (until is None or isinstance(until, int | float)):
                    raise InvalidRequest("The field 'until' must be seconds since the epoch.", param="until")
                return _made(await self._keys.create(name, settings, until))
            key = _random()
            entry = {"name": name, "key": key, **settings}
            place = f"api-keys[{len(self._named())}]"
            await self._configuring.edit(
                lambda text: edited(text, place, entry), asked.change(f"Make a key for {name}")
            )
            return {"key": key, **_configured(name, self._named()[name])}

    async def rotate(self, asked: Asked) -> Mapping[str, Any]:
        if unknown := sorted(asked.object().keys() - {"overlap"}) if asked.body else []:
            told = f"There is no field {unknown[0]!r} here; 'overlap' says how many seconds the old key works on."
            raise InvalidRequest(told, param=unknown[0])
        name, overlap = asked.path["key"], asked.optional("overlap") or 0
        if not isinstance(overlap, int | float) or not 0 <= overlap <= LONGEST_OVERLAP:
            raise InvalidRequest(
                f"The field 'overlap' must be from 0 to {LONGEST_OVERLAP:.0f} seconds.", param="overlap"
            )
        with editing():
            if name not in self._named():
                return _made(await self._keys.rotate(name, float(overlap)))
            if overlap:
                raise InvalidRequest("Keys of the configuration have no overlap; managed ones do.", param="overlap")
            key, place = _random(), list(self._named()).index(name)
            await self._configuring.edit(
                lambda text: rotated(text, place, key), asked.change(f"Rotate the key of {name}")
            )
            return {"key": key, **_configured(name, self._named()[name])}

    async def revoke(self, asked: Asked) -> Mapping[str, Any]:
        name, configured = asked.path["key"], self._named()
        with editing():
            if name not in configured:
                return {"revoked": await self._keys.revoke(name)}
            if len(configured) == 1 and asked.query.get("last") != "true":
                told = f"{name!r} is the last key: without it no key is asked for any more. ?last=true revokes it all the same."
                raise Conflict(told, param="last")
            place = list(configured).index(name)
            await self._configuring.edit(
                lambda text: without(text, f"api-keys[{place}]"), asked.change(f"Revoke the key of {name}")
            )
        return {"revoked": 1}

    async def limits(self, _asked: Asked) -> Mapping[str, Any]:
        gateway, now = self._gateway, time()
        return {
            "keys": [
                {"key": client.name, "limits": share(gateway.limiter.standings(client.limits, now))}
                for client in gateway.keyring.clients
                if client.limits
            ],
            "models": share(gateway.limiter.standings(gateway.snapshot.model_limits, now)),
        }

    def _named(self) -> Mapping[str, ClientKey]:
        return named(self._gateway.snapshot.settings)


def _random() -> str:
    return f"aiproxy-{token_urlsafe(RANDOM_BYTES)}"


def _configured(name: str, key: ClientKey) -> Mapping[str, Any]:
    """What an entry says, without the key."""
    expired = bool(key.expires) and time() >= moment(key.expires)
    said = plain(key, Scrubber())
    state = "disabled" if key.disabled else "expired" if expired else "works"
    return {
        "id": name,
        "name": name,
        "managed": False,
        "state": state,
        "ending": "",
        "created": None,
        "until": moment(key.expires) if key.expires else None,
        "settings": {setting: value for setting, value in said.items() if setting not in ("key", "name")},
    }


def _managed(row: ClientKeyRow) -> Mapping[str, Any]:
    ended = row.until is not None and row.until <= time()
    return {
        "id": row.id,
        "name": row.name,
        "managed": True,
        "state": "ended" if ended else "works",
        "ending": row.ending,
        "created": row.created,
        "until": row.until,
        "settings": orjson.loads(row.settings),
    }


def _made(made: Made) -> Mapping[str, Any]:
    return {"key": made.key, **_managed(made.row)}
