"""What vendors send is read, what is no JSON object is not."""

import math

import pytest

from aiproxy.codecs.json_bytes import load_object
from aiproxy.neutral.errors import UpstreamFailed


def test_what_orjson_would_not_read() -> None:
    found = load_object(b'{"logprob": -Infinity, "x": NaN, "text": "\\ud83d", "big": 123456789012345678901}')
    assert found["logprob"] == -math.inf
    assert found["text"] == "\ud83d"
    assert found["big"] == 123456789012345678901


@pytest.mark.parametrize("data", [b"", b"{", b"[DONE]", b"\xff", b"nan", b"[]", b"3", b"null", b"[" * 100_000])
def test_what_is_no_object(data: bytes) -> None:
    with pytest.raises(UpstreamFailed):
        load_object(data)
