"""The configuration's history in the state: what is remembered, what is forgotten, and what nobody can read without the key."""

from collections.abc import Callable

import pytest

from aiproxy.storage import history
from aiproxy.storage.documents import digest
from aiproxy.storage.encryption import keys_of
from aiproxy.storage.history import AT_START, ELSEWHERE, KEPT, before, chosen, remember, remembered
from aiproxy.storage.state.database import Database
from aiproxy.storage.store import Change, Past
from tests.storage.places import ENCRYPTED

PLACE = "/etc/aiproxy/aiproxy.yaml"
HERE = Change("Set port", "aiproxy-config")
KEYS = keys_of(ENCRYPTED)

Make = Callable[[], Database]


def noted(database: Database, *texts: tuple[str, Change]) -> list[Past]:
    with database.transaction() as session:
        for at, (text, change) in enumerate(texts):
            remember(session, (), PLACE, float(at), text.encode(), change)
        remember(session, (), "/elsewhere.yaml", 1.0, b"port: 9", AT_START)
        return list(remembered(session, (), PLACE))


def test_each_version_is_told_once_the_latest_first(engine: Make) -> None:
    found = noted(engine(), ("a", AT_START), ("a", ELSEWHERE), ("b", ELSEWHERE), ("a", HERE))
    assert [(each.at, each.body, each.author, each.reason) for each in found] == [
        (3.0, b"a", "aiproxy-config", "Set port"),
        (2.0, b"b", "", "Changed where it is kept"),
        (0.0, b"a", "", "Found when the gateway started"),
    ]
    assert [each.version for each in found] == [digest(each.body) for each in found]


def test_who_did_it_may_be_told_after_it_was_noticed(engine: Make) -> None:
    found = noted(engine(), ("a", AT_START), ("b", ELSEWHERE), ("b", HERE), ("b", Change("Later", "someone else")))
    assert next((each.author, each.reason) for each in found) == ("aiproxy-config", "Set port")
    assert len(found) == 2


def test_two_that_noticed_it_at_once_noticed_one_version(engine: Make) -> None:
    database = engine()
    noted(database, ("a", AT_START))
    with database.transaction() as session:
        insert = "INSERT INTO configurations (place, at, author, reason, version, body) VALUES (?, ?, ?, ?, ?, ?)"
        session.run(insert, (PLACE, 5.0, "me", "why", digest(b"a"), "a"))
        (found,) = remembered(session, (), PLACE)
    assert (found.at, found.author, found.reason) == (0.0, "me", "why")


def test_no_more_is_kept_than_said(engine: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    database = engine()
    assert [each.body for each in noted(database, *((str(n), HERE) for n in range(KEPT + 5)))] == [
        str(n).encode() for n in reversed(range(5, KEPT + 5))
    ]
    monkeypatch.setattr(history, "KEPT_BYTES", 10)
    sizes = [len(each.body) for each in noted(database, ("x" * 4, HERE), ("y" * 4, HERE), ("z" * 4, HERE))]
    assert sizes == [4, 4]
    assert [len(each.body) for each in noted(database, ("X" * 40, HERE), ("Y" * 40, HERE))] == [40, 40]


def test_without_the_key_nothing_is_told(engine: Make) -> None:
    database = engine()
    with database.transaction() as session:
        remember(session, KEYS, PLACE, 1.0, b"api-keys: [canary-0123456789]", HERE)
        ((text,),) = session.rows("SELECT body FROM configurations")
        assert "canary" not in text
        assert [each.body for each in remembered(session, KEYS, PLACE)] == [b"api-keys: [canary-0123456789]"]
        assert remembered(session, (), PLACE) == []


def test_a_version_is_found_by_its_id_or_its_beginning() -> None:
    versions = [Past(name, 0.0, "", "", "", b"") for name in ("12", "1", "abcdef01", "abcdef02")]
    for wanted, found in {
        "1": "1",
        "12": "12",
        "abcdef01": "abcdef01",
        "abcdef0": "",
        "abcdef": "",
        "": "",
        "9": "",
    }.items():
        assert (one.id if (one := chosen(versions, wanted)) else "") == found, wanted
    assert before(versions, versions[1]) == versions[2]
    assert before(versions, versions[-1]) is None
