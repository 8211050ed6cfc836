"""HTTP requests that block, for a store that is read before a reactor runs, and by a tool that never has one.

Upstreams are called by `transports.http`; nothing but a store belongs on this client. Connections are kept, proxies are
those of the environment (`https_proxy`, `no_proxy`), certificates those that OpenSSL trusts (`SSL_CERT_FILE`).
"""

import http.client
import ssl
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from queue import Empty, LifoQueue
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from aiproxy.storage.store import Unavailable

SILENCE_SECONDS = 10.0
"""Longest wait for a connection, and for each read. Objects here are small."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    whole: bool
    """False when it was longer than asked for."""


class BlockingHttp:
    """Requests to one origin, from any number of threads. `silence`: for those who wait otherwise than `SILENCE_SECONDS`."""

    def __init__(self, origin: str, silence: float | None = None) -> None:
        self.origin = origin
        self._silence = SILENCE_SECONDS if silence is None else silence
        parts = urlsplit(origin)
        self._secure = parts.scheme == "https"
        self._host, self._port = parts.hostname or "", parts.port or (443 if self._secure else 80)
        self._context = ssl.create_default_context() if self._secure else None
        self._idle: LifoQueue[http.client.HTTPConnection] = LifoQueue()

    def send(self, method: str, target: str, headers: Mapping[str, str], body: bytes, longest: int) -> Answer:
        """`target` is path and query; at most `longest` bytes of the answer are read. Raises `Unavailable`."""
        try:
            kept = self._idle.get_nowait()
        except Empty:
            kept = None
        try:
            if kept is not None:
                try:
                    return self._ask(kept, method, target, headers, body, longest)
                except (http.client.RemoteDisconnected, ConnectionError):
                    kept.close()  # it died of age; signed requests are conditional, so that sending again is safe
            return self._ask(self._connection(), method, target, headers, body, longest)
        except TimeoutError:
            raise Unavailable(f"{self.origin} gave no answer within {self._silence:g} s.") from None
        except ssl.SSLCertVerificationError as error:
            raise Unavailable(
                f"{self.origin} has a certificate that can't be trusted: {error.verify_message}."
            ) from error
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(
                f"{self.origin} can't be reached: {getattr(error, 'strerror', None) or type(error).__name__}."
            ) from error

    def _ask(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes,
        longest: int,
    ) -> Answer:
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(name, value)
            if body or method == "PUT":
                connection.putheader("content-length", str(len(body)))
            connection.endheaders(body or None)
            answer = connection.getresponse()
            content = answer.read(longest + 1)
            if whole := len(content) <= longest:
                answer.read()  # raises for one that was cut off
        except BaseException:
            connection.close()
            raise
        if whole and not answer.will_close:
            self._idle.put(connection)
        else:
            connection.close()
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, content, whole)

    def _connection(self) -> http.client.HTTPConnection:
        scheme = "https" if self._secure else "http"
        proxy = urlsplit(getproxies().get(scheme, ""))
        host, port = self._host, self._port
        proxied = bool(proxy.hostname) and not proxy_bypass(f"{host}:{port}")
        if proxied:
            host, port = proxy.hostname or "", proxy.port or 8080
        if self._secure:
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                host, port, timeout=self._silence, context=self._context
            )
        else:
            connection = http.client.HTTPConnection(host, port, timeout=self._silence)
        if proxied:
            connection.set_tunnel(self._host, self._port, headers=_proxy_login(proxy.username, proxy.password))
        return connection

    def close(self) -> None:
        while True:
            try:
                self._idle.get_nowait().close()
            except Empty:
                return


def _proxy_login(username: str | None, password: str | None) -> dict[str, str]:
    if username is None:
        return {}
    pair = f"{unquote(username)}:{unquote(password or '')}".encode()
    return {"Proxy-Authorization": f"Basic {b64encode(pair).decode()}"}
