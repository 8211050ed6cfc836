"""The login side of vendors: one server that plays authorization, device codes, tokens, user info, onboarding and usage for all of
them, told apart by path. Refresh tokens are single use: whoever sends one twice is refused, as vendors do.

Sources: the vendors' own programs, as the declarations in `aiproxy.credentials.logins` name them."""

import base64
import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from html import escape
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from tests.rig.upstream import Received, Wire

HOUR = 3600

PAGE = """<!doctype html><title>A vendor</title><h1>Let aiproxy use your account?</h1>
<form action="allow">{fields}<button name="does" value="allow">Allow</button><button name="does" value="refuse">Refuse</button></form>"""


def jwt(claims: dict[str, Any]) -> str:
    parts = ({"alg": "none"}, claims)
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join((*encoded, "c2lnbmF0dXJl"))


@dataclass
class LoginVendor:
    """`refresh` is the one refresh token that is good now, `access` the one access token; `used` are those that were sent.
    `instead` answers the next questions: (status, body) each."""

    refresh: str = "refresh-0"
    access: str = "access-0"
    lifetime: int = HOUR
    rotates: bool = True
    revoked: bool = False
    used: list[str] = field(default_factory=list)
    instead: list[tuple[int, bytes]] = field(default_factory=list)
    pending: int = 1
    """Times that a device login is told to wait."""
    slow: int = 0
    asked: Counter[str] = field(default_factory=Counter)
    challenges: dict[str, str] = field(default_factory=dict)
    project: str = "project-of-google"
    onboards: int = 1
    bodies: list[tuple[str, Any]] = field(default_factory=list)
    number: int = 0
    profiles: list[dict[str, str]] = field(default_factory=list)
    """Of a Kiro account."""
    disabled: bool = False
    """Whether Code Assist is switched off in Google's projects."""

    def serve(self, received: Received, wire: Wire) -> None:
        path = urlsplit(received.path).path
        self.asked[path] += 1
        if self.instead:
            status, body = self.instead.pop(0)
            wire.answer(status, body)
            return
        if path.endswith(("/authorize", "/allow")):
            self._page(path, received, wire)
            return
        said = self.said(received)
        self.bodies.append((path, said))
        status, answer = self.answer(path, said, received)
        wire.answer(status, json.dumps(answer).encode())

    def _page(self, path: str, received: Received, wire: Wire) -> None:
        """Where a person allows the login: as a page that a browser opens, with a button."""
        query = dict(parse_qsl(urlsplit(received.path).query))
        if path.endswith("/authorize"):
            if "code_challenge" in query:
                assert query["code_challenge_method"] == "S256"
                self.challenges["code"] = query["code_challenge"]
            fields = "".join(
                f'<input type=hidden name="{escape(name)}" value="{escape(query[name])}">' for name in query
            )
            wire.answer(200, PAGE.format(fields=fields).encode(), {"content-type": "text/html; charset=utf-8"})
            return
        said = (
            {"error": "access_denied", "error_description": "Not today"}
            if query["does"] == "refuse"
            else {"code": "code-1"}
        )
        back = query.get("redirect_uri") or query["redirect"]
        wire.answer(302, b"", {"location": f"{back}?{urlencode({**said, 'state': query['state']})}"})

    def said(self, received: Received) -> dict[str, Any]:
        if "json" in received.headers.get("content-type", ""):
            found: dict[str, Any] = received.json
            return found
        return dict(parse_qsl(received.body.decode()))

    def answer(self, path: str, said: dict[str, Any], received: Received) -> tuple[int, Any]:
        if "ListAvailableProfiles" in received.headers.get("x-amz-target", ""):
            return self._profiles(said, received)
        match path.rsplit("/", 1)[-1]:
            case "token" | "refreshToken" | "access_token":
                return self._token(path, said)
            case "v2":
                return self._copilot()
            case "code" | "device_authorization" | "usercode":
                if challenge := said.get("code_challenge"):
                    self.challenges["device"] = challenge
                return 200, self._device(received)
            case "register":
                assert said["clientType"] == "public"
                return 200, {
                    "clientId": "registered",
                    "clientSecret": "registered-secret",
                    "clientSecretExpiresAt": 2e9,
                }
            case "userinfo" | "getUserInfo" | "profile" | "user":
                return self._who(received)
            case "v1internal:loadCodeAssist":
                return 200, {"allowedTiers": [{"id": "free-tier", "isDefault": True}]}
            case "v1internal:onboardUser":
                self.onboards -= 1
                if self.onboards >= 0:
                    return 200, {"done": False}
                return 200, {"done": True, "response": {"cloudaicompanionProject": {"id": self.project}}}
            case "usage":
                if received.headers["authorization"] != f"Bearer {self.access}":
                    return 401, {"error": {"message": "Not this token"}}
                return 200, {"rate_limit": {"primary_window": {"used_percent": 12, "reset_at": 4070908800}}}
            case "models":
                return 200, {"data": [{"id": "one"}, {"id": "two"}]}
            case "projects":
                return 200, {"projects": [{"projectId": "one"}, {"projectId": "two"}]}
            case "cloudaicompanion.googleapis.com":
                return 200, {"state": "DISABLED" if self.disabled else "ENABLED"}
            case "cloudaicompanion.googleapis.com:enable":
                self.disabled = False
                return 200, {"name": "operations/1"}
            case "apikey":
                named = {"name": "cookie-account", "expireTime": "2099-01-01 10:00"}
                return 200, {
                    "success": True,
                    "data": {**named, **({"apiKey": "key-1"} if received.method == "POST" else {})},
                }
        return 404, {"error": "not_found"}

    def _profiles(self, said: dict[str, Any], received: Received) -> tuple[int, Any]:
        """One a page."""
        assert received.headers["authorization"] == f"Bearer {self.access}"
        at = int(said.get("nextToken", "0"))
        more = {"nextToken": str(at + 1)} if at + 1 < len(self.profiles) else {}
        return 200, {"profiles": self.profiles[at : at + 1], **more}

    def _device(self, received: Received) -> Any:
        if "usercode" in received.path:
            return {"device_auth_id": "device-1", "user_code": "ABCD-EFGH", "interval": "1"}
        if "clientSecret" in received.body.decode():
            return {
                "deviceCode": "device-1", "userCode": "ABCD-EFGH", "verificationUri": "https://v.example/",
                "verificationUriComplete": "https://v.example/?c=ABCD-EFGH", "expiresIn": 600, "interval": 1,
            }  # fmt: skip
        return {
            "device_code": "device-1", "user_code": "ABCD-EFGH", "verification_uri": "https://v.example/",
            "verification_uri_complete": "https://v.example/?c=ABCD-EFGH", "expires_in": 600, "interval": 1,
        }  # fmt: skip

    def _who(self, received: Received) -> tuple[int, Any]:
        if "accessToken=" in received.path:
            query = parse_qs(urlsplit(received.path).query)
            assert query["accessToken"] == [self.access]
            return 200, {"success": True, "data": {"apiKey": f"key-{self.number}", "email": "a@iflow.example"}}
        email = "a@vendor.example"
        return 200, {"email": email, "login": "octocat", "account": {"email": email, "uuid": "u-1"}}

    def _copilot(self) -> tuple[int, Any]:
        self.number += 1
        return 200, {
            "token": f"tid=copilot-{self.number};exp=1",
            "expires_at": 4e9,
            "endpoints": {"api": "https://api.c.example"},
        }

    def _token(self, path: str, said: dict[str, Any]) -> tuple[int, Any]:
        if "copilot_internal" in path:
            return self._copilot()
        if "deviceauth" in path:
            return self._codex_device()
        kind = (
            said.get("grant_type") or said.get("grantType") or ("refresh_token" if "refreshToken" in said else "code")
        )
        if kind == "refresh_token":
            given = said.get("refresh_token") or said.get("refreshToken")
            self.used.append(str(given))
            if self.revoked or given != self.refresh:
                return 400, {"error": "invalid_grant", "error_description": "the token was revoked"}
            return 200, self.next()
        if "device_code" in kind:
            if self.pending > 0:
                self.pending -= 1
                return 400, {"error": "authorization_pending"}
            if self.slow > 0:
                self.slow -= 1
                return 400, {"error": "slow_down"}
            self._check(said.get("code_verifier"), "device")
            return 200, self.next()
        if said.get("code") != "code-1":
            return 400, {"error": "invalid_grant"}
        self._check(said.get("code_verifier"), "code")
        return 200, self.next()

    def _codex_device(self) -> tuple[int, Any]:
        if self.pending > 0:
            self.pending -= 1
            return 403, {}
        verifier = "v" * 43
        self.challenges["code"] = challenge(verifier)
        return 200, {"authorization_code": "code-1", "code_verifier": verifier}

    def _check(self, verifier: Any, way: str) -> None:
        if way in self.challenges:
            assert challenge(str(verifier)) == self.challenges[way]

    def next(self) -> Any:
        """New tokens; the old ones are worth nothing from now on."""
        self.number += 1
        self.access = f"access-{self.number}"
        if self.rotates:
            self.refresh = f"refresh-{self.number}"
        about = {"chatgpt_account_id": "account-1", "chatgpt_plan_type": "plus"}
        return {
            "access_token": self.access, "refresh_token": self.refresh, "token_type": "Bearer",
            "expires_in": self.lifetime, "accessToken": self.access, "refreshToken": self.refresh,
            "expiresIn": self.lifetime, "resource_url": "portal.qwen.example", "scope": "all",
            "id_token": jwt({"email": "a@vendor.example", "https://api.openai.com/auth": about}),
            "account": {"uuid": "u-1", "email_address": "a@vendor.example"},
            "organization": {"uuid": "o-1", "name": "An Organization"},
        }  # fmt: skip


def challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
