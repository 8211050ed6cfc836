"""What an operator does on the pages, and what comes of it."""

import csv
import json
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Page, expect

from tests.console.conftest import Operator
from tests.rig.browser import Browser
from tests.rig.daemon import Daemon, daemon
from tests.rig.managing import MANAGED, Api
from tests.rig.until import until
from tests.rig.upstream import fails, says, upstream


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_page_is_quiet_labelled_and_readable(operator: Operator, language: str, theme: str) -> None:
    def visit(page: Page) -> None:
        for number in range(page.locator("nav > a").count()):
            link = page.locator("nav > a").nth(number)
            link.click()
            expect(page.get_by_role("heading", level=1)).to_have_text(link.inner_text())
            expect(page.locator("main .card, main .log").first).to_be_visible()
            assert page.evaluate(UNLABELLED) == []
            assert page.evaluate(FAINT) == []
            page.set_viewport_size({"width": 375, "height": 700})
            assert page.evaluate("document.documentElement.scrollWidth") <= 375, link.inner_text()
            page.set_viewport_size({"width": 1280, "height": 720})

    operator.visits(visit, language=language, theme=theme)


UNLABELLED = """() => [...document.querySelectorAll("input, select, textarea, button, a, [role=img], img")]
  .filter(each => !(each.labels?.length || each.getAttribute("aria-label") || each.textContent.trim() || each.hasAttribute("alt")))
  .map(each => each.outerHTML)"""
"""Controls without a name."""

FAINT = """() => {
  const channel = value => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const parts = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = element => {
    for (let at = element; at; at = at.parentElement) {
      const [r, g, b, a = 1] = parts(getComputedStyle(at).backgroundColor);
      if (a > 0) return [r, g, b];
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll("main *, nav *")].filter(each =>
    each.offsetParent && !each.disabled && [...each.childNodes].some(node => node.nodeType === 3 && node.data.trim())).filter(each => {
    const [a, b] = [light(parts(getComputedStyle(each).color)), light(behind(each))].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05) < 4.5;
  }).map(each => `${each.outerHTML.slice(0, 80)} ${getComputedStyle(each).color}`);
}"""
"""Texts whose contrast is under 4.5 (WCAG 2.2, 1.4.3)."""


def test_an_account_is_looked_at_switched_and_probed(browser: Browser, tmp_path: Path) -> None:
    with upstream(says("Hello.")) as good, upstream(fails(429, headers={"retry-after": "600"})) as bad:
        entries = "".join(
            f"  - {{name: {name}, api-key: sk-of-{name}-0123456789, base-url: '{at.base_url}', models: [m]}}\n"
            for name, at in (("good", good), ("bad", bad))
        )
        text = f"{MANAGED}state: state.db\nopenai-api-key:\n{entries}"
        with daemon(tmp_path, text) as gateway:
            for _ in range(2):
                httpx2.post(f"{gateway.address}/v1/chat/completions", json={"model": "m", "messages": []})

            def visit(page: Page) -> None:
                page.get_by_role("link", name="Accounts").click()
                expect(page.get_by_role("row", name="bad")).to_contain_text("rest")
                page.get_by_role("row", name="bad").click()
                page.get_by_role("button", name="Clear rests").click()
                expect(page.get_by_role("button", name="Clear rests")).to_have_count(0)
                page.get_by_role("button", name="Disable").click()
                expect(page.get_by_role("button", name="Enable")).to_be_visible()
                page.get_by_role("button", name="Close").click()
                expect(page.get_by_role("row", name="bad")).to_contain_text("disabled")
                page.get_by_role("row", name="bad").click()
                page.get_by_role("button", name="Enable").click()
                page.get_by_role("button", name="Close").click()
                expect(page.get_by_role("button", name="Clear all rests")).to_be_hidden()
                page.get_by_role("button", name="Probe all").click()
                progress = page.get_by_role("progressbar")
                expect(progress).to_have_js_property("value", 2)
                assert progress.evaluate("bar => bar.max") == 2
                told = page.locator("dialog li")
                expect(told.filter(has_text="good")).to_contain_text("works")
                expect(told.filter(has_text="bad")).to_contain_text("upstream says no")
                page.get_by_role("button", name="Close").click()
                page.get_by_role("button", name="Clear all rests").click()
                expect(told.filter(has_text="bad")).to_contain_text("done")
                assert told.count() == 1
                page.get_by_role("button", name="Close").click()
                expect(page.get_by_role("row", name="bad")).to_contain_text("ready")
                page.get_by_role("link", name="Models & routes").click()
                page.get_by_role("row", name="good:m").click()
                expect(page.get_by_text("passed on").first).to_be_visible()
                page.get_by_role("link", name="Health").click()
                expect(page.get_by_role("row", name="/disable")).to_contain_text("done")

            Operator(browser, gateway.address).visits(visit)


