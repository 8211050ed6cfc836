"""Until when a key is good, and what is said when it is not."""

from datetime import UTC, datetime

import pytest

from aiproxy.clients import ANYONE, Client, moment


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("2026-12-31", datetime(2027, 1, 1, tzinfo=UTC)),
        ("2028-02-29", datetime(2028, 3, 1, tzinfo=UTC)),
        ("2026-12-31T18:00", datetime(2026, 12, 31, 18, tzinfo=UTC)),
        ("2026-12-31T18:00:30Z", datetime(2026, 12, 31, 18, 0, 30, tzinfo=UTC)),
        ("2026-12-31T18:00+02:00", datetime(2026, 12, 31, 16, tzinfo=UTC)),
    ],
)
def test_a_date_counts_to_its_end_and_a_time_to_itself(text: str, ends: datetime) -> None:
    assert moment(text) == ends.timestamp()


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-13-01", "2027-02-29", "31.12.2026"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        moment(text)


def test_a_key_is_good_until_its_very_end() -> None:
    client = Client("team", "team", expires=moment("2026-12-31"))
    assert client.objection(moment("2026-12-31") - 0.001) == ""
    assert client.objection(moment("2026-12-31")) == "expired at 2027-01-01 00:00 UTC"
    assert Client("team", "team", disabled=True).objection(0.0) == "is disabled"
    assert ANYONE.objection(1e12) == ""
