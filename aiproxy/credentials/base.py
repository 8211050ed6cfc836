"""What an attempt needs of a credential, and what a credential is given to work with."""

from dataclasses import dataclass
from typing import Protocol

from twisted.internet.interfaces import IReactorTime

from aiproxy.transports.base import Transport

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Way:
    """How an account's upstream is reached, by its calls and by what must be asked before them.

    `account` is its id, for messages. `proxy` is a proxy's URL, "" for none."""

    account: str
    transport: Transport
    proxy: str
    clock: IReactorTime


class Credential(Protocol):
    """Equal, and of the same hash, to one that a later configuration makes of the same key or login: the first one then
    stays in use, with the token it holds."""

    @property
    def identity(self) -> str:
        """A digest of the key or login, the same in every process; it tells nothing of either."""

    async def sign(self, way: Way) -> Headers:
        """The headers that prove who we are, for one attempt.

        Raises `CredentialRefused` when the login is at an end, `UpstreamFailed` when nobody could say."""

    def refused(self, headers: Headers) -> bool:
        """An upstream answered 401 to what `sign` gave: whether to sign anew and ask once more."""
