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
    "~/.antigravity/oauth_creds.json",
    "~/.codex/auth.json",
    "~/.claude/.credentials.json",
    "~/.qwen/oauth_creds.json",
    "~/.iflow/oauth_creds.json",
    "~/.aws/sso/cache/kiro-auth-token.json",
    "~/.config/github-copilot/apps.json",
    "~/.config/github-copilot/hosts.json",
)
"""Where vendors' programs keep theirs."""


@dataclass(frozen=True, slots=True)
class Siblings:
    """JSON files beside the one that is imported, by name: Kiro's keeps its client in one."""

    files: Mapping[str, Mapping[str, Any]]


def read_import(path: str, body: bytes, logins: Mapping[str, Login], siblings: Siblings) -> Sequence[Content]:
    """Raises `Unreadable`."""
    found = _object(body)
    kind = found.get("type")
    if isinstance(kind, str) and kind.lower() in {each for login in logins.values() for each in login.types}:
        return [dict(read_record("", body).content)]
    for fits, made in _FORMS:
        if fits(found, PurePath(path)):
            return made(found, siblings)
    raise Unreadable("is no login of a program we know")


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


def _google(found: Mapping[str, Any], kind: str) -> Sequence[Content]:
    content = _tokens(found, kind)
    if kind == "antigravity":
        return [content]
    token = {name: value for name, value in content.items() if name not in ("type", "expired")}
    if "expired" in content:
        token["expiry"] = content["expired"]
    return [{"type": kind, "token": token}]


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
    (lambda found, path: _like_google(found) and "antigravity" in str(path), lambda found, _: _google(found, "antigravity")),
    (lambda found, _: _like_google(found), lambda found, _: _google(found, "gemini")),
)  # fmt: skip


def _iflow(found: Mapping[str, Any]) -> Content:
    key = text_of(found, "apiKey", "api_key")
    return {**_tokens(found, "iflow"), **({"api_key": key} if key else {})}


def _like_google(found: Mapping[str, Any]) -> bool:
    return isinstance(found.get("refresh_token"), str) and (
        "expiry_date" in found or "googleapis" in str(found.get("scope", ""))
    )
