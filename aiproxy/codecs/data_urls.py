"""Data URLs, and what kind of file a base64 text holds. Megabytes pass through as text: nothing here decodes them whole."""

import base64
import binascii
import re
from urllib.parse import unquote_to_bytes

from aiproxy.neutral.media import LARGE, ExcerptSource, InlineSource, UrlSource

_SCHEME = re.compile(r"\s*data:", re.IGNORECASE)

_SNIFFED = 32
"""Base64 characters looked at: 24 bytes, enough for every signature below."""

_SIGNATURES: tuple[tuple[bytes, int, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", 0, "image/png"),
    (b"\xff\xd8\xff", 0, "image/jpeg"),
    (b"GIF8", 0, "image/gif"),
    (b"WEBP", 8, "image/webp"),
    (b"WAVE", 8, "audio/wav"),
    (b"%PDF-", 0, "application/pdf"),
    (b"ID3", 0, "audio/mpeg"),
    (b"\xff\xfb", 0, "audio/mpeg"),
    (b"fLaC", 0, "audio/flac"),
    (b"OggS", 0, "audio/ogg"),
    (b"ftypheic", 4, "image/heic"),
    (b"ftyp", 4, "video/mp4"),
    (b"BM", 0, "image/bmp"),
)
"""(bytes, offset, media type)"""


def source_of(url: str) -> InlineSource | UrlSource:
    """Where a URL's bytes are: in itself, or elsewhere. Raises `ValueError` for a data URL without a comma."""
    return parse(url) or UrlSource(url)


def parse(url: str) -> InlineSource | None:
    """None when it isn't a data URL. A missing media type is sniffed; the percent-encoded form is made base64."""
    scheme = _SCHEME.match(url)
    if not scheme:
        return None
    comma = url.find(",", scheme.end())
    if comma < 0:
        raise ValueError("a data URL needs a comma before its data")
    media_type, *parameters = (word.strip().lower() for word in url[scheme.end() : comma].split(";"))
    start, in_base64 = comma + 1, "base64" in parameters
    if in_base64 and len(url) - start >= LARGE and url.find("%", start) < 0:
        kind = media_type or sniffed(url[start : start + _SNIFFED]) or "text/plain"
        return ExcerptSource(kind, url, slice(start, None))
    data = url[start:]
    if not in_base64:
        data = base64.b64encode(unquote_to_bytes(data)).decode()
    elif "%" in data:
        data = unquote_to_bytes(data).decode("latin-1")
    return InlineSource(media_type or sniffed(data) or "text/plain", data)


def render(source: InlineSource) -> str:
    """The very URL that the source was read from, where it is written as we do."""
    opening = f"data:{source.media_type};base64,"
    if (
        isinstance(source, ExcerptSource)
        and isinstance(source.whole, str)
        and source.whole[: source.place.start] == opening
    ):
        return source.whole
    return opening + source.data


def sniffed(data: str) -> str | None:
    """The media type by the first bytes of a base64 text."""
    try:
        start = base64.b64decode(data[:_SNIFFED] + "=" * (-len(data[:_SNIFFED]) % 4))
    except (binascii.Error, ValueError):
        return None
    return next((kind for magic, offset, kind in _SIGNATURES if start[offset : offset + len(magic)] == magic), None)
