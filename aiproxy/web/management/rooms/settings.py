"""Single settings and lists of the configuration, by CLIProxyAPI's paths and in its shapes.

`GET /request-retry` is `{"request-retry": 3}`; `PUT` and `PATCH` take `{"value": …}`. Lists take what they give: secrets leave as
names of their own, and come back as them. A change is written into the text as any other edit, so comments and order stay."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiproxy.config import Configuration
from aiproxy.config.client_edits import rotated
from aiproxy.config.edit import edited, without
from aiproxy.config.effective import plain
from aiproxy.config.list_edits import AUTH_INDEX, as_mapping, changed, entries, replaced
from aiproxy.config.masking import Masking
from aiproxy.config.schema import Settings
from aiproxy.config.schema.observing import LogLevel, PromptLogMode
from aiproxy.neutral.errors import InvalidRequest, NotFound
from aiproxy.secrets import Scrubber, digest
from aiproxy.storage.store import Change
from aiproxy.web.management.rooms.editing import ONE_VALUE, Configuring, editing
from aiproxy.web.management.routes import Asked, Route, theirs

OK = {"status": "ok"}

SCALARS = (
    "request-retry",
    "max-retry-credentials",
    "max-retry-interval",
    "force-model-prefix",
    "proxy-url",
    "quota-exceeded.switch-project",
    "quota-exceeded.switch-preview-model",
    "routing.strategy",
    "error-logs-max-files",
    "ws-auth",
)
"""Settings that have CLIProxyAPI's name, by their paths."""


@dataclass(frozen=True, slots=True)
class Switch:
    """What has another name there. `on` and `off` are what is set here; without them it is only told, and `why` it can't be set."""

    name: str
    read: Callable[[Settings], Any]
    on: Mapping[str, Any] | None = None
    off: Mapping[str, Any] | None = None
    why: str = ""


SWITCHES = (
    Switch(
        "debug",
        lambda settings: settings.logging.level is LogLevel.DEBUG,
        {"logging.level": "debug"},
        {"logging.level": "info"},
    ),
    Switch(
        "request-log",
        lambda settings: settings.prompt_log.mode is not PromptLogMode.NONE,
        {"prompt-log.mode": "file"},
        {"prompt-log.mode": "none"},
    ),
    Switch("usage-statistics-enabled", lambda _: True, why="usage is always counted"),
    Switch(
        "logging-to-file",
        lambda settings: bool(settings.logging.file),
        why="it is on when `logging.file` names a file; PATCH /config sets it",
    ),
)

ENTRIES = ("gemini-api-key", "claude-api-key", "codex-api-key", "xai-api-key", "vertex-api-key", "openai-compatibility")
"""Lists of accounts."""

OUR_ENTRIES = ("openai-api-key", "ollama")
"""Those that CLIProxyAPI has none of."""

WITHOUT_WHICH = {"codex-api-key": ("base-url",), "xai-api-key": ("base-url",), "openai-compatibility": ("base-url",)}
"""What an entry loses when it is to go, beside the key: at no other address than it was written for is its key ever shown."""

API_KEYS = "api-keys"


