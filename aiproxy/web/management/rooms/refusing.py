"""How what a room was given says no, as the API says it."""

from collections.abc import Iterator
from contextlib import contextmanager

from aiproxy.credentials.record import Unreadable
from aiproxy.credentials.ways.desk import LoginFailed
from aiproxy.neutral.errors import Conflict, InvalidRequest, NotFound, Overloaded
from aiproxy.storage.state.client_keys import UnknownKey
from aiproxy.storage.state.database import StateUnavailable
from aiproxy.storage.store import Conflict as Changed
from aiproxy.storage.store import StoreError, Unacceptable


@contextmanager
def refusing() -> Iterator[None]:
    """Raises `GatewayError`s for what stores, the state and logins raise."""
    try:
        yield
    except StateUnavailable as away:
        raise Overloaded(f"The state can't be had now: {away}") from away
    except UnknownKey as unknown:
        raise NotFound(f"There is {unknown}.") from unknown
    except Changed as changed:
        raise Conflict(str(changed), code="changed") from changed
    except Unacceptable as refused:
        raise InvalidRequest(f"{refused}.") from refused
    except StoreError as error:
        raise Overloaded(str(error)) from error
    except Unreadable as error:
        raise InvalidRequest(f"The file {error}.") from error
    except LoginFailed as failed:
        raise InvalidRequest(str(failed)) from failed
