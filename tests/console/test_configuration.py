"""The configuration from the console: what is wrong at its line, what a change does, and nothing lost."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Response, Route, expect
from ruamel.yaml import YAML

from tests.console.conftest import Operator
from tests.console.test_pages import FAINT, UNLABELLED
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


def change(page: Page, path: str, value: str) -> None:
    """As people do it: typed, and left by Tab."""
    field = page.get_by_label(path, exact=True)
    field.fill(value)
    before = page.get_by_label("The text of the configuration").input_value()
    field.press("Tab")
    expect(page.get_by_label("The text of the configuration")).not_to_have_value(before)


def save(page: Page) -> None:
    page.get_by_role("button", name="Look at the change, and save").click()
    page.locator("dialog").get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved; it is in effect.")).to_be_visible()


def waits(page: Page, path: str = "config.yaml") -> list[Route]:
    """What the page gets from this path waits from now on, until the test lets it go on."""
    held: list[Route] = []
    page.route(f"**/{path}", lambda route: held.append(route) if route.request.method == "GET" else route.continue_())
    return held


def goes_on(page: Page, held: list[Route]) -> None:
    for route in held:
        route.continue_()
    page.unroute_all()


def asks(page: Page) -> Any:
    """A block in which the page asks for the text."""
    return page.expect_request(lambda request: request.url.endswith("/config.yaml") and request.method == "GET")


def opened(page: Page) -> None:
    """The page has the text, and has looked again once it hears of changes."""
    looks: list[Response] = []

    def again(response: Response) -> bool:
        if response.url.endswith("/config.yaml"):
            looks.append(response)
        return len(looks) == 2

    with page.expect_response(again):
        page.get_by_role("link", name="Configuration").click()


def yaml(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


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
        change(page, "request-retry", "7")
        save(page)

    Operator(browser, gateway.address).visits(visit)
    assert file.read_text() == before.replace("request-retry: 2", "request-retry: 7")


def test_no_setting_is_shown_before_its_value_is_known(browser: Browser, running: tuple[Daemon, Path]) -> None:
    def visit(page: Page) -> None:
        held = waits(page)
        with asks(page):
            page.get_by_role("link", name="Configuration").click()
        page.get_by_label("Search settings").fill("request-retry")
        expect(page.get_by_label("request-retry", exact=True)).to_have_count(0)
        goes_on(page, held)
        expect(page.get_by_label("request-retry", exact=True)).to_have_value("2")

    Operator(browser, running[0].address).visits(visit)


def test_lists_mappings_and_secrets_by_the_form(browser: Browser, running: tuple[Daemon, Path]) -> None:
    gateway, file = running

    def visit(page: Page) -> None:
        page.get_by_role("link", name="Configuration").click()
        text = page.get_by_label("The text of the configuration")
        page.locator("summary", has_text="api-keys").first.click()
        page.locator("summary", has_text="team-a").click()
        key = page.get_by_label("api-keys[0].key", exact=True)
        expect(key).to_have_attribute("placeholder", "set; typing here replaces it")
        expect(key).to_have_value("")
        # an entry of a list of mappings
        page.get_by_role("button", name="Add to api-keys", exact=True).click()
        expect(page.get_by_label("api-keys[1].key", exact=True)).to_be_focused()
        change(page, "api-keys[1].key", "sk-of-team-b-0123456789")
        change(page, "api-keys[1].name", "team-b")
        # a list within it, and places
        page.locator("[data-key='api-keys[1]'] summary", has_text="models").first.click()
        page.get_by_role("button", name="Add to api-keys[1].models", exact=True).click()
        change(page, "api-keys[1].models[0]", "demo*")
        page.get_by_role("button", name="Move api-keys[1] up").click()
        expect(text).to_have_value(re.compile(r"team-b.*\n.*team-a", re.DOTALL))
        expect(page.get_by_role("button", name="Move api-keys[0] down")).to_be_focused()
        expect(page.get_by_label("api-keys[0].models[0]", exact=True)).to_have_value("demo*")
        # a mapping of lists, by names with dots
        page.locator("summary", has_text="model-fallback").first.click()
        page.get_by_label("A new name in model-fallback").fill("gpt-5.4")
        page.get_by_role("button", name="Add to model-fallback", exact=True).click()
        page.get_by_role("button", name='Add to model-fallback["gpt-5.4"]').click()
        change(page, 'model-fallback["gpt-5.4"][0]', "demo")
        # what a secret is replaced by, and a choice; what is wrong stands at its field
        change(page, "api-keys[1].key", "sk-anew-0123456789")
        page.get_by_label("ws-auth", exact=True).select_option("false")
        change(page, "max-attempts", "70000")
        expect(page.locator(".settings p.bad")).to_contain_text("10000")
        page.get_by_role("button", name="Take max-attempts out").click()
        expect(page.locator(".settings p.bad")).to_have_count(0)
        assert "sk-of-team-a" not in page.content() + text.input_value()
        assert page.evaluate(UNLABELLED) == []
        for theme in ("dark", "light"):
            page.get_by_label("Theme").select_option(theme)
            assert page.evaluate(FAINT) == []
        page.set_viewport_size({"width": 375, "height": 700})
        assert page.evaluate("document.documentElement.scrollWidth") <= 375
        save(page)

    Operator(browser, gateway.address).visits(visit)
    written = file.read_text()
    assert "# the patient ones\nrequest-retry: 2   # twice\napi-keys:\n" in written
    assert yaml(written) == {
        **yaml(TEXT),
        "api-keys": [
            {"key": "sk-of-team-b-0123456789", "name": "team-b", "models": ["demo*"]},
            {"name": "team-a", "key": "sk-anew-0123456789"},
        ],
        "model-fallback": {"gpt-5.4": ["demo"]},
        "ws-auth": False,
    }


def test_what_is_taken_out_and_begun_in_vain(browser: Browser, running: tuple[Daemon, Path]) -> None:
    gateway, file = running
    before = file.read_text()

    def visit(page: Page) -> None:
        page.get_by_role("link", name="Configuration").click()
        text = page.get_by_label("The text of the configuration")
        page.locator("summary", has_text="api-keys").first.click()
        page.get_by_role("button", name="Add to api-keys", exact=True).click()
        page.get_by_role("button", name="Take api-keys[1] out").click()
        expect(page.get_by_label("api-keys[1].key", exact=True)).to_have_count(0)
        expect(page.get_by_role("button", name="Add to api-keys", exact=True)).to_be_focused()
        page.get_by_role("button", name="Take api-keys[0] out").click()
        expect(text).not_to_have_value(re.compile("team-a"))
        text.fill("port: [")
        expect(page.get_by_text("The text can't be read as it stands")).to_be_visible()
        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_role("button", name="Take api-keys[0] out")).to_be_visible()
        page.get_by_label("Only what was set").check()
        expect(page.get_by_label("request-retry", exact=True)).to_have_value("2")
        expect(page.get_by_label("max-attempts", exact=True)).to_have_count(0)

    Operator(browser, gateway.address).visits(visit)
    assert file.read_text() == before


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


def test_what_is_typed_while_a_saved_text_is_read_again_stays(browser: Browser, running: tuple[Daemon, Path]) -> None:
    gateway, file = running

    def visit(page: Page) -> None:
        page.get_by_role("link", name="Configuration").click()
        text = page.get_by_label("The text of the configuration")
        change(page, "request-retry", "7")
        held = waits(page)
        page.get_by_role("button", name="Look at the change, and save").click()
        with asks(page):
            page.locator("dialog").get_by_role("button", name="Save").click()
        text.press("Control+End")
        text.press_sequentially("max-attempts: 4")
        expect(page.get_by_text("Saved; it is in effect.")).to_be_hidden()
        goes_on(page, held)
        expect(page.get_by_text("Saved; it is in effect.")).to_be_visible()
        page.get_by_role("button", name="Look at the change, and save").click()
        page.locator("dialog").get_by_role("button", name="Save").click()
        expect(page.get_by_role("button", name="Undo")).to_be_disabled()
        assert "max-attempts: 4" in text.input_value()

    Operator(browser, gateway.address).visits(visit)
    assert "request-retry: 7" in file.read_text()
    assert file.read_text().endswith("max-attempts: 4")


def test_a_change_made_before_the_page_heard_of_changes_is_shown(
    browser: Browser, running: tuple[Daemon, Path]
) -> None:
    gateway, file = running

    def visit(page: Page) -> None:
        held = waits(page, "events?kinds=configuration")
        with page.expect_request("**/events?kinds=configuration"):
            page.get_by_role("link", name="Configuration").click()
        text = page.get_by_label("The text of the configuration")
        expect(text).to_have_value(re.compile("request-retry: 2"))
        file.write_text(TEXT.replace("request-retry: 2", "request-retry: 5"))
        gateway.wait_for("configuration reloaded")
        goes_on(page, held)
        expect(text).to_have_value(re.compile("request-retry: 5"))

    Operator(browser, gateway.address).visits(visit)


def test_what_is_typed_while_anothers_change_is_read_is_not_put_over_it(
    browser: Browser, running: tuple[Daemon, Path]
) -> None:
    gateway, file = running

    def visit(page: Page) -> None:
        opened(page)
        text = page.get_by_label("The text of the configuration")
        held = waits(page)
        with asks(page):
            file.write_text(TEXT.replace("request-retry: 2", "request-retry: 5"))
        text.press("Control+End")
        text.press_sequentially("max-attempts: 4")
        goes_on(page, held)
        page.get_by_role("button", name="Look at the change, and save").click()
        page.locator("dialog").get_by_role("button", name="Save").click()
        expect(page.get_by_text("changed by someone else meanwhile")).to_be_visible()
        assert "max-attempts: 4" in text.input_value()

    Operator(browser, gateway.address).visits(visit, foreseen=["status of 412"])
    assert "request-retry: 5" in file.read_text()


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
        change(page, "request-retry", "7")
        held = waits(page)
        page.get_by_role("button", name="Look at the change, and save").click()
        with asks(page):
            page.locator("dialog").get_by_role("button", name="Save").click()
        expect(page.get_by_text("Saved; it is in effect.")).to_be_hidden()  # not before the page knows what was saved
        goes_on(page, held)
        expect(page.get_by_text("Saved; it is in effect.")).to_be_visible()
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


def test_what_is_wrong_is_told_in_chinese_too(browser: Browser, running: tuple[Daemon, Path]) -> None:
    gateway, _ = running

    def visit(page: Page) -> None:
        page.locator("nav a[href='#/configuration']").click()
        text = page.locator("textarea.editor")
        expect(text).to_have_value(re.compile("team-a"))
        text.fill(text.input_value() + "api-key: [a]\n")
        expect(page.locator(".settings")).to_contain_text("监听的端口；0 表示任选一个空闲端口。 (0 到 65535)")
        expect(page.locator(".findings")).to_contain_text("这里没有名为 api-key 的设置：")
        expect(page.locator(".findings")).to_contain_text("did you mean")
        page.goto(f"{gateway.address}/console/#/requests/none-of-this-id")
        expect(page.get_by_role("alert")).to_have_text(re.compile("^不存在：No call with the id"))

    Operator(browser, gateway.address).visits(visit, language="zh", foreseen=["status of 404"])
