"""Logins that other programs keep: the vendors' own files, and those of CLIProxyAPI and AIClient-2-API. JSON in, a credential
file's content out; nothing is asked.

Source: provider sheets, "Official client file"."""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import orjson

from aiproxy.credentials.login import Login
from aiproxy.credentials.record import Unreadable, read_record
from aiproxy.credentials.refresh_grant import openai_identity
from aiproxy.credentials.times import moment, written
from aiproxy.credentials.ways.desk import Content, text_of

KNOWN_PLACES = (
    "~/.gemini/oauth_creds.json",
    "~/.codex/auth.json",
    "~/.claude/.credentials.json",
    "~/.qwen/oauth_creds.json",
    "~/.iflow/oauth_creds.json",
    "~/.aws/sso/cache/kiro-auth-token.json",
    "~/.local/share/kiro-cli/data.sqlite3",
    "~/Library/Application Support/kiro-cli/data.sqlite3",
    "~/.config/github-copilot/apps.json",
    "~/.config/github-copilot/hosts.json",
)
"""Where vendors' programs keep theirs. Antigravity's are in its editor's own database, of which nothing is documented: one logs
in anew."""

KIRO_CLI_TABLE = "auth_kv"

_KIRO_CLI_REGISTRATION = "device-registration"


@dataclass(frozen=True, slots=True)
class Siblings:
    """JSON files beside the one that is imported, by name: Kiro's keeps its client in one."""

    files: Mapping[str, Mapping[str, Any]]


def read_import(path: str, body: bytes, logins: Mapping[str, Login], siblings: Siblings) -> Sequence[Content]:
    """Raises `Unreadable`."""
    found = _object(body)
    kind = found.get("type")
    if kind == "service_account":
        return [_vertex(found)]
    if isinstance(kind, str) and kind.lower() in {each for login in logins.values() for each in login.types}:
        return [dict(read_record("", body).content)]
    for fits, made in _FORMS:
        if fits(found, PurePath(path)):
            return made(found, siblings)
    raise Unreadable("is no login of a program we know")


def _vertex(found: Mapping[str, Any]) -> Content:
    """Google's own file of a service account."""
    about = {"project_id": text_of(found, "project_id"), "email": text_of(found, "client_email")}
    return {"type": "vertex", "service_account": dict(found), **about}


def _object(body: bytes) -> dict[str, Any]:
    """AIClient-2-API also passes Kiro's file on in base64."""
    text = body.removeprefix(b"\xef\xbb\xbf").strip()
    if text[:1] not in (b"{", b"["):
        try:
            text = base64.b64decode(text, validate=True)
        except binascii.Error:
            raise Unreadable("is not valid JSON") from None
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise Unreadable("is not valid JSON") from None
    if not isinstance(found, dict):
        raise Unreadable("is not a JSON object")
    return found


def _ends(found: Mapping[str, Any], *names: str) -> dict[str, str]:
    at = next((at for name in names if (at := moment(found.get(name))) is not None), None)
    return {} if at is None else {"expired": written(at)}


def _tokens(found: Mapping[str, Any], kind: str, *more: str) -> Content:
    kept = ("access_token", "refresh_token", "id_token", "token_type", "scope", *more)
    named = {name: found[name] for name in kept if isinstance(found.get(name), str) and found[name]}
    return {"type": kind, **named, **_ends(found, "expiry_date", "expired")}


def _codex(found: Mapping[str, Any], _siblings: Siblings) -> Sequence[Content]:
    tokens = found["tokens"]
    content = _tokens(tokens, "codex", "account_id")
    return [{**content, **openai_identity(tokens.get("id_token")), "last_refresh": found.get("last_refresh") or ""}]


def _claude(found: Mapping[str, Any], _siblings: Siblings) -> Sequence[Content]:
    login = found["claudeAiOauth"]
    content: Content = {"type": "claude", "access_token": text_of(login, "accessToken"), **_ends(login, "expiresAt")}
    if refresh := text_of(login, "refreshToken"):
        content["refresh_token"] = refresh
    return [content]


