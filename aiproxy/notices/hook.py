"""Telling notices to an address, signed, or to a command. Blocking: for a thread of its own."""

import hmac
import subprocess
from collections.abc import Sequence
from hashlib import sha256
from urllib.parse import urlsplit

import orjson

from aiproxy.notices.watching import Notice
from aiproxy.secrets import Secret
from aiproxy.storage.blocking_http import BlockingHttp

COMMAND_SECONDS = 30.0
"""How long a command may take."""


class NotTold(Exception):
    """Why, in one sentence without a secret."""


def signature(secret: Secret, at: int, body: bytes) -> str:
    """`t=TIME,v1=HMAC`: of the time, a dot and the body, so that nobody can send an old notice again as new."""
    mac = hmac.new(secret.reveal().encode(), f"{at}.".encode() + body, sha256).hexdigest()
    return f"t={at},v1={mac}"


class Hook:
    """`url` and `command` may be empty."""

    def __init__(self, url: str, secret: Secret, command: Sequence[str]) -> None:
        self._url = url
        self._secret = secret
        self._command = tuple(command)

    def tell(self, notice: Notice, at: int) -> None:
        """Raises `NotTold`."""
        told = {"event": notice.kind, "subject": notice.subject, "message": notice.words, "at": at}
        body = orjson.dumps(told)
        if self._command:
            self._run(body)
        if self._url:
            self._post(body, at)

    def _run(self, body: bytes) -> None:
        try:
            done = subprocess.run(  # noqa: S603 - the operator's own command, without a shell
                self._command, input=body, capture_output=True, timeout=COMMAND_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NotTold(f"{self._command[0]}: {type(error).__name__}") from error
        if done.returncode:
            raise NotTold(f"{self._command[0]} ended with {done.returncode}")

    def _post(self, body: bytes, at: int) -> None:
        parts = urlsplit(self._url)
        headers = {"host": parts.netloc.rpartition("@")[2], "content-type": "application/json"}
        if self._secret:
            headers["x-aiproxy-signature"] = signature(self._secret, at, body)
        server = BlockingHttp(f"{parts.scheme}://{parts.netloc}")
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            answer = server.send("POST", target, headers, body, 1024)
        except Exception as error:
            raise NotTold(f"{parts.hostname} can't be reached: {type(error).__name__}") from error
        finally:
            server.close()
        if answer.status >= 300:
            raise NotTold(f"{parts.hostname} answered {answer.status}")
