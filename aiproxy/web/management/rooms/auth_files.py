"""Credential files by CLIProxyAPI's paths and in its shapes: listed, uploaded, downloaded, changed, deleted.

Their names are the store's: what would lead out of it is refused there. A download is the one answer that holds secrets, and is
noted as a change is."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from aiproxy.codecs.base import Answer
from aiproxy.credentials.accounts import Accounts
from aiproxy.credentials.changing import Documents, change, put, remove
from aiproxy.credentials.imports import Siblings, read_import
from aiproxy.credentials.login import Login
from aiproxy.credentials.naming import new_record
from aiproxy.credentials.record import SECRET_FIELDS, Record, Unreadable, read_record
from aiproxy.credentials.times import written
from aiproxy.gateway import Gateway
from aiproxy.neutral.errors import GatewayError, InvalidRequest, NotFound
from aiproxy.storage.documents import CREDENTIALS, check_name
from aiproxy.storage.store import Contents, Entry, Unacceptable
from aiproxy.web.management.rooms import account_views as views
from aiproxy.web.management.rooms.refusing import refusing
from aiproxy.web.management.rooms.settings import OK, account_index
from aiproxy.web.management.rooms.tenths import Kept, none_of, tenths
from aiproxy.web.management.routes import Asked, Route, answer, download, theirs
from aiproxy.web.multipart import Part, parts

MOST_FILES = 1000
"""Of one upload: with its limit of bytes, more than anybody has."""

TYPES: Mapping[str, tuple[type, ...]] = {
    "prefix": (str,),
    "proxy_url": (str,),
    "priority": (int,),
    "weight": (int,),
    "note": (str,),
    "headers": (dict,),
    "websockets": (bool,),
    "disabled": (bool,),
    "request_retry": (int,),
    "concurrency": (int,),
}
"""What fields of a file must be, that a hand may change. Others are kept as they come."""

STATUS = {"ready": "active", "limited": "active", "resting": "cooling", "disabled": "disabled", "refused": "error"}


class AuthFilesRoom:
    """`kept` is told of every record that comes."""

    def __init__(
        self,
        gateway: Gateway,
        accounts: Accounts,
        logins: Mapping[str, Login],
        documents: Documents,
        state: Kept,
        offset: Callable[[], float],
        kept: Callable[[Record], object],
    ) -> None:
        self._gateway = gateway
        self._accounts = accounts
        self._logins = logins
        self._documents = documents
        self._state = state
        self._offset = offset
        self._kept = kept

    def routes(self) -> Sequence[Route]:
        url = "/auth-files"
        which = {"name": "The file's."}
        found = (
            Route(
                "GET",
                url,
                "Credential files, without their tokens.",
                self.listed,
                query={"name": "Only this one.", "auth_index": "Only the one that usage calls so."},
            ),
            Route("GET", f"{url}/models", "The models of a file's accounts.", self.models, query=which),
            Route("GET", f"{url}/download", "A file as it is, tokens included.", self.download, query=which),
            Route(
                "POST",
                url,
                "Upload: a form of files, or one as JSON with its name. Vendors' own files are taken over, too.",
                self.upload,
                query=which,
                takes={"type": "And the rest of a file."},
            ),
            Route(
                "POST",
                "/vertex/import",
                "Upload a service account of Google's, as a form.",
                self.vertex,
                takes={"file": "Its JSON.", "location": "Where its calls are served."},
                reads="multipart/form-data",
            ),
            Route(
                "DELETE",
                url,
                "Delete files; vendors aren't told.",
                self.delete,
                query={"name": "Which; repeatable.", "all": "`true`: all."},
                takes={"names": "Which."},
            ),
            Route(
                "PATCH",
                f"{url}/status",
                "Enable or disable a file, or an account of the configuration.",
                self.switch,
                takes={"name": "Which, or", "auth_index": "what usage calls it.", "disabled": "true or false."},
            ),
            Route(
                "PATCH",
                f"{url}/fields",
                "Change a file's settings.",
                self.change,
                takes={"name": "Which.", **dict.fromkeys(TYPES, "As in the file; null takes it out.")},
            ),
        )
        return theirs(found)

    # -- what there is

    async def listed(self, asked: Asked) -> Mapping[str, Any]:
        with refusing():
            contents = await self._documents.contents()
        recent, no_calls = await tenths(self._state), none_of(self._state)
        rests = views.Rests(self._gateway.pool.resting(), self._offset())
        of_pool = {account.id: account for account in self._gateway.snapshot.accounts}
        files = []
        for name, entry in sorted(contents.entries.items()):
            if name.startswith(CREDENTIALS) and (told := self._told(name, entry)):
                account = told["id"]
                resting = rests.of(of_pool[account]) if account in of_pool else ()
                off = told["disabled"] or account in self._gateway.pool.disabled
                state = views.state(disabled=off, refused=told.pop("refused"), rests=resting)
                until = max((rest["until"] for rest in resting), default=None)
                said = {
                    "status": STATUS[state],
                    "unavailable": state == "resting",
                    "next_retry_after": written(until) if until else None,
                }
                used = recent.get(account, no_calls)
                counts = {
                    "success": sum(each["success"] for each in used),
                    "failed": sum(each["failed"] for each in used),
                    "recent_requests": used,
                }
                files.append({**told, **said, **counts})
        files += [_refused(name, why) for name, why in sorted(contents.refused.items())]
        wanted = {name: asked.query[name] for name in ("name", "auth_index") if asked.query.get(name)}
        return {"files": [file for file in files if all(file.get(name) == value for name, value in wanted.items())]}

    def _told(self, name: str, entry: Entry) -> dict[str, Any] | None:
        try:
            record = read_record(name, entry.body, entry.version)
        except Unreadable as error:
            return {**_refused(name, str(error)), "refused": str(error), "disabled": False}
        login = views.login_of(record, self._logins.values())
        seen = views.logged_in(record, login) if login else {}
        why = seen.get("refused") or seen.get("problem") or self._gateway.snapshot.left_out.get(name, "")
        if login is None:
            why = "has a `type` that nothing here logs in with"
        return {
            "id": record.id,
            "auth_index": account_index(record.id),
            "name": f"{record.id}.json",
            "type": record.type,
            "provider": login.provider if login else record.type,
            "label": record.label,
            "status_message": why,
            "refused": why,
            "disabled": record.disabled,
            "runtime_only": False,
            "source": "file",
            "path": name,
            "size": len(entry.body),
            "last_refresh": written(seen["refreshed"]) if seen.get("refreshed") else None,
            "expires": written(seen["expires"]) if seen.get("expires") else None,
            "email": record.text("email"),
            "project_id": seen.get("project", ""),
            "account_type": "oauth",
            "account": record.label,
            "priority": record.setting("priority") or 0,
            "weight": 1 if record.setting("weight") is None else record.setting("weight"),
            "note": record.text("note"),
            "plan_type": seen.get("plan", ""),
            "id_token": _claims(record),
            "websockets": record.setting("websockets") is True,
            "request_retry": record.setting("request_retry"),
        }

    async def models(self, asked: Asked) -> Mapping[str, Any]:
        name = _document(asked.query.get("name", ""))
        login = name.removeprefix(CREDENTIALS).removesuffix(".json")
        found = [
            {"id": model, "display_name": model, "type": upstream.provider.name, "owned_by": upstream.provider.name}
            for upstream in self._gateway.snapshot.upstreams.values()
            if login in (upstream.id, upstream.login)
            for model in (*upstream.models, *self._gateway.discovery.known.get(upstream.id, ()))
        ]
        return {"models": list({model["id"]: model for model in found}.values())}

    async def download(self, asked: Asked) -> Answer:
        name = _document(asked.query.get("name", ""))
        with refusing():
            entry = await self._documents.read(name)
        if entry is None:
            raise _no_file(name)
        asked.note()
        return download(entry.body, "application/json", name.rpartition("/")[2])

    # -- what comes and goes

    async def upload(self, asked: Asked) -> Answer | Mapping[str, Any]:
        kind = asked.header("content-type")
        if not kind.lower().startswith("multipart/"):
            name = await self._take(Part("file", asked.query.get("name", ""), asked.body), {})
            return {**OK, "files": [name]}
        try:
            found = [part for part in parts(kind, asked.body) if part.file]
        except ValueError as error:
            raise InvalidRequest(f"The form can't be read: {error}.") from None
        if not 1 <= len(found) <= MOST_FILES:
            raise InvalidRequest(f"A form of 1 to {MOST_FILES} files is wanted.", param="file")
        siblings = {part.file: content for part in found if (content := _object(part.body)) is not None}
        done, failed = [], []
        for part in found:
            try:
                done.append(await self._take(part, siblings))
            except GatewayError as error:
                if len(found) == 1:
                    raise
                failed.append({"name": part.file, "error": error.message})
        told = {**OK, "uploaded": len(done), "files": done}
        return answer({**told, "status": "partial", "failed": failed}, {}, 207) if failed else told

    async def _take(self, part: Part, siblings: Mapping[str, Mapping[str, Any]]) -> str:
        """The names under which it is kept. Raises `GatewayError`."""
        with refusing():
            contents = read_import(part.file, part.body, self._logins, Siblings(siblings))
            names = []
            for content in contents:
                record = new_record(self._login(content), content, None)
                if content == _object(part.body):  # one of our own kind keeps its name
                    record = Record(_document(part.file), record.type, content)
                names.append(await self._keep(record))
        return ", ".join(names)

    async def _keep(self, record: Record) -> str:
        """The file's name. Raises `Unreadable`, `StoreError`."""
        self._login(record.content).tokens(record)
        self._kept(record)
        await put(self._documents, record, f"Upload {record.id}")
        return f"{record.id}.json"

    async def vertex(self, asked: Asked) -> Mapping[str, Any]:
        try:
            form = {part.name: part.body for part in parts(asked.header("content-type"), asked.body)}
        except ValueError as error:
            raise InvalidRequest(f"The form can't be read: {error}.") from None
        location = form.get("location", b"").decode("utf-8", "replace").strip()
        with refusing():
            content = read_import("", form.get("file", b""), self._logins, Siblings({}))[0]
            if content["type"] != "vertex":
                raise InvalidRequest("The JSON of a service account is wanted.", param="file")
            content = {**content, **({"location": location} if location else {})}
            project = str(content.get("project_id") or "project")
            name = await self._keep(Record(_document(f"vertex-{project}.json"), "vertex", content))
        told = {each: content.get(each, "") for each in ("project_id", "email", "location")}
        return {**OK, "auth-file": name, **told}

    def _login(self, content: Mapping[str, Any]) -> Login:
        return next(login for login in self._logins.values() if str(content["type"]).lower() in login.types)

    async def delete(self, asked: Asked) -> Mapping[str, Any]:
        given = [name.decode("utf-8", "replace") for name in (asked.request.args or {}).get(b"name", ())]
        if asked.body:
            body = asked.json()
            body = body.get("names", [body.get("name")]) if isinstance(body, dict) else body
            if not isinstance(body, list) or not all(isinstance(name, str) for name in body):
                raise InvalidRequest("The body must name files: a list, `names`, or `name`.", param="names")
            given += body
        with refusing():
            if asked.query.get("all") == "true":
                contents: Contents = await self._documents.contents()
                given = [name.removeprefix(CREDENTIALS) for name in contents.entries if name.startswith(CREDENTIALS)]
            elif not given:
                raise InvalidRequest("Which file? Say its name, or all=true.", param="name")
            deleted = 0
            for name in [_document(each) for each in given]:
                if not await remove(self._documents, name, f"Delete {name}"):
                    raise _no_file(name)
                deleted += 1
        return {**OK, "deleted": deleted}

    # -- what is changed

    async def switch(self, asked: Asked) -> Mapping[str, Any]:
        name, disabled = self._named(asked), asked.object().get("disabled")
        if not isinstance(disabled, bool):
            raise InvalidRequest("The field 'disabled' must be true or false.", param="disabled")
        if name in self._gateway.snapshot.upstreams and not name.endswith(".json"):
            pool = self._gateway.pool
            (pool.disable if disabled else pool.enable)(name)
        else:
            await self._changed(name, {"disabled": disabled}, "Disable" if disabled else "Enable")
        return {**OK, "disabled": disabled}

    def _named(self, asked: Asked) -> str:
        """By its name, or what usage calls it."""
        index = asked.optional("auth_index")
        upstreams = self._gateway.snapshot.upstreams
        found = next((each for each in upstreams if index and index == account_index(each)), "")
        return asked.text("name", default=found or None)

    async def change(self, asked: Asked) -> Mapping[str, Any]:
        wanted = {name: value for name, value in asked.object().items() if name not in ("name", "auth_index")}
        for name, value in wanted.items():
            first = name.partition(".")[0]
            if first == "type" or any(step in SECRET_FIELDS for step in name.split(".")):
                raise InvalidRequest(f"The field {name!r} is the login's own: log in, or upload a file.", param=name)
            kinds = TYPES.get(name)
            fits = value is None or kinds is None or (isinstance(value, kinds) and (bool in kinds or value is not True))
            if not fits:
                raise InvalidRequest(f"The field {name!r} must be of type {kinds[0].__name__}.", param=name)  # type: ignore[index]
        headers = wanted.pop("headers", None)
        if isinstance(headers, dict):
            wanted |= {f"headers.{name}": value or None for name, value in headers.items()}
        if isinstance(wanted.get("request_retry"), int) and wanted["request_retry"] < 0:
            wanted["request_retry"] = None
        await self._changed(asked.text("name"), wanted, "Change")
        return OK

    async def _changed(self, name: str, changes: Mapping[str, Any], what: str) -> None:
        document = _document(name if name.endswith(".json") else f"{name}.json")
        with refusing():
            if await change(self._documents, document, changes, f"{what} {name}") is None:
                raise _no_file(document)


def _document(name: str) -> str:
    """The store's name of a file. Raises `InvalidRequest` for what is none, and for what would lead elsewhere."""
    found = f"{CREDENTIALS}{name}"
    try:
        if "\\" in name:
            raise Unacceptable(found, "has a backslash")
        check_name(found)
    except Unacceptable as refused:
        raise InvalidRequest(f"{name!r} {refused.why}.", param="name") from None
    return found


def _claims(record: Record) -> Mapping[str, str]:
    """What a token of OpenAI's says of its account; nothing of others."""
    if record.type != "codex":
        return {}
    return {"chatgpt_account_id": record.text("account_id"), "plan_type": record.text("plan_type")}


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def _refused(name: str, why: str) -> dict[str, Any]:
    plain = name.removeprefix(CREDENTIALS)
    return {"id": plain.removesuffix(".json"), "name": plain, "type": "unknown", "provider": "", "status": "error", "status_message": why, "disabled": False, "source": "file"}  # fmt: skip


def _no_file(name: str) -> NotFound:
    return NotFound(f"There is no file {name.removeprefix(CREDENTIALS)!r}.", param="name")
