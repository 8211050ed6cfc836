"""The rig's shapes find what doesn't fit, or the tables written in them would say nothing."""

from typing import Any

import pytest

from tests.rig.shapes import differences


@pytest.mark.parametrize(
    ("found", "shape"),
    [
        ({"a": 1, "more": 2}, {"a": int}),
        (None, (str, type(None))),
        ([1, 2], [int]),
        ({"x": [True]}, {...: [bool]}),
        ([], []),
        ({"status": "ok"}, {"status": "ok"}),
    ],
)
def test_what_fits(found: Any, shape: Any) -> None:
    assert list(differences(found, shape)) == []


@pytest.mark.parametrize(
    ("found", "shape", "place"),
    [
        (True, int, "$"),
        ({"a": 1}, {"b": int}, "$: b is missing"),
        ({"a": {"b": ["x", 1]}}, {"a": {"b": [str]}}, "$.a.b[1]"),
        ([], [int], "$"),
        ({}, {...: int}, "$"),
        ({"x": "1"}, {...: int}, "$.x"),
        (1, (str, type(None)), "$"),
        ([1], {"a": int}, "$"),
        ({"status": "no"}, {"status": "ok"}, "$.status"),
        ([1], [], "$"),
    ],
)
def test_what_does_not(found: Any, shape: Any, place: str) -> None:
    (told,) = differences(found, shape)
    assert told.startswith(place)
