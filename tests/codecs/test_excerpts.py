"""Large media are read from the body they came in, and nobody can tell."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiproxy.codecs import anthropic_messages, data_urls, gemini, ollama, openai_chat, openai_responses
from aiproxy.codecs.codec import Codec, Exchange, Incoming
from aiproxy.codecs.envelope import Sealer
from aiproxy.codecs.excerpts import excerpted
from aiproxy.codecs.media_urls import media_of
from aiproxy.codecs.report import Report
from aiproxy.neutral.media import LARGE, ExcerptSource, InlineSource
from aiproxy.neutral.request import GenerateRequest
from aiproxy.secrets import Secret

CODECS = [module.CODEC for module in (openai_chat, openai_responses, anthropic_messages, gemini, ollama)]
SEALER = Sealer(Secret("key of the tests"), "tenant")
FIRST, SECOND = "iVBORw0KGgo" + "A" * LARGE + "BBBB", "iVBORw0KGgo" + "C" * LARGE


def asked(codec: Codec, *pictures: str) -> dict[str, Any]:
    urls = [f"data:image/png;base64,{picture}" for picture in pictures]
    match codec.name:
        case "openai-chat":
            content: list[Any] = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
            return {"model": "m", "messages": [{"role": "user", "content": content}]}
        case "openai-responses":
            content = [{"type": "input_image", "image_url": url} for url in urls]
            return {"model": "m", "input": [{"role": "user", "content": content}]}
        case "anthropic":
            sources = [{"type": "base64", "media_type": "image/png", "data": picture} for picture in pictures]
            content = [{"type": "image", "source": source} for source in sources]
            return {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": content}]}
        case "gemini":
            parts = [{"inlineData": {"mimeType": "image/png", "data": picture}} for picture in pictures]
            return {"contents": [{"role": "user", "parts": parts}]}
        case _:
            return {"model": "m", "messages": [{"role": "user", "content": "what?", "images": [*pictures]}]}


def decoded(codec: Codec, body: bytes) -> GenerateRequest:
    return codec.decode_request(Incoming(body, "m"), SEALER, Report())


def encoded(request: GenerateRequest, source: Codec, target: Codec) -> bytes:
    return target.encode_request(Exchange(request, SEALER, "req_1", source=source.name)).body


def sources(request: GenerateRequest) -> list[Any]:
    return [part.source for turn in request.turns for part in media_of(turn.parts)]


@pytest.mark.parametrize("target", CODECS, ids=lambda codec: codec.name)
@pytest.mark.parametrize("source", CODECS, ids=lambda codec: codec.name)
def test_an_upstream_is_sent_the_same(source: Codec, target: Codec) -> None:
    body = json.dumps(asked(source, FIRST, SECOND, FIRST)).encode()
    plain = decoded(source, body)
    lean = excerpted(plain, body)
    assert [found.whole is body for found in sources(lean)] == [True] * 3
    assert [found.data for found in sources(lean)] == [FIRST, SECOND, FIRST]
    assert encoded(lean, source, target) == encoded(plain, source, target)


BODIES: Mapping[str, bytes] = {
    "escaped": json.dumps(asked(CODECS[2], FIRST + "/" + SECOND)).replace("/iVBOR", "\\/iVBOR").encode(),
    "small": json.dumps(asked(CODECS[2], "AAAA")).encode() + b" " * LARGE,
    "elsewhere": json.dumps(asked(CODECS[2], FIRST[:-1])).encode(),
}


@pytest.mark.parametrize("kind", BODIES)
def test_what_is_not_found_stays(kind: str) -> None:
    request = decoded(CODECS[2], BODIES[kind])
    other = json.dumps(asked(CODECS[2], FIRST)).encode()
    lean = excerpted(request, other if kind == "elsewhere" else BODIES[kind])
    assert [type(found) for found in sources(lean)] == [ExcerptSource if kind == "elsewhere" else InlineSource]
    assert sources(lean)[0].data == sources(request)[0].data


@given(
    st.sampled_from(["image/png", "IMAGE/PNG", "", "image/png;charset=x"]),
    st.sampled_from([";base64", ";BASE64", "; base64", ""]),
    st.sampled_from(["data:", "DATA:", " data:"]),
    st.sampled_from(["", "%3D", "é"]),
)
def test_a_large_data_url_says_what_a_small_one_says(kind: str, coding: str, scheme: str, odd: str) -> None:
    def read(size: int) -> tuple[str, str, str, bool]:
        text = "iVBORw0KGgoA" + "BBBB" * 9 + "AAAA" * size
        url = f"{scheme}{kind}{coding},{text}{odd}"
        found = data_urls.parse(url)
        assert found is not None
        again = data_urls.render(found)
        return found.media_type, found.data.replace("AAAA" * size, ""), again.replace("AAAA" * size, ""), again == url

    if coding:
        assert read(LARGE) == read(1)
