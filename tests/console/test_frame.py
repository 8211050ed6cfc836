"""Coming in, looking round and leaving, in a real browser."""

import httpx2
from playwright.sync_api import Page, expect

from aiproxy.web.console.console import HEADERS
from tests.console.conftest import Operator
from tests.rig.daemon import Daemon
from tests.rig.managing import KEY


def test_the_files_come_with_headers_that_keep_them_to_themselves(gateway: Daemon) -> None:
    with httpx2.Client(base_url=gateway.address) as client:
        page = client.get("/console/")
        assert page.status_code == 200
        assert HEADERS.items() <= dict(page.headers).items()
        assert "'unsafe-inline'" not in page.headers["content-security-policy"]
        again = client.get("/console/", headers={"if-none-match": page.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert client.get("/management.html").headers["location"] == "/console/"
        assert client.get("/", headers={"accept": "text/html"}).headers["location"] == "/console/"
        assert client.get("/").json()["name"] == "aiproxy"
        assert client.post("/console/").status_code == 405
        for wrong in (
            "/console/../../../pyproject.toml",
            "/console/%2e%2e/console.py",
            "/console/pages",
            "/console/x.js",
        ):
            assert client.get(wrong).status_code == 404, wrong
        assert client.get("/console/", headers={"host": "evil.example"}).status_code == 403


def test_signing_in_and_out(operator: Operator) -> None:
    def visit(page: Page) -> None:
        page.get_by_label("Management key").fill("not-the-key-at-all")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_contain_text("not the right one")
        page.get_by_label("Management key").fill(KEY)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Dashboard")
        page.reload()
        expect(page.get_by_role("heading", level=1)).to_have_text("Dashboard")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_label("Management key")).to_be_visible()
        page.reload()
        expect(page.get_by_label("Management key")).to_be_visible()

    operator.visits(visit, sign_in=False, foreseen=["status of 401"])


def test_a_call_shows_at_once_with_its_decisions(operator: Operator, gateway: Daemon) -> None:
    def visit(page: Page) -> None:
        page.get_by_role("link", name="Requests").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Requests")
        body = {"model": "demo", "messages": [{"role": "user", "content": "Hi"}]}
        told = httpx2.post(f"{gateway.address}/v1/chat/completions", json=body)
        page.get_by_role("row", name="openai-chat demo complete").first.click()  # not the one under way
        expect(page.get_by_text(told.headers["x-request-id"])).to_be_visible()
        expect(page.get_by_role("heading", name="Decisions")).to_be_visible()

    operator.visits(visit)


def test_a_call_is_seen_while_it_runs(operator: Operator, gateway: Daemon) -> None:
    def visit(page: Page) -> None:
        page.get_by_role("link", name="Requests").click()
        body = {"model": "demo-story", "stream": True, "messages": [{"role": "user", "content": "Tell me."}]}
        with httpx2.stream("POST", f"{gateway.address}/v1/chat/completions", json=body, timeout=60) as answer:
            expect(page.get_by_role("heading", name="Under way")).to_be_visible()
            answer.read()
        expect(page.get_by_role("heading", name="Under way")).to_have_count(0)
        expect(page.get_by_role("row", name="demo-story").first).to_be_visible()

    operator.visits(visit)


def test_a_call_is_ended_by_whoever_is_sure(operator: Operator, gateway: Daemon) -> None:
    def visit(page: Page) -> None:
        page.get_by_role("link", name="Requests").click()
        body = {"model": "demo-story@stall=3", "stream": True, "messages": [{"role": "user", "content": "Tell me."}]}
        with httpx2.stream("POST", f"{gateway.address}/v1/chat/completions", json=body, timeout=60) as answer:
            for choice in ("Cancel", "End the call"):
                page.get_by_role("button", name="End", exact=True).click()
                expect(page.get_by_text("The call of anonymous to demo-story@stall=3 ends")).to_be_visible()
                page.get_by_role("button", name=choice).click()
                expect(page.get_by_role("dialog")).to_have_count(0)
            assert "An operator of this gateway has ended this call" in answer.read().decode()
        expect(page.get_by_role("heading", name="Under way")).to_have_count(0)
        expect(page.get_by_role("row", name="broken off: ended_by_operator").first).to_be_visible()

    operator.visits(visit)


def test_what_is_drawn_anew_waits_for_the_button_of_the_mouse(operator: Operator) -> None:
    """A row that goes between press and release is never clicked."""

    def visit(page: Page) -> None:
        page.get_by_role("link", name="Accounts").click()
        page.get_by_role("row", name="demo").last.hover()
        page.mouse.down()
        page.get_by_label("Search").evaluate(
            "field => { field.value = 'nobody'; field.dispatchEvent(new Event('input')); }"
        )
        page.mouse.up()
        expect(page.get_by_role("dialog", name="demo")).to_be_visible()
        expect(page.get_by_text("No such accounts.")).to_be_visible()
        page.keyboard.press("Escape")
        page.get_by_label("Search").fill("")
        expect(page.get_by_role("row", name="demo").last).to_be_visible()

    operator.visits(visit)


def test_a_model_of_a_stranger_is_text(operator: Operator, gateway: Daemon) -> None:
    name = "<img src=x onerror=alert(1)>"
    httpx2.post(f"{gateway.address}/v1/chat/completions", json={"model": name, "messages": []})

    def visit(page: Page) -> None:
        page.goto(f"{gateway.address}/console/#/requests?failed=true")
        expect(page.get_by_text(name).first).to_be_visible()
        assert page.locator("main img").count() == 0

    operator.visits(visit)
