"""The console without a mouse: the focus is always seen, dialogs keep it and give it back, and Escape leaves them."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.console.conftest import Operator
from tests.rig.daemon import Daemon

SEEN = """() => {
  const at = document.activeElement, look = getComputedStyle(at), box = at.getBoundingClientRect();
  return look.outlineStyle !== "none" && parseFloat(look.outlineWidth) >= 2 && box.width > 0 && box.top < innerHeight && box.bottom > 0;
}"""
NAMED = "() => document.activeElement.innerText.split('\\n')[0] || document.activeElement.ariaLabel || document.activeElement.labels?.[0]?.innerText"
DRAWN_WITHIN = 20_000
"""Milliseconds; the page asks again every five seconds."""

MOST = 40
"""Presses of Tab before something is out of reach."""


def tab_to(page: Page, name: str) -> None:
    seen = []
    for _ in range(MOST):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body") or page.evaluate(SEEN)
        seen.append(page.evaluate(NAMED))
        if seen[-1] == name:
            return
    raise AssertionError(f"Tab never reaches {name!r}: {seen}")


def in_dialog(page: Page) -> bool:
    """Whether the focus is in the dialog on top, or at the browser's own controls, which come after it."""
    return bool(
        page.evaluate(
            "[...document.querySelectorAll('dialog')].at(-1).contains(document.activeElement) || document.activeElement === document.body"
        )
    )


def test_a_key_is_made_by_keyboard(operator: Operator) -> None:
    def visit(page: Page) -> None:
        tab_to(page, "Skip to the page")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        page.reload()
        page.locator("nav").wait_for()
        tab_to(page, "Keys")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Keys")
        expect(page.get_by_text("No client keys yet.")).to_be_visible()
        tab_to(page, "New key")
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog", name="New client key")
        expect(dialog).to_be_visible()
        for _ in range(20):
            page.keyboard.press("Tab")
            assert in_dialog(page)
        page.keyboard.press("Escape")
        expect(page.locator("dialog")).to_have_count(0)
        assert page.evaluate(NAMED) == "New key"
        page.keyboard.press("Enter")
        tab_to(page, "Whose it is")
        page.keyboard.type("by-keyboard")
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog", name="The key, shown this once")).to_be_visible()
        tab_to(page, "I have it")
        page.keyboard.press("Enter")
        row = page.get_by_role("row", name="by-keyboard")
        expect(row).to_be_visible()
        assert page.evaluate(NAMED) == "New key"
        tab_to(page, "Revoke")
        page.keyboard.press("Enter")
        tab_to(page, "Revoke")
        page.keyboard.press("Enter")
        expect(row.get_by_role("button", name="Revoke")).to_have_count(0)

    operator.visits(visit)


@pytest.mark.parametrize("while_open", [False, True])
def test_a_row_is_opened_and_has_the_focus_again_when_the_list_is_drawn_anew(
    operator: Operator, while_open: bool
) -> None:
    def visit(page: Page) -> None:
        page.get_by_role("link", name="Accounts").click()
        row = page.get_by_role("row", name="demo")
        expect(row).to_be_visible()
        row.evaluate("row => row.setAttribute('data-seen', '')")
        row.focus()
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog", name="demo")
        tab_to(page, "Disable")
        page.keyboard.press("Enter")
        expect(dialog.get_by_role("button", name="Enable")).to_be_visible()
        dialog.get_by_role("button", name="Enable").press("Enter")
        expect(dialog.get_by_role("button", name="Disable")).to_be_visible()
        if while_open:
            expect(page.locator("[data-seen]")).to_have_count(0, timeout=DRAWN_WITHIN)
        page.keyboard.press("Escape")
        expect(page.locator("dialog")).to_have_count(0)
        expect(page.locator("[data-seen]")).to_have_count(0, timeout=DRAWN_WITHIN)
        expect(row).to_be_focused()

    operator.visits(visit)


def test_escape_leaves_only_the_dialog_on_top(operator: Operator, gateway: Daemon) -> None:
    def visit(page: Page) -> None:
        page.goto(f"{gateway.address}/console/#/keys")
        page.get_by_role("button", name="New key").press("Enter")
        page.get_by_label("Whose it is").fill("on-top")
        page.keyboard.press("Enter")
        page.get_by_role("button", name="I have it").press("Enter")
        page.get_by_role("row", name="on-top").get_by_role("button", name="Rotate").press("Enter")
        hours = page.get_by_label("Hours that the old one works on")
        expect(hours).to_be_visible()
        page.keyboard.press("Escape")
        expect(hours).to_have_count(0)
        assert page.evaluate(NAMED) == "Rotate"

    operator.visits(visit)


def test_what_is_selected_stays_so_when_the_page_is_drawn_anew(operator: Operator) -> None:
    def visit(page: Page) -> None:
        page.get_by_role("link", name="Configuration").click()
        page.get_by_label("Search settings").fill("request-retry")
        field = page.get_by_label("request-retry", exact=True)
        field.fill("7")
        field.press("Tab")
        expect(page.get_by_label("The text of the configuration")).to_have_value(re.compile("request-retry: 7"))
        expect(page.get_by_role("button", name="Look at the change, and save")).to_be_enabled()  # it was looked at
        field.select_text()
        field.evaluate("field => field.setAttribute('data-seen', '')")
        page.get_by_label("The text of the configuration").evaluate("text => text.dispatchEvent(new Event('input'))")
        expect(page.locator("[data-seen]")).to_have_count(0)
        page.keyboard.type("5")
        expect(field).to_have_value("5")

    operator.visits(visit)
