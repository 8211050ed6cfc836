"""Every vendor's errors as every client is told them: the status and the words of the client's protocol, the vendor's own message
and the time at which to ask again."""

import json
from typing import Any

import pytest

from aiproxy.codecs import anthropic_messages, gemini, ollama, openai_chat, openai_responses
from aiproxy.codecs.codec import Codec

CODECS = [openai_chat.CODEC, openai_responses.CODEC, anthropic_messages.CODEC, gemini.CODEC, ollama.CODEC]

AFTER = {"retry-after": "7"}
TOO_LONG = "prompt is too long: 210000 tokens > 200000 maximum"

SAID: dict[str, dict[str, tuple[int, dict[str, str], Any]]] = {
    "openai": {
        "rate_limit": (429, AFTER, {"error": {"message": "Slow", "type": "requests", "code": "rate_limit_exceeded"}}),
        "quota": (429, {}, {"error": {"message": "Spent", "type": "insufficient_quota", "code": "insufficient_quota"}}),
        "too_long": (400, {}, {"error": {"message": "This model's maximum context length is 200000 tokens. However, your messages resulted in 210000 tokens.", "type": "invalid_request_error", "param": "messages", "code": "context_length_exceeded"}}),
        "no_model": (404, {}, {"error": {"message": "The model `x` does not exist", "type": "invalid_request_error", "code": "model_not_found"}}),
        "overloaded": (503, AFTER, {"error": {"message": "Busy", "type": "server_error"}}),
        "broken": (500, {}, {"error": {"message": "Oops", "type": "server_error"}}),
        "invalid": (400, {}, {"error": {"message": "Bad field", "type": "invalid_request_error", "param": "n"}}),
        "our_key": (401, {}, {"error": {"message": "Incorrect API key provided: sk-secret", "code": "invalid_api_key"}}),
    },
    "anthropic": {
        "rate_limit": (429, AFTER, {"type": "error", "error": {"type": "rate_limit_error", "message": "Slow"}}),
        "too_long": (400, {}, {"type": "error", "error": {"type": "invalid_request_error", "message": TOO_LONG}}),
        "no_model": (404, {}, {"type": "error", "error": {"type": "not_found_error", "message": "model: x"}}),
        "overloaded": (529, AFTER, {"type": "error", "error": {"type": "overloaded_error", "message": "Busy"}}),
        "broken": (500, {}, {"type": "error", "error": {"type": "api_error", "message": "Oops"}}),
        "invalid": (400, {}, {"type": "error", "error": {"type": "invalid_request_error", "message": "Bad field"}}),
        "our_key": (401, {}, {"type": "error", "error": {"type": "authentication_error", "message": "invalid x-api-key"}}),
        "billing": (402, {}, {"type": "error", "error": {"type": "billing_error", "message": "Pay"}}),
    },
    "gemini": {
        "rate_limit": (429, {}, {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "Slow", "details": [{"retryDelay": "7s"}]}}),
        "quota": (429, {}, {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "Spent", "details": [{"violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel"}]}]}}),
        "too_long": (400, {}, {"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "The input token count (210000) exceeds the maximum number of tokens allowed (200000)."}}),
        "no_model": (404, {}, {"error": {"code": 404, "status": "NOT_FOUND", "message": "models/x is not found for API version v1beta"}}),
        "overloaded": (503, AFTER, {"error": {"code": 503, "status": "UNAVAILABLE", "message": "Busy"}}),
        "broken": (500, {}, {"error": {"code": 500, "status": "INTERNAL", "message": "Oops"}}),
        "our_key": (400, {}, {"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "API key not valid.", "details": [{"reason": "API_KEY_INVALID"}]}}),
    },
    "ollama": {
        "no_model": (404, {}, {"error": "model 'x' not found"}),
        "overloaded": (503, AFTER, {"error": "Busy"}),
        "broken": (500, {}, {"error": "Oops"}),
        "invalid": (400, {}, {"error": "Bad field"}),
    },
}  # fmt: skip

TOLD: dict[str, dict[str, tuple[Any, ...]]] = {
    # OpenAI's (both APIs): status, type, code · Anthropic's: status, type · Google's: status, its name · Ollama's status
    "rate_limit": {"openai": (429, "rate_limit_error", "rate_limit_exceeded"), "anthropic": (429, "rate_limit_error"), "gemini": (429, "RESOURCE_EXHAUSTED"), "ollama": (429,)},
    "quota": {"openai": (429, "insufficient_quota", "insufficient_quota"), "anthropic": (429, "rate_limit_error"), "gemini": (429, "RESOURCE_EXHAUSTED"), "ollama": (429,)},
    "billing": {"openai": (429, "insufficient_quota", "insufficient_quota"), "anthropic": (402, "billing_error"), "gemini": (429, "RESOURCE_EXHAUSTED"), "ollama": (402,)},
    "too_long": {"openai": (400, "invalid_request_error", "context_length_exceeded"), "anthropic": (400, "invalid_request_error"), "gemini": (400, "INVALID_ARGUMENT"), "ollama": (400,)},
    "no_model": {"openai": (404, "invalid_request_error", "model_not_found"), "anthropic": (404, "not_found_error"), "gemini": (404, "NOT_FOUND"), "ollama": (404,)},
    "overloaded": {"openai": (503, "server_error", "server_is_overloaded"), "anthropic": (529, "overloaded_error"), "gemini": (503, "UNAVAILABLE"), "ollama": (503,)},
    "broken": {"openai": (500, "server_error", None), "anthropic": (500, "api_error"), "gemini": (500, "INTERNAL"), "ollama": (500,)},
    "invalid": {"openai": (400, "invalid_request_error", None), "anthropic": (400, "invalid_request_error"), "gemini": (400, "INVALID_ARGUMENT"), "ollama": (400,)},
    "our_key": {"openai": (502, "server_error", "upstream_error"), "anthropic": (502, "api_error"), "gemini": (503, "UNAVAILABLE"), "ollama": (502,)},
}  # fmt: skip

WORDS = {
    "rate_limit": "Slow",
    "quota": "Spent",
    "billing": "Pay",
    "overloaded": "Busy",
    "broken": "Oops",
    "invalid": "Bad field",
    "no_model": "x",
}
CASES = [(vendor, fault) for vendor, faults in SAID.items() for fault in faults]


@pytest.mark.parametrize("client", CODECS, ids=lambda codec: codec.name)
@pytest.mark.parametrize(("vendor", "fault"), CASES)
def test_an_error_keeps_its_meaning_and_its_words(vendor: str, fault: str, client: Codec) -> None:
    status, headers, body = SAID[vendor][fault]
    upstream = next(codec for codec in CODECS if codec.name.startswith(vendor))
    error = upstream.wire.decode_error(status, headers, json.dumps(body).encode())
    answer = client.wire.encode_error(error, "req_1")
    said = json.loads(answer.body)["error"]
    message = said if client is ollama.CODEC else said["message"]
    told = {
        "openai-chat": lambda: (answer.status, said["type"], said["code"]),
        "openai-responses": lambda: (answer.status, said["type"], said["code"]),
        "anthropic": lambda: (answer.status, said["type"]),
        "gemini": lambda: (answer.status, said["status"]),
        "ollama": lambda: (answer.status,),
    }[client.name]()
    assert told == TOLD[fault][client.name.partition("-")[0]]
    assert WORDS.get(fault, "") in message
    assert "sk-secret" not in message
    assert answer.headers.get("retry-after") == ("7" if fault in ("rate_limit", "overloaded") else None)
    if fault == "too_long":
        assert "210000" in message
        assert "200000" in message
        if client is anthropic_messages.CODEC:
            assert message == TOO_LONG
    if client is gemini.CODEC and fault in ("rate_limit", "overloaded"):
        assert [detail["retryDelay"] for detail in said["details"] if "retryDelay" in detail] == ["7s"]
