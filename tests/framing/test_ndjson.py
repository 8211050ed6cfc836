"""Newline-delimited JSON, whatever the split."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiproxy.framing import Frame
from aiproxy.framing.ndjson import NdjsonFramer, encode_line
from aiproxy.neutral.errors import UpstreamFailed

from .splitting import cut, cuts, read


@pytest.mark.parametrize(
    ("stream", "lines"),
    [
        (b'{"a":1}\n{"b":2}\n', [b'{"a":1}', b'{"b":2}']),
        (b'{"a":1}\r\n{"b":2}', [b'{"a":1}', b'{"b":2}']),
        (b"\n \n\r\n{}\n\n", [b"{}"]),
        ('{"a":"é\u2028😀"}\n'.encode(), ['{"a":"é\u2028😀"}'.encode()]),
        (b"", []),
    ],
)
def test_cases(stream: bytes, lines: list[bytes]) -> None:
    assert read(NdjsonFramer, [stream]) == [Frame("", line) for line in lines]
    for place in range(len(stream)):
        assert read(NdjsonFramer, cut(stream, [place])) == [Frame("", line) for line in lines]


@given(
    st.lists(st.sampled_from([b"\n", b"\r\n", b" ", b"{}"]) | st.binary(max_size=3), max_size=40).map(b"".join),
    cuts(80),
)
def test_any_split_gives_the_lines(stream: bytes, places: list[int]) -> None:
    lines = [line.strip() for line in stream.split(b"\n")]
    assert read(NdjsonFramer, cut(stream, places)) == [Frame("", line) for line in lines if line]


_VALUES = st.recursive(
    st.none() | st.integers(-9, 9) | st.text(), lambda v: st.lists(v) | st.dictionaries(st.text(), v)
)


@given(st.lists(_VALUES, max_size=5), st.sampled_from([0, orjson.OPT_INDENT_2]), cuts(200))
def test_what_is_encoded_is_read_back(values: list[object], option: int, places: list[int]) -> None:
    stream = b"".join(encode_line(orjson.dumps(value, option=option)) for value in values)
    assert [orjson.loads(frame.data) for frame in read(NdjsonFramer, cut(stream, places))] == values


@pytest.mark.parametrize("size", [1, 7, 3000])
def test_an_endless_line_is_refused(size: int) -> None:
    stream = b'{"a":1}\n' + b"x" * 1025 + b"\n{}\n"
    with pytest.raises(UpstreamFailed, match="1024 bytes"):
        read(lambda: NdjsonFramer(limit=1024), cut(stream, range(size, len(stream), size)))
