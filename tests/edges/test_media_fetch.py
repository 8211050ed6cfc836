"""Media by URL for an upstream that takes bytes only: fetched where that is configured, else refused in the caller's words."""

import base64
import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import httpx2
import pytest
from anthropic import Anthropic, BadRequestError
from google import genai
from openai import BadRequestError as OpenAIBadRequest
from openai import OpenAI

from tests.conformance.sdks.conversation import PNG
from tests.rig.daemon import Daemon, daemon
from tests.rig.upstream import Received, Upstream, Wire, upstream

PATIENCE = 20.0
"""Seconds before a test that waits gives up; none passes by it."""

KEY = "client-key-of-the-media-tests"
SIGNED = "signature-that-no-log-may-hold"


def ollama_says_hello(received: Received, wire: Wire) -> None:
    done = b'{"model":"m","message":{"role":"assistant","content":"hello"},"done":true,"done_reason":"stop"}\n'
    wire.answer(200, done, {"content-type": "application/x-ndjson"})


def refuses(received: Received, wire: Wire) -> None:
    wire.answer(500, b'{"error": "not now"}')


@pytest.fixture(scope="module")
def files() -> Iterator[Upstream]:
    """A server of files, by the end of the path."""

    def behave(received: Received, wire: Wire) -> None:
        if received.path.startswith("/moved"):
            wire.answer(302, b"", {"location": "http://169.254.169.254/latest/meta-data"})
        elif ".txt" in received.path:
            wire.answer(200, "Grüße aus der Datei".encode(), {"content-type": "text/plain; charset=utf-8"})
        else:
            wire.answer(200, PNG, {"content-type": "image/png"})

    with upstream(behave) as running:
        yield running


@pytest.fixture(scope="module")
def bytes_only() -> Iterator[Upstream]:
    with upstream(ollama_says_hello) as running:
        yield running


def configuration(bytes_only: Upstream, media_fetch: str) -> str:
    address = bytes_only.base_url.removesuffix("/v1")
    return f"""
api-keys: [{KEY}]
request-retry: 0
disable-cooling: true
logging: {{level: debug}}
ollama:
  - {{base-url: "{address}", models: [m]}}
  - {{base-url: "{address}", models: [m], priority: 200}}
media-fetch: {media_fetch}
"""


