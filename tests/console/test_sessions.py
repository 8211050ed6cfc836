"""Who comes in at the console, who doesn't, and what ends a visit."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.console.conftest import Operator
from tests.rig.browser import Browser
from tests.rig.daemon import Daemon, daemon
from tests.rig.managing import KEY, MANAGED

COOKIE = "aiproxy_session"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with daemon(tmp_path_factory.mktemp("sessions"), f"{MANAGED}demo: {{enabled: true}}\nstate: state.db\n") as running:
        yield running


def cookie(page: Page) -> str:
    found = {each.get("name"): each for each in page.context.cookies()}[COOKIE]
    assert (found.get("httpOnly"), found.get("sameSite")) == (True, "Strict")
    return str(found.get("value"))


def test_a_session_that_was_planted_is_not_the_one_that_begins(operator: Operator, gateway: Daemon) -> None:
    planted = f"9999999999.{'0' * 32}.{'0' * 64}"

    def visit(page: Page) -> None:
        page.context.add_cookies([{"name": COOKIE, "value": planted, "url": gateway.address}])
        page.reload()
        page.get_by_label("Management key").fill(KEY)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Dashboard")
        first = cookie(page)
        assert first != planted
        assert COOKIE not in page.evaluate("document.cookie")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_label("Management key")).to_be_visible()
        page.context.add_cookies([{"name": COOKIE, "value": first, "url": gateway.address}])  # somebody kept it
        page.reload()
        expect(page.get_by_label("Management key")).to_be_visible()
        page.get_by_label("Management key").fill(KEY)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Dashboard")
        assert cookie(page) != first

    operator.visits(visit, sign_in=False)


ASKED = """async token => {
  const headers = {"content-type": "application/json", ...(token === null ? {} : {"x-csrf-token": token})};
  const told = await fetch("/v0/management/keys", {method: "POST", headers, body: JSON.stringify({name: "planted"})});
  return [told.status, (await told.json()).code];
}"""
FORM = """async address => {
  const form = {method: "POST", mode: "no-cors", credentials: "include", body: "{}"};
  return await fetch(`${address}/v0/management/keys`, form).then(() => "read", () => "withheld");
}"""


def test_a_request_without_the_pages_own_token_is_refused(operator: Operator, gateway: Daemon) -> None:
    """As by a script that has got into the page, and as by another site's page with the operator's cookie."""

    def visit(page: Page) -> None:
        for token in (None, "", "0" * 64):
            assert page.evaluate(ASKED, token) == [403, "permission"]
        stranger = page.context.new_page()  # of this host, at another port: the cookie goes along
        stranger.route("http://127.0.0.1:65000/evil", lambda route: route.fulfill(body="<title>evil</title>"))
        stranger.goto("http://127.0.0.1:65000/evil")
        with stranger.expect_request("**/keys") as asked:
            assert stranger.evaluate(FORM, gateway.address) == "withheld"
        assert COOKIE in asked.value.all_headers()["cookie"]
        stranger.close()
        page.get_by_role("link", name="Keys").click()
        expect(page.get_by_text("No client keys yet.")).to_be_visible()

    operator.visits(visit, foreseen=["status of 403"])


def test_a_session_that_ends_elsewhere_is_noticed_in_an_open_page(operator: Operator, gateway: Daemon) -> None:
    def visit(page: Page) -> None:
        page.get_by_role("link", name="Models & routes").click()
        page.get_by_role("row", name="demo-story").click()
        other = page.context.new_page()
        other.goto(f"{gateway.address}/console/#/keys")
        other.get_by_role("button", name="Sign out").click()
        expect(other.get_by_label("Management key")).to_be_visible()
        other.close()
        page.get_by_role("button", name="Show the route").click()
        expect(page.get_by_text("The session has ended: sign in again.")).to_be_visible()
        assert page.get_by_text("demo-story").count() == 0
        page.get_by_label("Management key").fill(KEY)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Models & routes")

    operator.visits(visit, foreseen=["status of 401"])


def test_whoever_guesses_is_locked_out_with_the_right_key_too(browser: Browser, tmp_path: Path) -> None:
    def visit(page: Page) -> None:
        key = page.get_by_label("Management key")
        for number in range(5):
            key.fill(f"a-guess-{number}")
            page.keyboard.press("Enter")
            expect(page.get_by_role("alert")).to_have_count(number + 1)
        expect(page.get_by_role("alert").last).to_contain_text("not the right one")
        key.fill(KEY)
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert").last).to_contain_text("try again in 30 minutes")
        page.reload()
        expect(page.get_by_text("try again in 30 minutes")).to_be_visible()

    with daemon(tmp_path, MANAGED) as gateway:
        Operator(browser, gateway.address).visits(visit, sign_in=False, foreseen=["status of 401", "status of 403"])
        told = "".join(gateway.output)
        assert "is locked out after 5 wrong keys" in told
        assert "a-guess" not in told


def test_a_gateway_that_is_away_is_said_to_be_and_missed_no_longer_when_it_is_back(
    browser: Browser, tmp_path: Path
) -> None:
    away = "The gateway doesn't answer. This page goes on by itself when it does."
    with daemon(tmp_path, MANAGED) as gateway:

        def visit(page: Page) -> None:
            page.get_by_role("link", name="Requests").click()
            expect(page.get_by_text("No calls yet.")).to_be_visible()
            expect(page.get_by_text(away)).to_be_hidden()
            gateway.stop()
            page.get_by_role("button", name="Refresh").click()
            expect(page.get_by_text(away)).to_be_visible()
            with daemon(tmp_path, MANAGED, "--set", f"port={gateway.port}"):
                page.evaluate(
                    "dispatchEvent(new HashChangeEvent('hashchange'))"
                )  # as a click on the page's link, which may be gone
                expect(page.get_by_text("The session has ended: sign in again.")).to_be_visible()
                page.get_by_label("Management key").fill(KEY)
                page.keyboard.press("Enter")
                expect(page.get_by_text("No calls yet.")).to_be_visible()
                expect(page.get_by_text(away)).to_be_hidden()

        foreseen = ["ERR_CONNECTION_REFUSED", "status of 401"]
        leaving = [
            "net::ERR_",
            "status of 503",
        ]  # to requests that meet it while it goes: the page's stream of events has just begun
        Operator(browser, gateway.address).visits(visit, foreseen=foreseen, possible=leaving)
