"""A call by each protocol from the console, whole and streamed."""

import base64
import re
from pathlib import Path

from playwright.sync_api import FilePayload, Page, expect

from tests.console.conftest import Operator
from tests.rig.browser import Browser
from tests.rig.daemon import daemon
from tests.rig.managing import MANAGED
from tests.rig.upstream import says, upstream

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PICTURE: FilePayload = {"name": "a.png", "mimeType": "image/png", "buffer": base64.b64decode(PIXEL)}
SECRET = "sk-0123456789"
PROTOCOLS = ("openai-chat", "openai-responses", "anthropic", "gemini", "ollama")


def test_every_protocol_is_spoken_and_read(operator: Operator) -> None:
    def visit(page: Page) -> None:
        page.get_by_role("link", name="Playground").click()
        expect(page.get_by_label("Model")).to_have_value("demo")
        page.get_by_label("Model").fill("demo-echo")
        page.get_by_label("Message").fill("Tell me.")
        page.get_by_text("More", exact=True).click()
        page.get_by_label("Temperature").fill("0.5")
        page.get_by_label("Picture").set_input_files(PICTURE)
        for protocol in PROTOCOLS:
            page.get_by_label("Protocol").select_option(protocol)
            for streamed in (True, False):
                page.get_by_label("Stream", exact=True).set_checked(streamed)
                expect(page.get_by_label("Body")).to_have_value(re.compile(re.escape(PIXEL)))
                assert all(
                    words in page.get_by_label("Body").input_value() for words in ("Tell me.", '"temperature": 0.5')
                )
                page.get_by_role("button", name="Send").click()
                expect(page.locator(".answer")).to_contain_text("Tell me.")
                expect(page.get_by_role("button", name="Stop")).to_be_disabled()
                raw = page.locator("pre.tall").last.inner_text()
                assert ("data:" in raw or raw.count("\n") > 2) == streamed, (protocol, raw)
        page.get_by_text("req_").click()
        expect(page.get_by_role("heading", name="Attempts")).to_be_visible()

    operator.visits(visit)


def test_both_sides_of_a_translation_are_shown(browser: Browser, tmp_path: Path) -> None:
    def visit(page: Page) -> None:
        page.get_by_role("link", name="Playground").click()
        page.get_by_label("Protocol").select_option("anthropic")
        page.get_by_label("Model").fill("m")
        page.get_by_label("Message").fill("Tell me.")
        page.get_by_label("Body").fill(page.get_by_label("Body").input_value().replace("1024,", '1024, "top_k": 3,'))
        page.get_by_role("button", name="Send").click()
        sent = page.locator("section.card").filter(has=page.get_by_role("heading", name="To the upstream"))
        expect(sent).to_contain_text("translated")
        expect(sent).to_contain_text("drop:top_k")
        expect(sent.locator("pre")).to_contain_text('"max_completion_tokens": 1024')
        expect(page.get_by_role("heading", name="Answer")).to_be_visible()
        came = page.locator("section.card").filter(has=page.get_by_role("heading", name="From the upstream"))
        expect(came.locator("pre").first).to_contain_text('"object": "chat.completion.chunk"')
        came.get_by_text("What it was asked").click()
        expect(came.locator("pre").last).to_contain_text('"max_completion_tokens":1024')
        page.get_by_label("Protocol").select_option("openai-chat")
        page.get_by_label("Stream", exact=True).uncheck()
        page.get_by_role("button", name="Send").click()
        expect(came.locator("pre").first).to_contain_text('"object": "chat.completion"')
        assert SECRET not in page.content()

    with upstream(says("Hello.")) as vendor:
        text = f"{MANAGED}openai-api-key: [{{api-key: {SECRET}, base-url: '{vendor.base_url}', models: [m]}}]\n"
        with daemon(tmp_path, text) as gateway:
            Operator(browser, gateway.address).visits(visit)
