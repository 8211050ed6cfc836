"""Server-sent events, against the standard's own algorithm written out plainly over the whole input."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aiproxy.framing import Frame
from aiproxy.framing.sse import COMMENT, SseFramer, comment, encode_sse
from aiproxy.neutral.errors import UpstreamFailed

from .splitting import cut, cuts, read


def reference(stream: bytes) -> list[Frame]:
    """WHATWG HTML, §9.2.6 "Interpreting an event stream", plus comments as frames and a last event that may lack its blank line."""
    frames: list[Frame] = []
    event, data = "", b""
    for line in [*re.split(rb"\r\n|\r|\n", stream.removeprefix(b"\xef\xbb\xbf")), b""]:
        if not line:
            if data:
                frames.append(Frame(event, data[:-1]))
            event, data = "", b""
            continue
        field, _, value = line.partition(b":")
        value = value[1:] if value.startswith(b" ") else value
        if field == b"":
            frames.append(Frame(COMMENT, value))
        elif field == b"event":
            event = value.decode("utf-8", "replace")
        elif field == b"data":
            data += value + b"\n"
    return frames


CASES = [
    ("LF", b'data: {"a":1}\n\ndata: [DONE]\n\n', [("", b'{"a":1}'), ("", b"[DONE]")]),
    ("CRLF", b"data: a\r\n\r\ndata: b\r\n\r\n", [("", b"a"), ("", b"b")]),
    ("CR", b"data: a\r\rdata: b\r\r", [("", b"a"), ("", b"b")]),
    ("line ends mixed in one event", b"event: x\rdata: a\r\ndata: b\n\r\n", [("x", b"a\nb")]),
    ("LF event, then CRLF event", b"data: a\n\ndata: b\r\n\r\n", [("", b"a"), ("", b"b")]),
    ("CRLF blank line after LF lines", b"data: a\n\r\ndata: b\n\n", [("", b"a"), ("", b"b")]),
    ("named", b"event: message_stop\ndata: {}\n\n", [("message_stop", b"{}")]),
    ("name after data", b"data: {}\nevent: ping\n\n", [("ping", b"{}")]),
    ("the last name counts", b"event: a\nevent: b\ndata: x\n\n", [("b", b"x")]),
    ("a name does not outlive its event", b"event: a\n\ndata: x\n\n", [("", b"x")]),
    ("no space after the colon", b"event:a\ndata:x\n\n", [("a", b"x")]),
    ("one space goes, the second stays", b"data:  x \n\n", [("", b" x ")]),
    ("data lines join with LF", b"data: a\ndata:\ndata: b\n\n", [("", b"a\n\nb")]),
    ("empty data is an event", b"data:\n\n", [("", b"")]),
    ("a field without a colon", b"data\n\n", [("", b"")]),
    ("id, retry and unknown fields are read over", b"id: 7\nretry: 3000\nfoo: bar\ndata: x\n\n", [("", b"x")]),
    ("no data, no event", b"event: a\nid: 1\n\nretry: 10\n\n", []),
    ("field names are exact", b"Data: a\n data: b\ndatax: c\n\n", []),
    ("comment between events", b": ping\n\ndata: x\n\n", [(":", b"ping"), ("", b"x")]),
    ("comment of nothing", b":\n\n", [(":", b"")]),
    ("comment inside an event", b"data: a\n:c\ndata: b\n\n", [(":", b"c"), ("", b"a\nb")]),
    ("byte order mark", b"\xef\xbb\xbfdata: x\n\n", [("", b"x")]),
    ("only one byte order mark", b"\xef\xbb\xbf\xef\xbb\xbfdata: x\n\n", []),
    ("no byte order mark later", b"data: x\n\n\xef\xbb\xbfdata: y\n\n", [("", b"x")]),
    ("more blank lines than needed", b"\n\n\ndata: x\n\n\n\n\ndata: y\n\n\n", [("", b"x"), ("", b"y")]),
    ("no blank line at the end", b"data: x\n", [("", b"x")]),
    ("no line end at the end", b"event: a\ndata: x", [("a", b"x")]),
    ("a lone CR at the end", b"data: x\r", [("", b"x")]),
    (
        "U+2028, NEL and VT end no line",
        "data: a\u2028b\u0085c\x0bd\n\n".encode(),
        [("", "a\u2028b\u0085c\x0bd".encode())],
    ),
    ("a name that is not UTF-8", b"event: \xff\ndata: x\n\n", [("\ufffd", b"x")]),
    ("nothing", b"", []),
]


@pytest.mark.parametrize(("stream", "told"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_cases(stream: bytes, told: list[tuple[str, bytes]]) -> None:
    frames = [Frame(*each) for each in told]
    assert reference(stream) == frames
    assert read(SseFramer, [stream]) == frames
    assert read(SseFramer, [bytes([byte]) for byte in stream]) == frames
    for place in range(len(stream)):
        assert read(SseFramer, cut(stream, [place])) == frames


_PIECES = st.sampled_from(
    [b"\n", b"\r", b"\r\n", b"\n\n", b"\r\n\r\n", b":", b" ", b"data", b"data: ", "data: é😀".encode(), b"event: ", b"event: e\ndata: ", b": ping", b"id: 1", b"\xef\xbb\xbf", b'{"a":1}', b"\xff", b"x"]
)  # fmt: skip
_STREAMS = st.lists(_PIECES | st.binary(max_size=3), max_size=40).map(b"".join)


@given(_STREAMS, cuts(120))
@example(b"data: a\r\n\r\n", [9, 10])
@example(b"\xef\xbb\xbfdata: a\n\n", [1, 2])
def test_any_split_gives_the_frames_of_the_standard(stream: bytes, places: list[int]) -> None:
    assert read(SseFramer, cut(stream, places)) == reference(stream)


_DATA = st.binary(max_size=60).map(lambda data: data.replace(b"\r", b""))
_NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=12)


@given(st.lists(st.builds(Frame, _NAMES, _DATA), max_size=6), cuts(300))
def test_what_is_encoded_is_read_back(frames: list[Frame], places: list[int]) -> None:
    stream = b"".join(encode_sse(frame.event, frame.data) for frame in frames)
    assert read(SseFramer, cut(stream, places)) == frames


@pytest.mark.parametrize(
    ("event", "data", "stream"),
    [
        ("", b"{}", b"data: {}\n\n"),
        ("ping", b"{}", b"event: ping\ndata: {}\n\n"),
        ("", b"", b"data: \n\n"),
        ("", b"a\nb\r\nc\rd\n", b"data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n"),
        ("a\n\ndata: forged\r\n", b"x", b"event: a  data: forged \ndata: x\n\n"),
        ("\ud800", b"x", b"event: ?\ndata: x\n\n"),
    ],
)
def test_encode(event: str, data: bytes, stream: bytes) -> None:
    assert encode_sse(event, data) == stream


def test_a_comment_is_one_whatever_its_text() -> None:
    assert comment("ping") == b": ping\n\n"
    assert read(SseFramer, [comment("a\nb\r\ndata: forged")]) == [
        Frame(COMMENT, text) for text in (b"a", b"b", b"data: forged")
    ]


def test_pending_counts_the_open_event_only() -> None:
    framer = SseFramer()
    counts = []
    for piece in (
        b"data: a\n\nda",
        b"ta: b\n",
        b":c\n",
        b"\r",
        b"\n",
        b": ping\n",
        b"\n",
        b"retry: 1\n",
        b"\n",
        b"data: c\r\n\r",
    ):
        framer.feed(piece)
        counts.append(framer.pending)
    assert counts == [2, 8, 11, 12, 0, 0, 0, 9, 0, 10]


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
@pytest.mark.parametrize(
    "endless",
    [
        b"data: " + b"x" * 2000,
        b"data: x\n" * 250,
        b":" * 2000,
        b"data: x\n" + b":c\n" * 700,
        b"id: 1\r" * 400,
        b"x" * 2000 + b"\n\n",
    ],
    ids=["a line", "data lines", "a comment", "comments in an event", "other fields", "in one read"],
)
def test_an_endless_event_is_refused(endless: bytes, size: int) -> None:
    with pytest.raises(UpstreamFailed, match="1024 bytes"):
        read(lambda: SseFramer(limit=1024), cut(endless, range(size, len(endless), size)))


def test_the_limit_is_for_one_event_and_not_for_one_read() -> None:
    events = b"data: x\n\n" * 500 + b"data: " + b"y" * 1000
    assert len(read(lambda: SseFramer(limit=1024), [events])) == 501
    assert len(read(lambda: SseFramer(limit=1024), [b": c\n" * 1000])) == 1000
