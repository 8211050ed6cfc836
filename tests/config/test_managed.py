"""Settings of a managed key are read as the configuration's are."""

from typing import Any

import pytest

from aiproxy.config import ConfigurationInvalid
from aiproxy.config.managed import key_settings


def test_settings_are_those_of_an_entry() -> None:
    read = key_settings("team", {"models": ["gpt-*"], "budget": {"usd-per-month": 2.5}, "tags": ["a"]})
    assert (read.name, read.models, read.tags) == ("team", ("gpt-*",), ("a",))
    assert read.budget.usd_per_month == 2.5


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"modles": []}, "did you mean `models`"),
        ({"priority": "high"}, "a whole number"),
        ({"limits": {"concurrent": -1}}, "at least 0"),
        ({"models": ["${HOME}"]}, "HOME"),
        ({"expires": "soon"}, "`expires` wants a date"),
        ({"tags": ["\x7f"]}, "a character that YAML doesn't allow"),
    ],
)
def test_what_is_wrong_is_named(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationInvalid) as invalid:
        key_settings("team", settings)
    assert words in "; ".join(problem.message for problem in invalid.value.problems)


@pytest.mark.parametrize("settings", [{"key": "x"}, {"name": "x"}, {"disabled": True}, {"models": {1, 2}}])
def test_what_is_no_setting_of_it_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        key_settings("team", settings)
