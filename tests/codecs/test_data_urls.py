"""Data URLs in the shapes clients write them."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiproxy.codecs.data_urls import parse, render, sniffed, source_of
from aiproxy.neutral.media import InlineSource, UrlSource

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n....").decode()


@pytest.mark.parametrize(
    ("url", "source"),
    [
        (f"data:image/png;base64,{PNG}", InlineSource("image/png", PNG)),
        (f"DATA:IMAGE/PNG;charset=x;BASE64,{PNG}", InlineSource("image/png", PNG)),
        (f"data:;base64,{PNG}", InlineSource("image/png", PNG)),
        ("data:text/plain,a%20b", InlineSource("text/plain", base64.b64encode(b"a b").decode())),
        ("data:,x", InlineSource("text/plain", base64.b64encode(b"x").decode())),
        ("data:image/gif;base64,R0lGODlh%2B%3D%3D", InlineSource("image/gif", "R0lGODlh+==")),
        ("https://example.com/a.png", UrlSource("https://example.com/a.png")),
    ],
)
def test_sources(url: str, source: InlineSource | UrlSource) -> None:
    assert source_of(url) == source


def test_no_comma_no_data() -> None:
    with pytest.raises(ValueError, match="comma"):
        parse("data:image/png;base64")


@given(st.binary(max_size=64))
def test_rendered_sources_parse_back(data: bytes) -> None:
    source = InlineSource("application/pdf", base64.b64encode(data).decode())
    assert parse(render(source)) == source


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF....WEBPVP8 ", "image/webp"),
        (b"RIFF....WAVEfmt ", "audio/wav"),
        (b"%PDF-1.7\n", "application/pdf"),
        (b"....ftypheic", "image/heic"),
        (b"....ftypisom", "video/mp4"),
        (b"hello", None),
        (b"", None),
    ],
)
def test_sniffing(start: bytes, kind: str | None) -> None:
    assert sniffed(base64.b64encode(start).decode()) == kind


@given(st.text())
def test_sniffing_junk(text: str) -> None:
    sniffed(text)