@pytest.fixture(scope="module")
def fetching(bytes_only: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    text = configuration(bytes_only, "{enabled: true, allow: [127.0.0.0/8], per-request: 2}")
    with daemon(tmp_path_factory.mktemp("fetching"), text) as running:
        yield running


def address_of(files: Upstream, path: str) -> str:
    return f"{files.base_url.removesuffix('/v1')}{path}?{SIGNED}"


def chat(gateway: Daemon, *urls: str) -> Any:
    images = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    with OpenAI(base_url=gateway.base_url, api_key=KEY, max_retries=0) as client:
        asked: Any = [{"role": "user", "content": [{"type": "text", "text": "What is this?"}, *images]}]
        return client.chat.completions.with_raw_response.create(model="m", messages=asked)


def messages(gateway: Daemon, *urls: str) -> None:
    images = [{"type": "image", "source": {"type": "url", "url": url}} for url in urls]
    with Anthropic(base_url=gateway.address, api_key=KEY, max_retries=0) as client:
        asked: Any = [{"role": "user", "content": images}]
        client.messages.create(model="m", max_tokens=9, messages=asked)


def responses(gateway: Daemon, *urls: str) -> None:
    images = [{"type": "input_image", "image_url": url, "detail": "auto"} for url in urls]
    with OpenAI(base_url=gateway.base_url, api_key=KEY, max_retries=0) as client:
        asked: Any = [{"role": "user", "content": images}]
        client.responses.create(model="m", input=asked)


def generate(gateway: Daemon, *urls: str) -> None:
    client = genai.Client(api_key=KEY, http_options=genai.types.HttpOptions(base_url=gateway.address))
    parts = [genai.types.Part.from_uri(file_uri=url, mime_type="image/png") for url in urls]
    client.models.generate_content(model="m", contents=parts)


ASKS: dict[str, Callable[..., object]] = {
    "messages[].content[].image_url": chat,
    "input[].content[].image_url": responses,
    "messages[].content[].image": messages,
    "contents[].parts[].fileData": generate,
}
RAISED = (OpenAIBadRequest, BadRequestError, genai.errors.ClientError)
each_client = pytest.mark.parametrize(("field", "ask"), ASKS.items(), ids=[ask.__name__ for ask in ASKS.values()])


@each_client
def test_fetched_for_every_client(
    fetching: Daemon, files: Upstream, bytes_only: Upstream, field: str, ask: Callable[..., object]
) -> None:
    ask(fetching, address_of(files, "/a.png"))
    (message,) = bytes_only.received[-1].json["messages"]
    assert [base64.b64decode(image) for image in message["images"]] == [PNG]


def test_what_the_gateway_did_is_told(fetching: Daemon, files: Upstream) -> None:
    raw = chat(fetching, address_of(files, "/a.png"))
    assert raw.headers["x-aiproxy-warnings"] == "emulate:messages[].content[].image_url"


def test_once_a_call(fetching: Daemon, files: Upstream, bytes_only: Upstream) -> None:
    """The second account gets what was fetched for the first; a URL that is named twice is fetched once."""
    before = len(files.received)
    bytes_only.script.append(refuses)
    asked = len(bytes_only.received)
    chat(fetching, address_of(files, "/a.png"), address_of(files, "/a.png"), address_of(files, "/b.png"))
    assert len(files.received) == before + 2
    assert len(bytes_only.received) == asked + 2
    assert len(bytes_only.received[-1].json["messages"][0]["images"]) == 3


def test_a_text_by_url_is_text(fetching: Daemon, files: Upstream, bytes_only: Upstream) -> None:
    source = {"type": "url", "url": address_of(files, "/a.txt")}
    asked = {
        "model": "m",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": [{"type": "document", "source": source}]}],
    }
    found = httpx2.post(f"{fetching.address}/v1/messages", json=asked, headers={"x-api-key": KEY})
    assert found.status_code == 200
    assert "Grüße aus der Datei" in bytes_only.received[-1].json["messages"][0]["content"]


@each_client
def test_the_metadata_service_is_not_reached(fetching: Daemon, field: str, ask: Callable[..., object]) -> None:
    with pytest.raises(RAISED, match=r"169\.254\.169\.254") as caught:
        ask(fetching, "http://169.254.169.254/latest/meta-data/iam")
    assert field in str(caught.value)
    assert "meta-data" not in str(caught.value)


def test_a_text_is_no_image(fetching: Daemon, files: Upstream) -> None:
    with pytest.raises(OpenAIBadRequest, match=r"is text/plain, which is no image") as caught:
        chat(fetching, address_of(files, "/a.png"), address_of(files, "/a.txt"))
    assert caught.value.param == "messages[].content[].image_url"


def test_nor_by_a_redirect(fetching: Daemon, files: Upstream) -> None:
    with pytest.raises(OpenAIBadRequest, match="not public"):
        chat(fetching, address_of(files, "/moved"))


def test_too_many_at_once(fetching: Daemon, files: Upstream) -> None:
    with pytest.raises(OpenAIBadRequest, match=r"media-fetch\.per-request"):
        chat(fetching, *(address_of(files, f"/{number}.png") for number in range(3)))


def test_a_client_that_leaves_ends_the_fetch(fetching: Daemon, files: Upstream) -> None:
    begun, ended = Event(), Event()

    def stall(_received: Received, wire: Wire) -> None:
        begun.set()
        if wire.wait_for_close():
            ended.set()

    files.script.append(stall)
    image = {"type": "image_url", "image_url": {"url": address_of(files, "/slow.png")}}
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": [image]}]}).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nContent-Length: {len(body)}"
    )
    with socket.create_connection(("127.0.0.1", fetching.port)) as client:
        client.sendall(head.encode() + b"\r\n\r\n" + body)
        assert begun.wait(PATIENCE)
    assert ended.wait(PATIENCE)


def test_no_log_holds_a_url(fetching: Daemon) -> None:
    assert not [line for line in fetching.output if SIGNED in line]


def test_off_is_a_clear_refusal(bytes_only: Upstream, files: Upstream, tmp_path: Path) -> None:
    before = len(files.received), len(bytes_only.received)
    with daemon(tmp_path, configuration(bytes_only, "false")) as gateway:
        for field, ask in ASKS.items():
            with pytest.raises(RAISED, match="media-fetch is off") as caught:
                ask(gateway, address_of(files, "/a.png"))
            assert field in str(caught.value)
    assert (len(files.received), len(bytes_only.received)) == before
