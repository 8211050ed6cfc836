"""Which media of a request are wanted as bytes, and the request with them."""

import pytest

from aiproxy.catalogue.compatibility import PROTOCOLS
from aiproxy.codecs.capabilities import PERMISSIVE, Capabilities
from aiproxy.codecs.codec import Codec
from aiproxy.codecs.media_urls import source_of, wanted, with_bytes
from aiproxy.codecs.ollama import CODEC as OLLAMA
from aiproxy.codecs.openai_chat import CODEC as CHAT
from aiproxy.codecs.report import Report
from aiproxy.neutral.errors import Unsupported
from aiproxy.neutral.media import InlineSource, TextSource, UrlSource
from aiproxy.neutral.parts import DocumentPart, ImagePart, TextPart, ToolResultPart
from aiproxy.neutral.request import GenerateRequest, Turn

IMAGE = ImagePart(source=UrlSource("https://a/i"))
DOCUMENT = DocumentPart(source=UrlSource("https://a/d"))
REQUEST = GenerateRequest(
    model="m",
    turns=(
        Turn("user", (TextPart(text="see"), IMAGE)),
        Turn("tool", (ToolResultPart(call_id="c", content=(DOCUMENT,)),)),
    ),
)


@pytest.mark.parametrize("codec", PROTOCOLS.values(), ids=PROTOCOLS)
def test_the_tables_refuse_what_is_wanted_as_bytes(codec: Codec) -> None:
    actions = {row.feature: row.action for row in codec.fields.rows if hasattr(row, "feature")}
    for kind in ("image", "document"):
        assert (actions[f"part.{kind}.url"] == "refuse") == (kind not in codec.media_urls)


def test_what_is_wanted() -> None:
    assert wanted(REQUEST, OLLAMA, PERMISSIVE) == {"https://a/i": "part.image.url", "https://a/d": "part.document.url"}
    assert wanted(REQUEST, CHAT, PERMISSIVE) == {"https://a/d": "part.document.url"}
    assert wanted(REQUEST, CHAT, Capabilities(media_urls=frozenset({"document"}))) == {"https://a/i": "part.image.url"}


def test_the_bytes_take_the_place_of_their_urls_only() -> None:
    report = Report()
    report.read("messages[].file", "part.document.url")
    fetched = {
        "https://a/i": source_of("part.image.url", "image/png", b"i"),
        "https://a/d": source_of("part.document.url", "text/plain", "ü".encode()),
    }
    found = with_bytes(REQUEST, CHAT, PERMISSIVE, fetched, report)
    assert found.turns[0] == REQUEST.turns[0]
    (result,) = found.turns[1].parts
    assert isinstance(result, ToolResultPart)
    assert result.content == (DocumentPart(source=TextSource("ü")),)
    assert report.warnings == ("emulate:messages[].file",)
    assert fetched["https://a/i"] == InlineSource("image/png", "aQ==")


def test_a_file_of_another_kind_than_its_part() -> None:
    for feature in ("part.image.url", "part.audio", "part.video"):
        with pytest.raises(ValueError, match=r"is text/plain, which is no"):
            source_of(feature, "text/plain", b"words")


def test_what_becomes_of_the_bytes_is_said_of_the_clients_field() -> None:
    report = Report()
    report.read("messages[].file", "part.document.url")
    with_bytes(
        REQUEST, OLLAMA, PERMISSIVE, {"https://a/d": source_of("part.document.url", "application/pdf", b"%PDF")}, report
    )
    with pytest.raises(Unsupported) as caught:
        report.refuse("part.document.inline")
    assert caught.value.param == "messages[].file"
