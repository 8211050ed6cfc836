"""The example page in `configs/` in a real browser: it connects, and serves calls by an upstream that lets pages ask it."""

import json
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, expect

from tests.rig.browser import Browser
from tests.rig.daemon import Daemon, daemon
from tests.rig.upstream import Received, Upstream, Wire, upstream

KEY = "a-client-key-0123456789"
PAGE = Path(__file__).parents[2] / "configs" / "relay.html"
ALLOWED = {
    "access-control-allow-origin": "*",
    "access-control-allow-headers": "content-type, x-goog-api-key",
    "access-control-allow-methods": "POST",
}


def event(text: str, finish: str | None = None) -> bytes:
    found: dict[str, Any] = {"content": {"role": "model", "parts": [{"text": text}]}, "index": 0}
    if finish:
        found["finishReason"] = finish
    counts = {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5}
    return (
        b"data: "
        + json.dumps({"candidates": [found], "usageMetadata": counts}, ensure_ascii=False).encode()
        + b"\r\n\r\n"
    )


def google(request: Received, wire: Wire) -> None:
    """Serves the page, and answers it."""
    if request.method == "GET":
        wire.answer(200, PAGE.read_bytes(), {"content-type": "text/html"})
        return
    if request.method == "OPTIONS":
        wire.answer(200, b"", ALLOWED)
        return
    if "stall" in request.path:
        wire.head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked", **ALLOWED})
        wire.chunk(event("one"))
        wire.wait_for_close()
        return
    if "fails" in request.path:
        body = {"error": {"code": 429, "message": "Quota exceeded.", "status": "RESOURCE_EXHAUSTED"}}
        wire.answer(429, json.dumps(body).encode(), ALLOWED)
        return
    wire.head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked", **ALLOWED})
    data = event("žluťoučký ") + event("kůň 🎉", "STOP")
    for start in range(0, len(data), 7):  # characters are cut in two
        wire.chunk(data[start : start + 7])
    wire.chunk(b"")


@pytest.fixture(scope="module")
def vendor() -> Iterator[Upstream]:
    with upstream(google) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(vendor: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    address = vendor.base_url.removesuffix("/v1")
    settings = f'api-keys: [{KEY}]\nrequest-retry: 0\ndisable-cooling: true\nupstreams: {{aistudio: {{base-url: "{address}"}}}}\n'
    with daemon(tmp_path_factory.mktemp("gateway"), settings) as running:
        yield running


def ask(gateway: Daemon, model: str) -> Any:
    body = {"model": model, "max_tokens": 9, "stream": True, "messages": [{"role": "user", "content": "hi"}]}
    return httpx2.stream("POST", f"{gateway.base_url}/messages", headers={"x-api-key": KEY}, json=body, timeout=30)


def connect(page: Page, gateway: Daemon, vendor: Upstream, key: str = KEY) -> None:
    page.goto(f"{vendor.base_url}/relay.html")
    page.get_by_label("Gateway", exact=True).fill(f"ws://127.0.0.1:{gateway.port}/v1/ws/relay")
    page.get_by_label("Client key").fill(key)
    page.get_by_label("Gemini API key").fill("the-pages-own-key")
    page.get_by_role("button").click()


def test_the_page_serves_calls(browser: Browser, gateway: Daemon, vendor: Upstream) -> None:
    def visit(page: Page) -> None:
        connect(page, gateway, vendor)
        expect(page.locator("#state")).to_have_text("connected")
        with ask(gateway, "gemini-2.5-flash") as answered:
            text = "".join(answered.iter_text())
        assert "žluťoučký" in text
        assert "kůň 🎉" in text
        assert "message_stop" in text
        expect(page.locator("#answered")).to_have_text("1")
        with ask(gateway, "gemini-fails") as answered:
            assert answered.status_code == 429
            assert "Quota exceeded." in answered.read().decode()

    browser.visit(visit)
    (asked, *_) = [each for each in vendor.received if each.method == "POST"]
    assert asked.headers["x-goog-api-key"] == "the-pages-own-key"
    assert KEY not in str(asked)
    gateway.wait_for("has left")  # it was closed with its page
    with ask(gateway, "gemini-2.5-flash") as answered:
        assert answered.status_code == 404


def test_a_client_that_leaves_ends_what_the_page_asked(browser: Browser, gateway: Daemon, vendor: Upstream) -> None:
    closed = Event()
    behave = vendor.otherwise

    def stalls(request: Received, wire: Wire) -> None:
        behave(request, wire)
        if wire.closed_by_peer.is_set():
            closed.set()

    def visit(page: Page) -> None:
        connect(page, gateway, vendor)
        expect(page.locator("#state")).to_have_text("connected")
        with ask(gateway, "gemini-stall") as answered:
            next(answered.iter_raw())
        assert _waits(page, closed)

    vendor.otherwise = stalls
    browser.visit(visit)
    vendor.otherwise = behave


def _waits(page: Page, event: Event) -> bool:
    """The page goes on meanwhile."""
    for _ in range(400):
        if event.is_set():
            return True
        page.wait_for_timeout(50)
    return False


def test_a_wrong_key_is_said(browser: Browser, gateway: Daemon, vendor: Upstream) -> None:
    def visit(page: Page) -> None:
        connect(page, gateway, vendor, key="wrong")
        expect(page.locator("#state")).to_contain_text("closed (1006 ), again in 1 s")

    browser.visit(visit)