def _gemini(found: Mapping[str, Any], _siblings: Siblings) -> Sequence[Content]:
    content = _tokens(found, "gemini")
    token = {name: value for name, value in content.items() if name not in ("type", "expired")}
    if "expired" in content:
        token["expiry"] = content["expired"]
    return [{"type": "gemini", "token": token}]


def _copilot(found: Mapping[str, Any], _siblings: Siblings) -> Sequence[Content]:
    logins = [each for host, each in found.items() if host.startswith("github.com") and isinstance(each, dict)]
    return [
        {"type": "copilot", "github_token": each["oauth_token"], "username": text_of(each, "user")}
        for each in logins
        if text_of(each, "oauth_token")
    ]


def _kiro(found: Mapping[str, Any], siblings: Siblings) -> Sequence[Content]:
    """The client's registration is in the sibling that this file names; another account's is left alone."""
    content: Content = {"type": "kiro", **found}
    if content.get("clientSecret") or text_of(found, "authMethod").lower() == "social":
        return [content]
    named = siblings.files.get(f"{text_of(found, 'clientIdHash')}.json")
    registered = [
        each for each in siblings.files.values() if text_of(each, "clientId") and text_of(each, "clientSecret")
    ]
    if named is None and (client := text_of(found, "clientId")):
        named = next((each for each in registered if each["clientId"] == client), None)
    elif named is None and len(registered) == 1 and text_of(found, "authMethod"):
        named = registered[0]
    if named is not None:
        content |= {name: named[name] for name in ("clientId", "clientSecret") if text_of(named, name)}
    return [content]


def read_kiro_cli(rows: Mapping[str, str]) -> Sequence[Content]:
    """kiro-cli's table, by key: `kirocli:social:token` and the like, and beside `…:odic:token` its client's registration.
    Raises `Unreadable`."""
    made: list[Content] = []
    for key, value in sorted(
        rows.items(), reverse=True
    ):  # today's names come before `codewhisperer:…` of older versions
        family, _, last = key.rpartition(":")
        if last != "token":
            continue
        content = {"type": "kiro", **_object(value.encode()), "auth_method": _kiro_cli_method(family)}
        registered = rows.get(f"{family}:{_KIRO_CLI_REGISTRATION}")
        if registered is not None:
            client = _object(registered.encode())
            content |= {name: client[name] for name in ("client_id", "client_secret") if text_of(client, name)}
        if text_of(content, "refresh_token") not in {each["refresh_token"] for each in made}:
            made.append(content)
    if not made:
        raise Unreadable("holds no login of kiro-cli's")
    return made


def _kiro_cli_method(family: str) -> str:
    return {"social": "social", "external-idp": "external_idp"}.get(family.rpartition(":")[2], "idc")


_FORMS: Sequence[
    tuple[
        Callable[[Mapping[str, Any], PurePath], bool],
        Callable[[Mapping[str, Any], Siblings], Sequence[Content]],
    ]
] = (
    (lambda found, _: isinstance(found.get("tokens"), dict), _codex),
    (lambda found, _: isinstance(found.get("claudeAiOauth"), dict), _claude),
    (lambda found, _: "accessToken" in found and "refreshToken" in found, _kiro),
    (lambda found, _: any(name.startswith("github.com") for name in found), _copilot),
    (lambda found, path: "apiKey" in found or ".iflow" in path.parts, lambda found, _: [_iflow(found)]),
    (lambda found, path: "resource_url" in found or ".qwen" in path.parts, lambda found, _: [_tokens(found, "qwen", "resource_url")]),
    (lambda found, _: _like_google(found), _gemini),
)  # fmt: skip


def _iflow(found: Mapping[str, Any]) -> Content:
    key = text_of(found, "apiKey", "api_key")
    return {**_tokens(found, "iflow"), **({"api_key": key} if key else {})}


def _like_google(found: Mapping[str, Any]) -> bool:
    return isinstance(found.get("refresh_token"), str) and (
        "expiry_date" in found or "googleapis" in str(found.get("scope", ""))
    )
