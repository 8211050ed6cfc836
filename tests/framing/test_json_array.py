"""The streaming JSON array, whatever the split."""

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aiproxy.framing import Frame
from aiproxy.framing.json_array import JsonArrayFramer
from aiproxy.neutral.errors import UpstreamFailed, UpstreamTruncated

from .splitting import cut, cuts, read


@pytest.mark.parametrize(
    ("stream", "objects"),
    [
        (b'[{"a":1}\n,\r\n{"b":[{},[]]}\n]', [b'{"a":1}', b'{"b":[{},[]]}']),
        (b' [ {} ] \n', [b"{}"]),
        (b"[]", []),
        (b"", []),
        (b'{"error":{"code":429}}\n', [b'{"error":{"code":429}}']),
        (b'[{"a":1},{"b":2}', [b'{"a":1}', b'{"b":2}']),
        (rb'[{"a":"}]\"{\\"},{"\\\\\"]":"["}]', [rb'{"a":"}]\"{\\"}', rb'{"\\\\\"]":"["}']),
        ('[{"a":"é😀\u2028"}]'.encode(), ['{"a":"é😀\u2028"}'.encode()]),
    ],
)  # fmt: skip
def test_cases(stream: bytes, objects: list[bytes]) -> None:
    assert read(JsonArrayFramer, [stream]) == [Frame("", found) for found in objects]
    assert read(JsonArrayFramer, [bytes([byte]) for byte in stream]) == [Frame("", found) for found in objects]
    for place in range(len(stream)):
        assert read(JsonArrayFramer, cut(stream, [place])) == [Frame("", found) for found in objects]


def test_an_object_does_not_wait_for_the_comma() -> None:
    framer = JsonArrayFramer()
    assert framer.feed(b'[{"a":1}') == [Frame("", b'{"a":1}')]
    assert framer.pending == 0
    assert framer.feed(b'\n,\n{"b"') == []
    assert framer.pending == 4


@pytest.mark.parametrize(
    "junk",
    [b"x", b"<html>", b"[1]", b"[null]", b"[{}{}]", b"[,{}]", b"[{},]", b"[]]", b"{},{}", b"{}[", b"[[{}]]", b"\xff"],
)
def test_what_is_no_array_of_objects_is_refused(junk: bytes) -> None:
    with pytest.raises(UpstreamFailed, match="not a JSON array"):
        read(JsonArrayFramer, [bytes([byte]) for byte in junk])
    with pytest.raises(UpstreamFailed, match="not a JSON array"):
        JsonArrayFramer().feed(junk)


@pytest.mark.parametrize("stream", [b"{", b'[{"a":"}', b'[{},{"a":[}'])
def test_half_an_object_is_a_truncation(stream: bytes) -> None:
    framer = JsonArrayFramer()
    framer.feed(stream)
    with pytest.raises(UpstreamTruncated):
        framer.close()


_VALUES = st.recursive(
    st.none()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(['"', "\\", '\\"', "{", "]"]),
    lambda values: st.lists(values, max_size=4) | st.dictionaries(st.text(max_size=4), values, max_size=4),
)
_OBJECTS = st.lists(st.dictionaries(st.text(max_size=4), _VALUES, max_size=4), max_size=5)


@given(_OBJECTS, st.sampled_from([0, orjson.OPT_INDENT_2]), cuts(300))
@example([{"a": "\\"}], 0, [8, 9])
def test_any_split_gives_the_objects(objects: list[object], option: int, places: list[int]) -> None:
    stream = orjson.dumps(objects, option=option)
    assert [orjson.loads(frame.data) for frame in read(JsonArrayFramer, cut(stream, places))] == objects


@given(
    st.lists(
        st.sampled_from([b'"', b"\\", b"[", b"]", b"{", b"}", b",", b" ", b"[{", b"},{", b'"a"', b"1"]), max_size=40
    ).map(b"".join),
    cuts(60),
)
def test_junk_fails_alike_whatever_the_split(stream: bytes, places: list[int]) -> None:
    def outcome(pieces: list[bytes]) -> object:
        try:
            return read(JsonArrayFramer, pieces)
        except UpstreamFailed as error:
            return type(error), error.message

    assert outcome(cut(stream, places)) == outcome([stream])


@pytest.mark.parametrize("size", [1, 7, 3000])
@pytest.mark.parametrize("endless", [b'{"' + b"x" * 1024, b"[{}," + b"[{" * 700, b"{" + b'"a":1,' * 300 + b'"b":1}'])
def test_an_endless_object_is_refused(endless: bytes, size: int) -> None:
    with pytest.raises(UpstreamFailed):
        read(lambda: JsonArrayFramer(limit=1024), cut(endless, range(size, len(endless), size)))
