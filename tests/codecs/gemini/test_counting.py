"""countTokens, both bodies it takes and what it answers."""

import json

import pytest

from aiproxy.codecs.gemini import CODEC
from aiproxy.neutral import errors
from tests.codecs.gemini.exchanges import decode, exchange

CONTENTS = [{"role": "user", "parts": [{"text": "hi"}]}]

assert CODEC.token_counting
COUNTING = CODEC.token_counting


def test_bare_contents_stay_bare() -> None:
    request = decode({"contents": CONTENTS}, operation="count_tokens")
    assert json.loads(COUNTING.encode_request(exchange(request)).body) == {"contents": CONTENTS}


def test_a_whole_request_is_counted_under_its_models_name() -> None:
    body = {
        "model": "models/gemini-test",
        "contents": CONTENTS,
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
    }
    request = decode({"generate_content_request": body}, operation="count_tokens")
    assert json.loads(COUNTING.encode_request(exchange(request)).body) == {"generateContentRequest": body}


@pytest.mark.parametrize(("body", "count"), [(b'{"totalTokens": 42}', 42), (b"{}", 0)])
def test_counts_are_read(body: bytes, count: int) -> None:
    assert COUNTING.decode_answer(body) == count


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"totalTokens": "x"}', b'{"totalTokens": -1}', b'{"error": {"code": 500}}']
)
def test_what_is_no_count_is_a_failure(body: bytes) -> None:
    with pytest.raises(errors.GatewayError):
        COUNTING.decode_answer(body)