class SettingsRoom:
    def __init__(
        self,
        configuring: Configuring,
        masking: Masking,
        in_use: Callable[[], Configuration],
        in_thread: Callable[..., Awaitable[Any]],
    ) -> None:
        self._in_thread = in_thread
        self._configuring = configuring
        self._masking = masking
        self._in_use = in_use

    def routes(self) -> Sequence[Route]:
        found = [route for path in SCALARS for route in self._scalar(path)]
        found += [route for switch in SWITCHES for route in self._switch(switch)]
        found += self._scalar("logging.max-total-size-mb", "logs-max-total-size-mb")
        found.append(Route("DELETE", "/proxy-url", "Take `proxy-url` out.", self._taken_out("proxy-url")))
        found += self._api_keys()
        found += [route for section in ENTRIES for route in self._entries(section)]
        ours = [
            *self._scalar("disable-cooling"),
            *(route for section in OUR_ENTRIES for route in self._entries(section)),
        ]
        return [*theirs(found), *ours]

    # -- one value

    def _scalar(self, place: str, path: str = "") -> list[Route]:
        url = path or place.replace(".", "/")
        name = url.rpartition("/")[2]

        async def show(_asked: Asked) -> Mapping[str, Any]:
            value: Any = self._in_use().settings
            for step in place.split("."):
                value = getattr(value, step.replace("-", "_"))
            return {name: plain(value, Scrubber(self._in_use().secrets))}

        async def put(asked: Asked) -> Mapping[str, Any]:
            return await self._put(asked, {place: _value(asked)})

        return _get_and_put(url, f"`{place}`", show, put)

    def _switch(self, switch: Switch) -> list[Route]:
        async def show(_asked: Asked) -> Mapping[str, Any]:
            return {switch.name: switch.read(self._in_use().settings)}

        async def put(asked: Asked) -> Mapping[str, Any]:
            wanted = _value(asked)
            if not isinstance(wanted, bool):
                raise InvalidRequest("The field 'value' must be true or false.", param="value")
            values = switch.on if wanted else switch.off
            if values is not None:
                return await self._put(asked, values)
            if wanted is not switch.read(self._in_use().settings):
                raise InvalidRequest(f"`{switch.name}` can't be set: {switch.why}.", param="value")
            return OK

        return _get_and_put(switch.name, f"`{switch.name}`", show, put)

    async def _put(self, asked: Asked, values: Mapping[str, Any]) -> Mapping[str, Any]:
        with editing(ONE_VALUE):
            await self._configuring.put(values, asked.change(f"Set {', '.join(values)}"))
        return OK

    def _taken_out(self, place: str) -> Callable[[Asked], Any]:
        async def take_out(asked: Asked) -> Mapping[str, Any]:
            return await self._edit(lambda text: without(text, place), asked.change(f"Take {place} out"))

        return take_out

    async def _edit(self, edit: Callable[[str], str], why: Change) -> Mapping[str, Any]:
        with editing(ONE_VALUE):
            await self._configuring.edit(edit, why)
        return OK

    # -- the text, and values that were sent

    async def _masked(self, section: str) -> list[Any]:
        with editing():
            kept = await self._configuring.text()
            if kept is None:
                return []
            masked = await self._in_thread(self._masking.masked, kept.text, self._in_use().secrets)
            found: list[Any] = await self._in_thread(entries, masked, section)
            return found

    async def _restored(self, value: Any) -> Any:
        with editing():
            kept = await self._configuring.text()
        before = kept.text if kept else ""
        return await self._in_thread(self._masking.restored_value, value, before, self._in_use().secrets)

    # -- client keys, as plain texts

    def _api_keys(self) -> list[Route]:
        url = f"/{API_KEYS}"
        patched = {"old": "The key, and", "new": "what it becomes; or", "index": "its place, and", "value": "the key."}
        removed = {"index": "Its place.", "value": "The key."}
        return [
            Route("GET", url, "Client keys, each by a name.", self._show_keys),
            Route("PUT", url, "Other client keys; those that are there keep their settings.", self._put_keys),
            Route("PATCH", url, "One client key.", self._patch_key, takes=patched),
            Route("DELETE", url, "Take one out.", self._delete_key, query=removed),
        ]

    async def _show_keys(self, _asked: Asked) -> Mapping[str, Any]:
        return {API_KEYS: [_key_of(entry) for entry in await self._masked(API_KEYS)]}

    async def _put_keys(self, asked: Asked) -> Mapping[str, Any]:
        wanted = await self._restored(_list(asked))

        def change(text: str) -> str:
            there = {_key_of(entry): entry for entry in entries(text, API_KEYS)}
            return replaced(text, API_KEYS, [there.get(_key_of(each), each) for each in wanted])

        return await self._edit(change, asked.change("Set the client keys"))

    async def _patch_key(self, asked: Asked) -> Mapping[str, Any]:
        body = await self._restored(asked.object())
        by_place = "index" in body
        new = body.get("value" if by_place else "new")
        if not isinstance(new, str) or not new:
            raise InvalidRequest("The fields 'old' and 'new', or 'index' and 'value', are wanted.", param="new")

        def change(text: str) -> str:
            keys = [_key_of(entry) for entry in entries(text, API_KEYS)]
            if by_place:
                index = _index(body, len(keys))
            else:  # one that isn't there is added, as CLIProxyAPI does
                index = keys.index(body["old"]) if body.get("old") in keys else len(keys)
            return rotated(text, index, new) if index < len(keys) else edited(text, f"{API_KEYS}[{index}]", new)

        return await self._edit(change, asked.change("Change a client key"))

    async def _delete_key(self, asked: Asked) -> Mapping[str, Any]:
        query = await self._restored(dict(asked.query))

        def change(text: str) -> str:
            keys = [_key_of(entry) for entry in entries(text, API_KEYS)]
            if "index" in query:
                return without(text, f"{API_KEYS}[{_index(query, len(keys))}]")
            if not query.get("value"):
                raise InvalidRequest("Which? Say its 'index', or its 'value'.", param="value")
            if query["value"] not in keys:
                raise NotFound("There is no such client key.", param="value")
            return without(text, f"{API_KEYS}[{keys.index(query['value'])}]")

        return await self._edit(change, asked.change("Take a client key out"))

    # -- accounts

    def _entries(self, section: str) -> list[Route]:
        url = f"/{section}"
        by = "name" if section == "openai-compatibility" else "base-url" if section == "ollama" else "api-key"

        async def show(_asked: Asked) -> Mapping[str, Any]:
            found = [as_mapping(entry, section) for entry in await self._masked(section)]
            return {section: [{**each, AUTH_INDEX: auth_index(section, n, each)} for n, each in enumerate(found)]}

        async def put(asked: Asked) -> Mapping[str, Any]:
            wanted = [_without_index(entry) for entry in await self._restored(_list(asked))]
            return await self._edit(lambda text: replaced(text, section, wanted), asked.change(f"Set {section}"))

        async def patch(asked: Asked) -> Mapping[str, Any]:
            body = await self._restored(asked.object())
            values = body.get("value")
            if not isinstance(values, dict):
                raise InvalidRequest("The field 'value' must be an object of what changes.", param="value")
            values = _without_index(values)
            which = {**body, by: body.get("match", body.get("name" if by == "name" else by, ""))}

            def change(text: str) -> str:
                index = _which(text, section, by, which, asked.query.get("base-url", ""))
                if any(key in values and not values[key] for key in (by, *WITHOUT_WHICH.get(section, ()))):
                    return without(text, f"{section}[{index}]")
                return changed(text, section, index, values)

            return await self._edit(change, asked.change(f"Change {section}"))

        async def delete(asked: Asked) -> Mapping[str, Any]:
            query = await self._restored(dict(asked.query))

            def change(text: str) -> str:
                return without(text, f"{section}[{_which(text, section, by, query, query.get('base-url', ''))}]")

            return await self._edit(change, asked.change(f"Take an entry of {section} out"))

        patched = {"index": "Its place, or", "match": f"its {by}", "value": "What changes; what is empty is taken out."}
        removed = {by: "Which.", "index": "Its place.", "base-url": "Which, where several have the same key."}
        return [
            Route("GET", url, f"The entries of `{section}`, secrets by a name.", show),
            Route("PUT", url, "Other entries; those that are there stay as they are written.", put),
            Route("PATCH", url, "One of them.", patch, takes=patched),
            Route("DELETE", url, "Take one out.", delete, query=removed),
        ]


