"""Who a key belongs to."""

from aiproxy.clients import ANYONE, Client, Keyring
from aiproxy.secrets import Secret


def test_a_key_finds_its_client_and_nothing_else_does() -> None:
    team = Client("team", "name team", lambda model: model == "m")
    keyring = Keyring([(Secret("key-of-team-a"), team)])
    assert keyring.find("key-of-team-a") is team
    assert [keyring.find(wrong) for wrong in ("key-of-team-b", "", None, "key-of-team-a ", "\udcff")] == [None] * 5
    assert not keyring.open


def test_without_keys_anyone_may() -> None:
    keyring = Keyring([])
    assert keyring.open
    assert keyring.find(None) is keyring.find("whatever") is ANYONE
