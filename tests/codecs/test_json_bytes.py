"""What orjson refuses is written all the same."""

import json

import pytest

from aiproxy.codecs.json_bytes import dump


@pytest.mark.parametrize("value", [{"a": [1, None, "ü"]}, 2**70, {"text": "\ud800"}])
def test_dump(value: object) -> None:
    assert json.loads(dump(value)) == value
