"""What vendors send is read, what is no JSON is not."""

import math

import pytest

from aiproxy.codecs.json_bytes import load


def test_numbers_that_are_none() -> None:
    found = load(b'{"logprob": -Infinity, "x": NaN, "text": "\\ud83d"}')
    assert isinstance(found, dict)
    assert found["logprob"] == -math.inf
    assert found["text"] == "\ud83d"


@pytest.mark.parametrize("data", [b"", b"{", b"[DONE]", b"\xff", b"nan"])
def test_what_is_no_json(data: bytes) -> None:
    with pytest.raises(ValueError):
        load(data)
