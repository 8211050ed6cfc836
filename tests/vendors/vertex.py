"""generateContent, as Vertex AI speaks it: at a project's address with a token, or at nobody's with a key; calls without ids.

Source: Vertex AI API reference, publishers.models; CLIProxyAPI for what it refuses."""

import json
import re
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from tests.rig.upstream import Received
from tests.vendors.gemini import GEMINI
from tests.vendors.google_tokens import PROJECT
from tests.vendors.scenarios import Answer
from tests.vendors.vendor import Asked, escaped

PATH = re.compile(
    rf"/v1(beta1)?(?P<where>/projects/{PROJECT}/locations/[a-z0-9-]+)?/publishers/google/models/(?P<rest>[^/]+)"
)


def is_vertex(path: str) -> bool:
    return "/publishers/google/models/" in path


def bearer(received: Received) -> str | None:
    """The token that a project's address wants; None at an address that wants a key."""
    found = PATH.fullmatch(urlsplit(received.path).path)
    return received.headers.get("authorization", "").removeprefix("Bearer ") if found and found["where"] else None


def asked(received: Received) -> Asked:
    url = urlsplit(received.path)
    found = PATH.fullmatch(url.path)
    assert found, received.path
    if found["where"]:
        assert "x-goog-api-key" not in received.headers, "a key and a token"
    else:
        assert received.headers["x-goog-api-key"]
    for content in received.json["contents"]:
        assert content.get("role") in ("user", "model"), "Please use a valid role: user, model."
        for part in content["parts"]:
            for call in ("functionCall", "function_call", "functionResponse", "function_response"):
                assert "id" not in part.get(call, {}), f'Unknown name "id" at {call}: Cannot find field.'
    as_gemini = {**received.headers, "x-goog-api-key": "checked above"}
    path = f"/v1/models/{found['rest']}" + (f"?{url.query}" if url.query else "")
    return GEMINI.asked(Received(received.method, path, as_gemini, received.body))


def whole(request: Asked, answer: Answer) -> bytes:
    return escaped(_without_ids(json.loads(GEMINI.whole(request, answer))))


def events(request: Asked, answer: Answer) -> list[bytes]:
    found = GEMINI.events(request, answer)
    if request.as_array:
        return found
    chunks = (json.loads(event.removeprefix(b"data: ")) for event in found)
    return [b"data: " + escaped(_without_ids(chunk)) + b"\r\n\r\n" for chunk in chunks]


def _without_ids(body: dict[str, Any]) -> dict[str, Any]:
    for part in body["candidates"][0]["content"]["parts"]:
        part.get("functionCall", {}).pop("id", None)
    return body


VERTEX = replace(GEMINI, name="vertex", protocol="gemini", asked=asked, whole=whole, events=events)
