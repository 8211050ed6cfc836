"""Errors and the pages about models, beyond what the official client shows of them."""

import orjson
import pytest

from aiproxy.codecs.base import ModelCard
from aiproxy.codecs.capabilities import Capabilities
from aiproxy.codecs.ollama import WIRE, models
from aiproxy.codecs.ollama.times import seconds_of, timestamp
from aiproxy.neutral import errors
from aiproxy.neutral.errors import GatewayError


def test_an_error_says_when_to_come_back_and_that_a_model_is_not_found() -> None:
    answer = WIRE.encode_error(errors.RateLimited("Slow down.", retry_after=1.2), "req_1")
    assert (answer.status, answer.body) == (429, b'{"error":"Slow down."}')
    assert answer.headers == {"retry-after": "2", "x-request-id": "req_1"}
    assert b"not found" in WIRE.encode_error(errors.NotFound("There is no model `x`."), "req_1").body


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (404, b'{"error":"model \'x\' not found"}', errors.NotFound),
        (400, b'{"error":"\\"x\\" does not support tools"}', errors.InvalidRequest),
        (400, b'{"error":"the input length exceeds the context length"}', errors.ContextLength),
        (401, b'{"error":"unauthorized"}', errors.CredentialRefused),
        (429, b'{"error":"too many requests"}', errors.RateLimited),
        (500, b'{"error":"llama runner process has terminated"}', errors.UpstreamServerError),
        (502, b"<html>", errors.UpstreamFailed),
        (503, b'{"error":"server busy, please try again. maximum pending requests exceeded"}', errors.Overloaded),
    ],
)
def test_an_upstreams_error(status: int, body: bytes, kind: type[GatewayError]) -> None:
    error = WIRE.decode_error(status, {}, body)
    assert type(error) is kind
    assert error.upstream_status == status


def test_model_names_are_read_from_a_list() -> None:
    assert models.decode_models(b'{"models":[{"name":"a:latest","model":"a:latest"},{"name":"b"}]}') == [
        "a:latest",
        "b",
    ]
    for body in (b"", b"[]", b'{"models":[3]}', b'{"models":[{}]}', b'{"models":[{"name":3}]}', b"null"):
        assert models.decode_models(body) == []


def test_equal_digests_would_be_one_model_to_clients() -> None:
    listed = orjson.loads(models.encode_models([ModelCard("a", "x"), ModelCard("b", "x")]))["models"]
    assert len({model["digest"] for model in listed}) == 2
    assert {model["name"] for model in listed} == {"a", "b"}


@pytest.mark.parametrize(
    ("can", "words"),
    [
        (Capabilities(), ["completion", "tools", "vision", "audio"]),
        (Capabilities(tools=False, input_modalities=frozenset({"text"}), thinking="none"), ["completion"]),
        (
            Capabilities(input_modalities=frozenset({"text"}), thinking="effort"),
            ["completion", "tools", "thinking"],
        ),
    ],
)
def test_what_a_model_is_said_to_do(can: Capabilities, words: list[str]) -> None:
    page = orjson.loads(models.encode_show(ModelCard("m", ""), can))
    assert page["capabilities"] == words
    assert page["model_info"] == {"general.architecture": "unknown", "general.basename": "m"}


def test_which_model_a_page_is_about() -> None:
    assert models.read_show(b'{"name":"old"}') == "old"
    for body in (b"{}", b'{"model":""}', b'{"model":3}'):
        with pytest.raises(errors.InvalidRequest, match="model is required"):
            models.read_show(body)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-01-02T03:04:05.123456789Z", 1767323045),
        ("2025-05-04T17:37:44.706015396-07:00", 1746405464),
        ("2026-01-02T03:04:05", 0),
        ("0001-01-01T00:00:00Z", 0),
        ("yesterday", 0),
        (None, 0),
    ],
)
def test_times(text: object, seconds: int) -> None:
    assert seconds_of(text) == seconds
    if seconds:
        assert seconds_of(timestamp(seconds)) == seconds
    assert timestamp(2**70) == timestamp(0) == "1970-01-01T00:00:00.000000Z"
