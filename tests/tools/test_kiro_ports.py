"""Kiro's pages end at its own program's address; whatever opens that passes it on to one of several ports, the first that is free."""

import socket
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from urllib.request import urlopen

import pytest

from aiproxy.credentials.logins.kiro import CALLBACK_PORTS
from tests.tools.test_logins import Place, begun, ended, everywhere, free_port, place

__all__ = ["place"]


@dataclass
class Ported(Place):
    """With ports that the kernel gave in place of `CALLBACK_PORTS`: another login may be under way on this machine."""

    ports: tuple[int, ...] = ()

    def command(self, *arguments: str) -> list[str]:
        code = f"from aiproxy.credentials.logins import kiro; kiro.CALLBACK_PORTS = {self.ports}; from aiproxy_config.cli import main; main()"
        return [sys.executable, "-c", code, *arguments, "--config", "aiproxy.yaml"]


def test_they_are_those_of_kiros_own_program() -> None:
    assert CALLBACK_PORTS == (19876, 19877, 19878, 19879, 19880)


@pytest.mark.parametrize("in_use", [1, 4])
def test_the_first_free_port_is_listened_on(place: Place, in_use: int) -> None:
    everywhere(place)
    with ExitStack() as held:
        taken = [held.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1] for _ in range(in_use)]
        free = [free_port() for _ in range(5 - in_use)]
        ported = Ported(place.directory, place.vendor, place.server, place.environ, (*taken, *free))
        running, query = begun(ported, "kiro", "--no-browser")
        with urlopen(f"http://127.0.0.1:{free[0]}/oauth/callback?code=code-1&state={query['state']}") as page:
            assert b"Logged in" in page.read()
        assert "is logged in at kiro" in ended(running)


def test_with_all_in_use_the_address_is_pasted(place: Place) -> None:
    everywhere(place)
    with ExitStack() as held:
        taken = [held.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1] for _ in range(5)]
        ported = Ported(place.directory, place.vendor, place.server, place.environ, tuple(taken))
        running, query = begun(ported, "kiro", "--no-browser")
        said = ended(running, f"{query['redirect_uri']}?code=code-1&state={query['state']}\n")
        assert "is logged in at kiro" in said