def test_a_key_is_made_shown_once_and_revoked(browser: Browser, tmp_path: Path) -> None:
    def visit(page: Page) -> None:
        page.get_by_role("link", name="Keys").click()
        page.get_by_role("button", name="New key").click()
        page.get_by_label("Whose it is").fill("team-a")
        page.get_by_label("Requests per minute").fill("7")
        page.get_by_role("button", name="Make it").click()
        key = page.locator("dialog pre").inner_text()
        assert len(key) > 30
        page.get_by_role("button", name="I have it").click()
        row = page.get_by_role("row", name="team-a managed")
        expect(row).to_contain_text("requests-per-minute")
        assert key not in page.content()
        row.get_by_role("button", name="Revoke").click()
        page.locator("dialog").get_by_role("button", name="Revoke").click()
        expect(row.get_by_text("works")).to_have_count(0)
        page.get_by_role("row", name="the-last").get_by_role("button", name="Revoke").click()
        page.locator("dialog").get_by_role("button", name="Revoke").click()
        expect(page.locator("dialog")).to_contain_text("It is the last key")
        page.locator("dialog").get_by_role("button", name="Revoke").click()
        expect(page.get_by_role("row", name="the-last")).to_have_count(0)

    with daemon(tmp_path, f"{MANAGED}state: state.db\napi-keys: [{{name: the-last, key: sk-0123456789}}]\n") as gateway:
        Operator(browser, gateway.address).visits(visit, foreseen=["status of 409"])


def test_usage_is_seen_and_taken_along(operator: Operator, gateway: Daemon) -> None:
    body = {"model": "demo", "messages": [{"role": "user", "content": "Hi"}]}
    calls = 3
    for _ in range(calls):
        httpx2.post(f"{gateway.address}/v1/chat/completions", json=body)
    api = Api(gateway)
    until(lambda: api.get("/usage")["usage"]["success_count"] >= calls)  # what has ended is written within a second

    def visit(page: Page) -> tuple[str, str]:
        page.get_by_role("link", name="Usage").click()
        page.get_by_label("By", exact=True).select_option("account")
        page.get_by_label("Time", exact=True).select_option("1")
        row = page.get_by_role("row", name="demo")
        expect(row).to_be_visible()
        return saved(page, "Export CSV"), saved(page, "Export JSON")

    table, exported = operator.visits(visit)
    rows = [row for row in csv.DictReader(table.splitlines()) if row["model"] == "demo"]
    assert sum(int(row["attempts"]) for row in rows) >= calls
    assert {row["account"] for row in rows} == {"demo"}
    assert sum(int(row["output_visible"]) for row in rows) > calls
    told = json.loads(exported)
    assert told["version"] == 1
    assert told["usage"]["success_count"] >= calls


def saved(page: Page, name: str) -> str:
    """The file that the browser saves."""
    with page.expect_download() as download:
        page.get_by_role("button", name=name).click()
    return Path(download.value.path()).read_text()


def test_figures_move_while_calls_come(operator: Operator, gateway: Daemon) -> None:
    def visit(page: Page) -> None:
        chart = page.get_by_role("img", name="Calls", exact=True)
        expect(chart).to_be_visible()
        expect(chart.locator("title", has_text="answered: 0").first).to_be_attached()
        assert chart.locator("title", has_text="answered: 1").count() == 0
        httpx2.post(
            f"{gateway.address}/v1/chat/completions",
            json={"model": "demo-echo", "messages": [{"role": "user", "content": "Hi"}]},
        )
        expect(chart.locator("title", has_text="answered: 1")).to_have_count(1)
        expect(
            page.get_by_role("img", name="Time to the first byte").locator("title", has_text=" ms")
        ).not_to_have_count(0)

    operator.visits(visit)


def test_the_log_is_read_as_it_is_written(operator: Operator, gateway: Daemon) -> None:
    def visit(page: Page) -> None:
        page.get_by_role("link", name="Logs").click()
        expect(page.locator(".log")).to_contain_text("configuration")
        httpx2.post(f"{gateway.address}/v1/chat/completions", json={"model": "no-such-<b>model</b>", "messages": []})
        expect(page.locator(".log")).to_contain_text("no-such-<b>model</b>")
        page.get_by_label("Severity").select_option("error")
        expect(page.get_by_text("No such lines.")).to_be_visible()

    operator.visits(visit)
