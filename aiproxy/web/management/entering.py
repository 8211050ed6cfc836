"""Routes by which a browser comes in and goes: sessions, and the set-up of the first start."""

from collections.abc import Mapping, Sequence
from typing import Any

from aiproxy.config.management_rules import LONGEST_KEY, SHORTEST_KEY
from aiproxy.config.steps import NotEdited
from aiproxy.neutral.errors import Conflict, InvalidRequest
from aiproxy.secrets import Secret
from aiproxy.storage.store import StoreError
from aiproxy.web.management.gate import Gate
from aiproxy.web.management.keeping import Documents, keep_hash
from aiproxy.web.management.keys import hashed
from aiproxy.web.management.routes import Asked, Route
from aiproxy.web.management.sessions import Session


class Entering:
    def __init__(self, gate: Gate, documents: Documents) -> None:
        self._gate = gate
        self._documents = documents

    def routes(self) -> Sequence[Route]:
        return (
            Route("GET", "/session", "Whether one is signed in, and the CSRF token.", self.show, open=True),
            Route(
                "POST",
                "/session",
                "Sign in: the key for a session cookie and a CSRF token.",
                self.sign_in,
                takes={"key": "The management key."},
                open=True,
            ),
            Route("DELETE", "/session", "Sign out.", self.sign_out),
            Route(
                "POST",
                "/setup",
                "Sign in by the one-time token of the first start, and set a management key.",
                self.set_up,
                takes={
                    "token": "What stands behind `#setup=` in the link.",
                    "secret-key": f"The key from now on, {SHORTEST_KEY} characters or more; without one the session is all there is.",
                },
                open=True,
            ),
        )

    async def show(self, asked: Asked) -> Mapping[str, Any]:
        session = self._gate.session(asked.request)
        return _told(session) if session else {"signed-in": False, "has-key": self._gate.has_key}

    async def sign_in(self, asked: Asked) -> Mapping[str, Any]:
        await self._gate.judge(asked.request, asked.text("key"))
        return _told(self._gate.begin_session(asked.request))

    async def sign_out(self, asked: Asked) -> Mapping[str, Any]:
        self._gate.end_session(asked.request)
        return {"signed-in": False}

    async def set_up(self, asked: Asked) -> Mapping[str, Any]:
        token, key = asked.text("token"), asked.text("secret-key", default="")
        if key and not (len(key) >= SHORTEST_KEY and len(key.encode()) <= LONGEST_KEY):
            told = f"A management key has {SHORTEST_KEY} characters or more, and {LONGEST_KEY} bytes or less."
            raise InvalidRequest(told, param="secret-key")
        self._gate.take_setup(asked.request, token)
        saved = False
        if key:
            self._gate.for_now = Secret(await self._gate.in_thread(hashed, key))
            try:
                saved = await keep_hash(self._documents, self._gate.for_now.reveal())
            except (StoreError, NotEdited) as error:
                raise Conflict(f"The key holds until the next start only: {error}") from error
        return {**_told(self._gate.begin_session(asked.request)), "saved": saved}


def _told(session: Session) -> Mapping[str, Any]:
    return {"signed-in": True, "csrf-token": session.csrf, "expires": session.ends}
