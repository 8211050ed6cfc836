"""A management key, and the API as its holder sees it."""

from typing import Any

import bcrypt
import httpx2

from tests.rig.daemon import Daemon

KEY = "a-management-key-0123456789"
HASHED = bcrypt.hashpw(KEY.encode(), bcrypt.gensalt(4)).decode()

MANAGED = f'remote-management: {{secret-key: "{HASHED}"}}\n'
"""A line of a configuration. The key is hashed already, so that no start is followed by a reload."""

HTTP = httpx2.Client(timeout=20, limits=httpx2.Limits(max_keepalive_connections=0))
"""One for all: making one costs more than most requests. It keeps no connection and no cookie of its own."""


class Api:
    """Asks a running gateway; answers are what JSON says. Other statuses than 200 are told by `refused`."""

    def __init__(self, gateway: Daemon) -> None:
        self._root = f"{gateway.address}/v0/management"

    def ask(self, method: str, path: str, **more: Any) -> httpx2.Response:
        headers = {"authorization": f"Bearer {KEY}", **more.pop("headers", {})}
        return HTTP.request(method, self._root + path, headers=headers, **more)

    def get(self, path: str, **query: str) -> Any:
        return self._done(self.ask("GET", path, params=query))

    def post(self, path: str, body: Any = None) -> Any:
        return self._done(self.ask("POST", path, **({} if body is None else {"json": body})))

    def put(self, path: str, body: Any) -> Any:
        return self._done(self.ask("PUT", path, json=body))

    def patch(self, path: str, body: Any) -> Any:
        return self._done(self.ask("PATCH", path, json=body))

    def delete(self, path: str, **query: str) -> Any:
        return self._done(self.ask("DELETE", path, params=query))

    def refused(self, method: str, path: str, **more: Any) -> tuple[int, Any]:
        """Status and body."""
        answer = self.ask(method, path, **more)
        assert answer.status_code >= 400, answer.text
        return answer.status_code, answer.json()

    def _done(self, answer: httpx2.Response) -> Any:
        assert answer.status_code == 200, (answer.status_code, answer.text)
        return answer.json()
