"""Among secrets and strangers' words: no page, answer or log holds the ones, and the others are shown as the words they are."""

from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Dialog, Page, Request, expect

from tests.console.conftest import Operator
from tests.console.hostile import (
    CANARY,
    CLIENT_KEY,
    CONFIGURATION,
    LINK,
    QUOTES,
    SCRIPT,
    hostile,
    secret_settings,
    strange_calls,
)
from tests.rig.browser import Browser
from tests.rig.daemon import Daemon
from tests.rig.managing import HASHED, KEY

HEARS = """
window.heard = [];
window.EventSource = class extends EventSource {
  addEventListener(kind, then) { super.addEventListener(kind, event => { heard.push(event.data); then(event); }); }
};
"""
STATE = """() => ({
  html: document.documentElement.outerHTML,
  text: document.body.innerText,
  values: [...document.querySelectorAll("input:not([type=password]), textarea, select")].map(each => each.value).join("\\n"),
  kept: JSON.stringify([{...localStorage}, {...sessionStorage}]) + document.cookie,
  heard: heard.join("\\n"),
  foreign: [...document.querySelectorAll("script:not([src='main.js']), iframe, object, embed, base, meta[http-equiv], main img, dialog img, [onerror], [onclick]")]
    .map(each => each.outerHTML),
  links: [...document.querySelectorAll("[href], [src]")].map(each => each.getAttribute("href") || each.getAttribute("src"))
    .filter(each => /^\\s*(javascript|data):/i.test(each)),
})"""


@dataclass
class Seen:
    """What was on the pages: `looks` by what was done before."""

    looks: dict[str, dict[str, str]] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)
    dialogs: list[str] = field(default_factory=list)
    output: str = ""


@pytest.fixture(scope="module")
def seen(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """One visit to everything there is."""
    found = Seen()
    with hostile(tmp_path_factory.mktemp("hostile")) as gateway:
        Operator(browser, gateway.address).visits(
            lambda page: _look_round(page, gateway, found), before=HEARS, foreseen=["status of 502"]
        )
        found.output = "".join(gateway.output)
    return found


def _look_round(page: Page, gateway: Daemon, found: Seen) -> None:
    came: list[Request] = []

    def arrived(request: Request) -> None:
        came.append(request)

    def asked(dialog: Dialog) -> None:
        found.dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("requestfinished", arrived)
    page.on("dialog", asked)

    def look(what: str) -> None:
        found.looks[what] = page.evaluate(STATE)

    def go(name: str) -> None:
        page.get_by_role("link", name=name, exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(name)
        expect(page.locator("main .card, main .log").first).to_be_visible()

    go("System prompt")
    look("System prompt")
    for name in ("Dashboard", "Keys", "Usage", "Health"):
        go(name)
        expect(page.locator("main table").first).to_be_visible()
        look(name)
    page.get_by_role("link", name="Usage").click()
    for group in ("client", "asked", "account", "tag"):
        page.get_by_label("By", exact=True).select_option(group)
        expect(page.locator("main table")).to_contain_text(SCRIPT)
        look(f"Usage by {group}")
    page.locator("tr.opens", has_text=SCRIPT).click()
    expect(page.get_by_role("button", name=f"Team: {SCRIPT}")).to_be_visible()
    expect(page.get_by_role("heading", name="By Model")).to_be_visible()
    look("Usage of a team")
    go("Accounts")
    for account in (SCRIPT, QUOTES, "kimi-x"):
        page.locator("tr.opens", has=page.locator("strong", has_text=account)).first.click()
        expect(page.locator("dialog dl")).to_be_visible()
        look(f"account {account}")
        page.keyboard.press("Escape")
    page.get_by_role("button", name="Credential files").click()
    expect(page.locator("dialog table")).to_contain_text(SCRIPT.replace("/", ""))
    look("Credential files")
    page.keyboard.press("Escape")
    go("Models & routes")
    page.get_by_role("button", name="Ask upstreams for their lists").click()
    page.get_by_label("Client key").select_option(SCRIPT)
    page.locator("tr.opens", has=page.locator("strong", has_text=SCRIPT)).first.click()
    expect(page.get_by_text("passed on").first).to_be_visible()
    look("Models & routes")
    go("Playground")
    page.get_by_label("Client key").fill(CLIENT_KEY)
    for model, said in ((SCRIPT, SCRIPT), (LINK, "⚠")):
        page.get_by_label("Model").fill(model)
        page.get_by_role("button", name="Send").click()
        expect(page.locator(".answer")).to_contain_text(said)
        expect(page.get_by_role("button", name="Stop")).to_be_disabled()
        look(f"Playground {model}")
    go("Requests")
    page.locator("tr.opens", has=page.locator(".badge.bad")).first.click()
    expect(page.get_by_role("heading", name="Attempts")).to_be_visible()
    look("a request")
    go("Configuration")
    text = page.get_by_label("The text of the configuration")
    expect(page.get_by_text("valid", exact=True)).to_be_visible()
    look("Configuration")
    page.get_by_role("button", name="History").click()
    page.locator("dialog tr.opens").last.click()
    expect(page.locator("dialog pre.diff")).to_contain_text("+demo: {enabled: true}")
    look("History")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    text.fill(text.input_value().replace("request-retry: 0", "request-retry: 1"))
    page.get_by_role("button", name="Look at the change, and save").click()
    expect(page.locator("pre.diff")).to_contain_text("request-retry: 1")
    look("a difference")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Undo").click()
    go("Logs")
    page.get_by_label("Search").fill("no-such-line")
    page.keyboard.press("Enter")
    expect(page.get_by_text("No such lines.")).to_be_visible()
    page.get_by_label("Search").fill("")
    strange_calls(gateway)
    expect(page.locator(".log")).to_contain_text(SCRIPT)  # as it is told
    look("Logs")
    for each in came:
        answer = each.response()
        if answer is not None and "/events" not in each.url and answer.status != 304:
            found.answers[each.url] = answer.body().decode("utf-8", "replace")


def test_every_secret_of_the_schema_is_a_canary() -> None:
    of = {path.rpartition(".")[2] for path in secret_settings()}
    assert all(name in CONFIGURATION or name == "secret-key" for name in of)
    for path in secret_settings():
        assert path.partition(".")[0] in CONFIGURATION or path == "remote-management.secret-key", path


def test_nothing_that_is_shown_sent_or_written_is_a_secret(seen: Seen) -> None:
    secrets = (CANARY, HASHED, KEY)
    for what, look in seen.looks.items():
        for part, text in look.items():
            assert not [secret for secret in secrets if secret in text], (what, part)
    for url, text in seen.answers.items():
        assert not [secret for secret in secrets if secret in text], url
    assert len(seen.answers) > 40
    assert SCRIPT in seen.looks["Logs"]["heard"]
    assert not [secret for secret in secrets if secret in seen.output]


def test_what_strangers_wrote_is_shown_and_runs_nowhere(seen: Seen) -> None:
    assert not seen.dialogs
    for what, look in seen.looks.items():
        assert not look["foreign"], what
        assert not look["links"], what
    for what in (
        "Dashboard",
        "Keys",
        f"account {SCRIPT}",
        "account kimi-x",
        "Credential files",
        "Models & routes",
        "a request",
        "Logs",
    ):
        assert SCRIPT in seen.looks[what]["text"], what
    assert QUOTES in seen.looks[f"account {QUOTES}"]["text"]
    assert SCRIPT in seen.looks[f"Playground {SCRIPT}"]["text"]
    assert SCRIPT in seen.looks["Configuration"]["values"]
