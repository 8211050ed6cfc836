"""The configuration's history: which versions were in use, what each one changed, and one of them brought back.

Secrets leave as everywhere else: by names of their own. To bring a version back nobody needs to know them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from aiproxy.codecs.base import Answer
from aiproxy.config import Configuration
from aiproxy.config.masking import Masking, is_readable, secrets_in
from aiproxy.neutral.errors import InvalidRequest, NotFound, Overloaded
from aiproxy.secrets import Secret
from aiproxy.storage.history import KEPT, before, chosen
from aiproxy.storage.state.database import StateUnavailable
from aiproxy.storage.store import Conflict as Changed
from aiproxy.storage.store import Past, StoreError
from aiproxy.web.management.rooms.editing import IF_MATCH, Configuring, done, editing, if_match, stale
from aiproxy.web.management.routes import Asked, Route

KEPT_NOW = "kept"
"""What stands for the text that is kept now, where a version is compared."""


class History(Protocol):
    """As `aiproxy.history` does it."""

    async def listed(self) -> Sequence[Past]: ...


class FormerSecrets:
    """Of versions that were in use: such a one may stand in a comment still. Each version is read once."""

    def __init__(self, history: History, in_thread: Callable[..., Awaitable[Any]]) -> None:
        self._history = history
        self._in_thread = in_thread
        self._of: Mapping[str, tuple[Secret, ...]] = {}

    async def known(self) -> Sequence[Secret]:
        """Those that were read before, while the state is away: then a configuration is to be mended all the more."""
        try:
            versions = await self._history.listed()
        except (StateUnavailable, StoreError):
            return self._all()
        self._of = {each.id: await self._read(each) for each in versions}
        return self._all()

    async def _read(self, one: Past) -> tuple[Secret, ...]:
        if (known := self._of.get(one.id)) is not None:
            return known
        found: tuple[Secret, ...] = await self._in_thread(secrets_in, one.body.decode(errors="replace"))
        return found

    def _all(self) -> Sequence[Secret]:
        return tuple(set().union(*self._of.values()))


class HistoryRoom:
    """`in_use` is the configuration in effect."""

    def __init__(
        self,
        history: History,
        configuring: Configuring,
        masking: Masking,
        in_use: Callable[[], Configuration],
        former: FormerSecrets,
        in_thread: Callable[..., Awaitable[Any]],
    ) -> None:
        self._history = history
        self._configuring = configuring
        self._masking = masking
        self._in_use = in_use
        self._former = former
        self._in_thread = in_thread

    def routes(self) -> Sequence[Route]:
        root = "/config/history"
        against = f"An id, or `{KEPT_NOW}` for the text that is kept now; the version before when absent."
        return (
            Route(
                "GET",
                root,
                f"Versions of the configuration that were in use, the latest first; at most {KEPT}.",
                self.listed,
            ),
            Route(
                "GET",
                f"{root}/<version_id>",
                "One of them: its text, and the lines in which it is different from another.",
                self.shown,
                query={"against": against},
            ),
            Route(
                "POST",
                f"{root}/<version_id>/restore",
                f"Keep its text again, if a gateway would start with it. {IF_MATCH}",
                self.restored,
            ),
        )

    async def listed(self, _asked: Asked) -> Mapping[str, Any]:
        with editing():
            kept = await self._configuring.text()
        version = kept.version if kept else ""
        return {"versions": [_told(each, version) for each in await self._versions()]}

    async def shown(self, asked: Asked) -> Mapping[str, Any]:
        versions = await self._versions()
        one, name = _one(versions, asked.path["version_id"], "version_id"), asked.query.get("against", "")
        with editing():
            kept = await self._configuring.text()
        if name == KEPT_NOW:
            other, called = kept.text if kept else "", KEPT_NOW
        else:
            found = _one(versions, name, "against") if name else before(versions, one)
            other, called = (_text(found), found.id) if found else ("", "nothing")
        text = _text(one)
        if not (is_readable(text) and is_readable(other)):
            raise InvalidRequest(
                "No YAML can be read in one of the two, so that its secrets can't be told: nothing of it is shown."
            )
        known = (*self._in_use().secrets, *await self._former.known(), *await self._in_thread(secrets_in, other))
        lines = await self._in_thread(self._masking.lines_between, other, text, (called, one.id), known)
        masked = await self._in_thread(self._masking.masked, text, known)
        return {**_told(one, kept.version if kept else ""), "text": masked, "against": called, "lines": lines}

    async def restored(self, asked: Asked) -> Answer:
        one = _one(await self._versions(), asked.path["version_id"], "version_id")
        text, wanted = _text(one), if_match(asked)
        with editing():
            try:
                saved = await self._configuring.edit(
                    lambda _: text, asked.change(f"Restore the configuration's version {one.id}"), wanted
                )
            except Changed:
                raise stale() from None
        return done(saved, {"status": "ok"})

    async def _versions(self) -> Sequence[Past]:
        with editing():
            try:
                return await self._history.listed()
            except StateUnavailable as away:
                raise Overloaded(f"The state, which has the history, can't be read now: {away}") from away


def _told(one: Past, kept: str) -> Mapping[str, Any]:
    return {
        "id": one.id,
        "at": one.at,
        "author": one.author,
        "reason": one.reason,
        "version": one.version,
        "bytes": len(one.body),
        "kept": one.version == kept,
    }


def _one(versions: Sequence[Past], wanted: str, param: str) -> Past:
    if (found := chosen(versions, wanted)) is None:
        raise NotFound(
            "No such version of the configuration is kept. GET /v0/management/config/history lists them.", param=param
        )
    return found


def _text(one: Past) -> str:
    try:
        return one.body.decode()
    except UnicodeDecodeError:
        raise InvalidRequest(f"The version {one.id} is not UTF-8.") from None
