"""What a way to log in needs of the world: questions to the vendor, and a person with a browser."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qs, urlsplit

from aiproxy.credentials.exchange import Web

if TYPE_CHECKING:
    from aiproxy.credentials.login import Login

CALLBACK_SECONDS = 300.0
"""How long a person may take on the vendor's page; what vendors' own programs wait."""

Content = dict[str, Any]
"""Of a new credential file."""


class LoginFailed(Exception):
    """One sentence for whoever logs in, with the next step; without any secret."""


@dataclass(frozen=True, slots=True)
class Redirect:
    """Where a vendor sends the browser: a port of this machine. `url` is the address where that is another, so that what is
    listened on is only a way to bring it: then `spare_ports` do as well where `port` is in use, and `more_paths` too."""

    port: int
    path: str
    url: str = ""
    spare_ports: tuple[int, ...] = ()
    more_paths: tuple[str, ...] = ()

    @property
    def ports(self) -> tuple[int, ...]:
        return (self.port, *self.spare_ports)

    @property
    def paths(self) -> tuple[str, ...]:
        return (self.path, *self.more_paths)

    def address(self) -> str:
        return self.url or f"http://localhost:{self.port}{self.path}"


@dataclass(frozen=True, slots=True)
class Options:
    """What the operator said. `project` is an id, several with commas, or ALL; `port` 0 is the vendor's own."""

    project: str = ""
    port: int = 0
    region: str = ""
    start_url: str = ""
    identity: str = ""
    """At whom, where a vendor has several: `google`, `github`."""


class Desk(Web, Protocol):
    def now(self) -> float:
        """Seconds since the epoch."""

    def random(self, length: int) -> str:
        """So many random bytes, in base64 for URLs."""

    def tell(self, words: str) -> None: ...

    async def pause(self, seconds: float) -> None: ...

    async def visit(self, url: str, code: str = "", lasts: float = 0.0) -> None:
        """Ask the person to open a page, and to type a code there, which is good for so many seconds."""

    async def callback(self, url: str, redirect: Redirect, judge: Callable[[str], str]) -> str:
        """Have the page `url` opened, and wait for where the browser is sent then: by listening, or pasted by the person.

        `judge` says what is wrong with it ("" when nothing is): then it is waited for again. Raises `LoginFailed` when
        nothing good comes in `CALLBACK_SECONDS`."""

    async def enter(self, words: str) -> str:
        """A line that the person types."""


class Way(Protocol):
    @property
    def name(self) -> str:
        """`browser`, `device`, `cookie`: what it is chosen by."""

    async def __call__(self, login: "Login", desk: Desk, options: Options) -> Content:
        """Raises `LoginFailed`, and as `exchange.granted` does."""


@dataclass(frozen=True, slots=True)
class Callback:
    code: str
    state: str
    error: str


def read_callback(text: str) -> Callback:
    """The address that a browser was sent to, its query alone, or `CODE#STATE` as some vendors show it."""
    text = text.strip()
    parts = urlsplit(text)
    query = parse_qs(parts.query or (text if "=" in text and "://" not in text else ""))
    found = {name: values[0] for name, values in query.items()}
    if "code" not in found and "error" not in found and "://" not in text and "=" not in text:
        code, _, state = text.partition("#")
        found = {"code": code, "state": state}
    error = found.get("error", "")
    return Callback(found.get("code", ""), found.get("state", ""), found.get("error_description", error) or error)


def text_of(said: Mapping[str, Any], *names: str) -> str:
    """The first that holds text, at the top or below (`account.email`)."""
    for name in names:
        found: Any = said
        for part in name.split("."):
            found = found.get(part) if isinstance(found, dict) else None
        if isinstance(found, str) and found:
            return found
    return ""
