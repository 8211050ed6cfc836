"""The configuration from the console: what is wrong at its line, what a change does, and nothing lost."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.console.conftest import Operator
from tests.rig.browser import Browser
from tests.rig.daemon import Daemon, daemon
from tests.rig.managing import HASHED

TEXT = f"""\
remote-management: {{secret-key: "{HASHED}"}}   # who may
demo: {{enabled: true}}
# the patient ones
request-retry: 2   # twice
api-keys:
  - {{name: team-a, key: sk-of-team-a-0123456789}}
"""


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[Daemon, Path]]:
    with daemon(tmp_path, TEXT) as gateway:
        yield gateway, tmp_path / "aiproxy.yaml"


def test_a_text_is_judged_seen_and_saved(browser: Browser, running: tuple[Daemon, Path]) -> None:
    gateway, file = running
    before = file.read_text()

    def visit(page: Page) -> None:
        page.get_by_role("link", name="Configuration").click()
        text = page.get_by_label("The text of the configuration")
        expect(page.get_by_text("valid", exact=True)).to_be_visible()
        shown = text.input_value()
        assert "sk-of-team-a" not in shown
        text.fill(shown.replace("request-retry: 2", "request-rety: 2"))
        expect(page.get_by_text("did you mean `request-retry`")).to_be_visible()
        page.get_by_role("button", name="Line 4").click()
        assert page.evaluate(
            "document.activeElement.value.slice(document.activeElement.selectionStart).startsWith('request-rety')"
        )
        expect(page.get_by_role("button", name="Look at the change, and save")).to_be_disabled()
        text.fill(shown.replace("name: team-a", "name: team-b").replace("request-retry: 2", "request-retry: 5"))
        page.get_by_role("button", name="Look at the change, and save").click()
        expect(page.locator("dialog")).to_contain_text("team-b")
        expect(page.locator("dialog pre.diff .good").first).to_contain_text("+")
        page.locator("dialog").get_by_role("button", name="Save").click()
        expect(page.get_by_text("Saved; it is in effect.")).to_be_visible()

    Operator(browser, gateway.address).visits(visit)
    assert file.read_text() == before.replace("name: team-a", "name: team-b").replace(
        "request-retry: 2", "request-retry: 5"
    )


def test_one_setting_by_the_form(browser: Browser, running: tuple[Daemon, Path]) -> None:
    gateway, file = running
    before = file.read_text()

    def visit(page: Page) -> None:
        page.get_by_role("link", name="Configuration").click()
        page.get_by_label("Search settings").fill("request-retry")
        page.get_by_label("request-retry", exact=True).fill("7")
        page.get_by_role("button", name="Set request-retry").click()
        expect(page.get_by_text("Saved.", exact=True)).to_be_visible()

    Operator(browser, gateway.address).visits(visit)
    assert file.read_text() == before.replace("request-retry: 2", "request-retry: 7")


def test_a_text_that_changed_meanwhile_is_not_overwritten(browser: Browser, running: tuple[Daemon, Path]) -> None:
    gateway, file = running

    def visit(page: Page) -> None:
        page.get_by_role("link", name="Configuration").click()
        text = page.get_by_label("The text of the configuration")
        expect(page.get_by_text("valid", exact=True)).to_be_visible()
        text.fill(text.input_value().replace("request-retry: 2", "request-retry: 5"))
        page.get_by_role("button", name="Look at the change, and save").click()
        page.locator("dialog pre.diff").wait_for()
        file.write_text(file.read_text() + "max-attempts: 9\n")
        page.locator("dialog").get_by_role("button", name="Save").click()
        expect(page.get_by_text("changed by someone else meanwhile")).to_be_visible()
        assert "request-retry: 5" in text.input_value()

    Operator(browser, gateway.address).visits(visit, foreseen=["status of 412"])
    assert "request-retry: 2" in file.read_text()


def test_a_system_prompt_with_words_replaced(browser: Browser, running: tuple[Daemon, Path]) -> None:
    gateway, file = running

    def visit(page: Page) -> None:
        page.get_by_role("link", name="System prompt").click()
        page.get_by_label("System prompt", exact=True).fill("Be brief.\nBe kind.")
        page.get_by_label("Where it stands").select_option("overwrite")
        page.get_by_role("button", name="Add").click()
        page.get_by_label("Words to replace").fill("foo")
        page.get_by_label("What replaces them").fill("bar")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Saved; it is in effect.")).to_be_visible()
        page.reload()
        expect(page.get_by_label("System prompt", exact=True)).to_have_value("Be brief.\nBe kind.")
        expect(page.get_by_label("Words to replace")).to_have_value("foo")

    Operator(browser, gateway.address).visits(visit)
    assert "# the patient ones" in file.read_text()


def test_a_version_is_looked_back_at_and_brought_back(browser: Browser, running: tuple[Daemon, Path]) -> None:
    gateway, file = running
    before = file.read_text()

    def visit(page: Page) -> None:
        page.get_by_role("link", name="Configuration").click()
        page.get_by_label("Search settings").fill("request-retry")
        page.get_by_label("request-retry", exact=True).fill("7")
        page.get_by_role("button", name="Set request-retry").click()
        expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
        page.get_by_role("button", name="History").click()
        dialog = page.get_by_role("dialog", name="History")
        expect(dialog.get_by_role("row", name="kept now")).to_contain_text("console from 127.0.0.1")
        dialog.locator("tr.opens").last.click()
        version = page.get_by_role("dialog", name="Version of")
        expect(version.locator("pre.diff .bad", has_text="request-retry: 7")).to_be_visible()
        expect(version.locator("pre.diff")).to_contain_text("request-retry: 2")
        version.get_by_role("button", name="Bring it back").click()
        expect(page.locator("dialog")).to_have_count(0)
        text = page.get_by_label("The text of the configuration")
        expect(text).to_have_value(re.compile("request-retry: 2"))
        assert "sk-of-team-a" not in text.input_value()

    Operator(browser, gateway.address).visits(visit)
    assert file.read_text() == before


def test_a_text_that_was_not_saved_waits_for_whoever_comes_back(browser: Browser, running: tuple[Daemon, Path]) -> None:
    gateway, file = running
    before = file.read_text()

    def visit(page: Page) -> None:
        page.get_by_role("link", name="Configuration").click()
        text = page.get_by_label("The text of the configuration")
        expect(page.get_by_text("valid", exact=True)).to_be_visible()
        text.fill(text.input_value() + "max-attempts: 9\n")
        page.get_by_role("link", name="Keys").click()
        expect(page.get_by_role("row", name="team-a")).to_be_visible()
        file.write_text(before + "request-retry-of-another: 1\n")  # which this page must not undo
        page.get_by_role("link", name="Configuration").click()
        expect(text).to_have_value(re.compile("max-attempts: 9\n$"))
        page.get_by_role("button", name="Look at the change, and save").click()
        page.locator("dialog").get_by_role("button", name="Save").click()
        expect(page.get_by_text("changed by someone else meanwhile")).to_be_visible()

    Operator(browser, gateway.address).visits(visit, foreseen=["status of 412"])
    assert "max-attempts" not in file.read_text()
