"""The configuration: what is in effect, its text to read and to write, what a text would change, and values one by one.

Secrets leave as names of their own (`secret-…`), which stand for them in what comes back. A write may carry the version it was made
from (`If-Match`, as `ETag` gave it); one that is out of date is refused (412)."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

from aiproxy.codecs.base import Answer
from aiproxy.config import Configuration
from aiproxy.config.edit import data_of, edited, moved, without
from aiproxy.config.effective import effective, plain
from aiproxy.config.json_schema import json_schema
from aiproxy.config.masking import Masking, names_left, secrets_in
from aiproxy.config.problems import ConfigurationInvalid
from aiproxy.config.tree import Unparsable, parse
from aiproxy.gateway.differences import Difference
from aiproxy.neutral.errors import InvalidRequest, NotFound
from aiproxy.secrets import Scrubber, Secret
from aiproxy.storage.store import Conflict as Changed
from aiproxy.web.management.rooms.editing import (
    IF_MATCH,
    Configuring,
    Kept,
    done,
    editing,
    etag,
    findings,
    if_match,
    stale,
)
from aiproxy.web.management.rooms.history import FormerSecrets
from aiproxy.web.management.routes import Asked, Route, theirs

YAML = "application/yaml; charset=utf-8"


class ConfigurationRoom:
    """`in_use` is the configuration in effect, `compare` says what clients would notice of another one."""

    def __init__(
        self,
        configuring: Configuring,
        masking: Masking,
        in_use: Callable[[], Configuration],
        former: FormerSecrets,
        compare: Callable[[Configuration], Sequence[Difference]],
        in_thread: Callable[..., Awaitable[Any]],
    ) -> None:
        self._configuring = configuring
        self._masking = masking
        self._in_use = in_use
        self._former = former
        self._compare = compare
        self._in_thread = in_thread

    def routes(self) -> Sequence[Route]:
        found = (
            Route("GET", "/config", "The configuration in effect, without its secrets.", self.shown),
            Route("GET", "/config.yaml", "Its text as it is kept, each secret by a name.", self.text, gives=YAML),
            Route(
                "PUT",
                "/config.yaml",
                f"Another text, if a gateway would start with it. {IF_MATCH}",
                self.replaced,
                reads=YAML,
            ),
        )
        return (
            *theirs(found),
            Route(
                "PATCH",
                "/config",
                f"Set values by path; null takes one out. {IF_MATCH}",
                self.changed,
                takes={"PATH": "As `api-keys[0].limits.concurrent`: the value, as JSON."},
            ),
            Route("GET", "/config/values", "Every value with the layer that set it.", self.values),
            Route(
                "POST",
                "/config/validate",
                "What is wrong with a text, as `validate` has it.",
                self.validate,
                reads=YAML,
                asks=True,
            ),
            Route(
                "POST",
                "/config/diff",
                "What a text would change, in lines and for clients.",
                self.diff,
                reads=YAML,
                asks=True,
            ),
            Route(
                "POST",
                "/config/edit",
                "A text with values set and entries of lists moved, its comments and order as they were, and what it says then (`data`; null where that can't be read); nothing is kept of it.",
                self.drafted,
                takes={
                    "text": "As `GET /config.yaml` gives it.",
                    "set": "Values by path, as JSON; null takes one out.",
                    "move": "Entries of lists by path, as `api-keys[2]`: where each is to stand, from 0.",
                },
                asks=True,
            ),
            Route("GET", "/config/schema", "The JSON Schema of the configuration.", self.schema),
        )

    async def shown(self, _asked: Asked) -> Mapping[str, Any]:
        configuration = self._in_use()
        told: Mapping[str, Any] = plain(configuration.settings, Scrubber(configuration.secrets))
        return told

    async def values(self, _asked: Asked) -> Mapping[str, Any]:
        found = [{**asdict(each), "changed": each.changed} for each in effective(self._in_use())]
        return {"source": self._in_use().source, "values": found, "warnings": findings(self._in_use().warnings)}

    async def schema(self, _asked: Asked) -> Mapping[str, Any]:
        return json_schema()

    # -- the text

    async def text(self, _asked: Asked) -> Answer:
        kept = await self._kept()
        if kept is None:
            raise NotFound("There is no configuration here yet, the built-in one is in use. PUT writes one.")
        masked = await self._in_thread(self._masking.masked, kept.text, await self._known())
        return Answer(200, masked.encode(), YAML, {"etag": etag(kept)})

    async def replaced(self, asked: Asked) -> Answer:
        with editing():
            if not asked.body.strip():
                raise InvalidRequest("The text is empty. What is to hold by default is `{}`.")
            kept = await self._kept()
            version = kept.version if kept else None
            if (wanted := if_match(asked)) and wanted != version:
                raise stale()
            try:
                saved = await self._configuring.replace(
                    await self._read(asked, kept), version, asked.change("Replace the configuration")
                )
            except Changed:
                raise stale() from None
        return done(saved, {"ok": True, "changed": ["config"]})

    async def validate(self, asked: Asked) -> Mapping[str, Any]:
        try:
            read = await self._judged(asked)
        except ConfigurationInvalid as invalid:
            return {"valid": False, "findings": findings(invalid.problems)}
        return {"valid": True, "findings": findings(read.warnings)}

    async def diff(self, asked: Asked) -> Mapping[str, Any]:
        kept, known = await self._kept(), await self._known()
        before = kept.text if kept else ""
        new = await self._read(asked, kept)
        known = (*known, *await self._in_thread(secrets_in, before, new))
        lines = await self._in_thread(self._masking.lines_between, before, new, ("kept", "new"), known)
        try:
            read = await self._judged(asked)
        except ConfigurationInvalid as invalid:
            return {"valid": False, "findings": findings(invalid.problems), "lines": lines, "clients": []}
        clients = [asdict(each) for each in self._compare(read)]
        return {"valid": True, "findings": findings(read.warnings), "lines": lines, "clients": clients}

    async def drafted(self, asked: Asked) -> Mapping[str, Any]:
        """Secrets in it stay the names they are."""
        text, given = asked.text("text"), asked.object()
        values, places = given.get("set", {}), given.get("move", {})
        if not isinstance(values, dict):
            raise InvalidRequest("The field 'set' must be an object: values by path.", param="set")
        if not (isinstance(places, dict) and all(type(to) is int for to in places.values())):
            raise InvalidRequest("The field 'move' must be an object: whole numbers by path.", param="move")
        with editing():
            draft = await self._in_thread(_drafted, text, values, places)
        return {"text": draft, "data": await self._in_thread(_data, draft)}

    # -- values

    async def changed(self, asked: Asked) -> Answer:
        wanted = asked.object()
        if not wanted:
            raise InvalidRequest("The body must have values by their paths.")
        with editing():
            kept = await self._kept()
            before = kept.text if kept else ""
            values = await self._restored(self._masking.restored_value, wanted, before)
            try:
                saved = await self._configuring.edit(
                    lambda text: _drafted(text, values), asked.change(f"Set {', '.join(values)}"), if_match(asked)
                )
            except Changed:
                raise stale() from None
        return done(saved, {"status": "ok"})

    async def _known(self) -> Sequence[Secret]:
        """Secrets that may stand elsewhere than where the schema has them."""
        return (*self._in_use().secrets, *await self._former.known())

    async def _kept(self) -> Kept | None:
        with editing():
            return await self._configuring.text()

    async def _read(self, asked: Asked, kept: Kept | None) -> str:
        """The text that was sent, with its secrets. Raises `InvalidRequest`."""
        try:
            text = asked.body.decode()
        except UnicodeDecodeError:
            raise InvalidRequest("The body is not UTF-8.") from None
        before = kept.text if kept else ""
        restored: str = await self._restored(self._masking.restored, text, before)
        return restored

    async def _restored(self, restore: Callable[..., Any], masked: Any, before: str) -> Any:
        """Former secrets, for which all versions are read, only where names are left that nothing else explains."""
        found = await self._in_thread(restore, masked, before, self._in_use().secrets)
        if names_left(found):
            found = await self._in_thread(restore, found, before, await self._former.known())
        return found

    async def _judged(self, asked: Asked) -> Configuration:
        return await self._configuring.judge(await self._read(asked, await self._kept()))


def _drafted(text: str, values: Mapping[str, Any], places: Mapping[str, int] = MappingProxyType({})) -> str:
    """Raises as edits do."""
    for path, value in values.items():
        text = without(text, path) if value is None else edited(text, path, value)
    for path, to in places.items():
        text = moved(text, path, to)
    return text


def _data(text: str) -> Any:
    try:
        return data_of(parse(text.removeprefix("\ufeff"), "")[0]) or {}
    except Unparsable:
        return None
