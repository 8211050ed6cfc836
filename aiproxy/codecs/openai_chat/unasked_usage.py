"""Usage of streams that the client didn't ask for: OpenAI's API tells it only when asked (`stream_options.include_usage`), and
then in a last chunk without choices, and as `"usage": null` in all others. We ask, and take both out again. Pure.

Source: OpenAI API reference, `stream_options`."""

import re
from collections.abc import Iterable, Iterator

import orjson

from aiproxy.codecs.json_bytes import dump
from aiproxy.codecs.splice import read_object
from aiproxy.framing import Frame
from aiproxy.neutral.errors import UpstreamFailed

_OPTIONS = b'"stream_options"'
_ASKED = b'"stream_options":{"include_usage":true}'
_USAGE = b'"usage"'
_EMPTY = re.compile(rb"\s*\}")
_NONE = b',"usage":null'
_NONE_SPACED = re.compile(rb',\s*"usage"\s*:\s*null')


def asks(body: bytes) -> bool:
    """Whether the client asks for it itself; or gives options that aren't any, of which the upstream will say so."""
    if _OPTIONS not in body:
        return False
    options = read_object(body).get("stream_options")
    return options is not None and (not isinstance(options, dict) or options.get("include_usage") is True)


def asking(body: bytes, outline: bytes) -> bytes:
    """A request that doesn't ask for it, with usage asked for. No byte of what the client wrote is changed but for options that
    say something else."""
    if _OPTIONS not in outline:
        brace = body.index(b"{") + 1
        return b"".join((body[:brace], _ASKED, b"" if _EMPTY.match(body, brace) else b",", memoryview(body)[brace:]))
    found = read_object(body)
    return dump({**found, "stream_options": {**(found.get("stream_options") or {}), "include_usage": True}})


def silenced(data: bytes) -> bytes:
    """Of frames as OpenAI writes them: without the null. A text can't hold these bytes: its quotes are escaped."""
    return data.replace(_NONE, b"") if _USAGE in data else data


def tells(data: bytes) -> bool:
    """Whether something of usage is left in it, for `quiet_frames` to look at."""
    return _USAGE in data


def quiet_frames(frames: Iterable[Frame]) -> Iterator[Frame]:
    """Without the chunk that is there for its usage only. Usage that a vendor tells in a chunk with choices stays: it does so
    unasked."""
    for frame in frames:
        if _USAGE not in frame.data:
            yield frame
            continue
        try:
            chunk = orjson.loads(frame.data)
        except orjson.JSONDecodeError:
            raise UpstreamFailed("The upstream sent a stream chunk that is not JSON.") from None
        if isinstance(chunk, dict) and not chunk.get("choices") and isinstance(chunk.get("usage"), dict):
            continue
        yield Frame(frame.event, _NONE_SPACED.sub(b"", frame.data))
