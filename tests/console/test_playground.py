"""A call by each protocol from the console, whole and streamed."""

from playwright.sync_api import Page, expect

from tests.console.conftest import Operator

PROTOCOLS = ("openai-chat", "openai-responses", "anthropic", "gemini", "ollama")


def test_every_protocol_is_spoken_and_read(operator: Operator) -> None:
    def visit(page: Page) -> None:
        page.get_by_role("link", name="Playground").click()
        expect(page.get_by_label("Model")).to_have_value("demo")
        page.get_by_label("Message").fill("Tell me.")
        for protocol in PROTOCOLS:
            page.get_by_label("Protocol").select_option(protocol)
            for streamed in (True, False):
                page.get_by_label("Stream", exact=True).set_checked(streamed)
                assert "Tell me." in page.get_by_label("Body").input_value()
                page.get_by_role("button", name="Send").click()
                expect(page.locator(".answer")).to_contain_text("the client never noticed")
                expect(page.get_by_role("button", name="Send")).to_be_enabled()
                raw = page.locator("pre.tall").inner_text()
                assert ("data:" in raw or raw.count("\n") > 2) == streamed, (protocol, raw)
        page.get_by_text("req_").click()
        expect(page.get_by_role("heading", name="Attempts")).to_be_visible()

    operator.visits(visit)