def auth_index(section: str, number: int, entry: Mapping[str, Any]) -> str:
    """What usage calls the account, as there: a digest of its name."""
    if section == "openai-compatibility":
        return account_index(f"{entry.get('name', '')}-1")
    return account_index(str(entry.get("name") or f"{section.removesuffix('-api-key')}-{number + 1}"))


def account_index(account: str) -> str:
    return digest(account)[:16]


def _get_and_put(url: str, words: str, show: Any, put: Any) -> list[Route]:
    takes = {"value": "What it is to be."}
    changes = [Route(method, f"/{url}", f"Set {words}.", put, takes=takes) for method in ("PUT", "PATCH")]
    return [Route("GET", f"/{url}", f"Show {words}.", show), *changes]


def _value(asked: Asked) -> Any:
    found = asked.object().get("value")
    if found is None:
        raise InvalidRequest("The field 'value' is wanted.", param="value")
    return found


def _list(asked: Asked) -> list[Any]:
    """The body, or its `items`."""
    found = asked.json()
    found = found.get("items") if isinstance(found, dict) else found
    if not isinstance(found, list):
        raise InvalidRequest("A list is wanted, or an object with `items`.", param="items")
    return found


def _key_of(entry: Any) -> str:
    found = as_mapping(entry, API_KEYS).get("key", "")
    return found if isinstance(found, str) else ""


def _index(asked: Mapping[str, Any], count: int) -> int:
    try:
        index = int(asked["index"])
    except (TypeError, ValueError):
        raise InvalidRequest("'index' must be a whole number.", param="index") from None
    if not 0 <= index < count:
        raise NotFound(f"There are {count} entries, from 0.", param="index")
    return index


def _which(text: str, section: str, by: str, asked: Mapping[str, Any], base_url: str) -> int:
    """The entry that is meant. Raises `NotFound`, and `InvalidRequest` where several may be."""
    there = [as_mapping(entry, section) for entry in entries(text, section)]
    if asked.get("index") not in (None, ""):
        return _index(asked, len(there))
    wanted = asked.get(by, "")
    if not wanted:
        raise InvalidRequest(f"Which? Say its '{by}', or its 'index'.", param=by)
    found = [
        index
        for index, each in enumerate(there)
        if each.get(by) == wanted and (not base_url or by == "base-url" or each.get("base-url", "") == base_url)
    ]
    if not found:
        raise NotFound(f"There is no such entry of `{section}`.", param=by)
    if len(found) > 1:
        raise InvalidRequest("Several entries have this key; say the base-url, or the index.", param="base-url")
    return found[0]


def _without_index(entry: Any) -> Any:
    return {key: value for key, value in entry.items() if key != AUTH_INDEX} if isinstance(entry, dict) else entry
