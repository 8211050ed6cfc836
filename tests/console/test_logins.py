"""An account is logged in from the console, through its vendor's own page, by a pasted address, and by a code."""

import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import trustme
from playwright.sync_api import Page, expect

from tests.console.conftest import Operator
from tests.rig.browser import Browser
from tests.rig.daemon import daemon
from tests.rig.managing import MANAGED
from tests.rig.upstream import Received, upstream
from tests.vendors.logins import LoginVendor

SCRIPT = "javascript:alert(1)"


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port: int = taken.getsockname()[1]
        return port


@pytest.fixture
def at_vendor(browser: Browser, tmp_path: Path) -> Iterator[tuple[Operator, Path]]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    with upstream(LoginVendor().serve, tls=context) as server:
        origin = f"https://localhost:{server.port}"
        text = (
            f"{MANAGED}auth-dir: auth\n"
            "upstreams:\n"
            f"  codex: {{authorize-url: '{origin}/authorize', token-url: '{origin}/token', base-url: '{origin}/codex'}}\n"
            f"  kimi: {{token-url: '{origin}/token', device-url: '{origin}/device_authorization', base-url: '{origin}/coding'}}\n"
        )
        with daemon(tmp_path, text, environ={"SSL_CERT_FILE": str(tmp_path / "ca.pem")}) as gateway:
            yield Operator(browser, gateway.address), tmp_path / "auth"


def begin(page: Page, provider: str, **more: str) -> None:
    page.get_by_role("link", name="Accounts").click()
    page.get_by_role("button", name="Log in").click()
    dialog = page.locator("dialog")
    dialog.get_by_label("Provider").select_option(provider)
    if more:
        dialog.get_by_text("More").click()
    for label, value in more.items():
        dialog.get_by_label(label.capitalize()).fill(value)
    dialog.get_by_role("button", name="Begin").click()


def done(page: Page) -> None:
    expect(page.get_by_text("Logged in: ")).to_be_visible()
    page.locator("dialog footer").get_by_role("button", name="Close").click()
    expect(page.get_by_role("row", name="a@vendor.example").first).to_be_visible()


def test_through_the_vendors_page(at_vendor: tuple[Operator, Path]) -> None:
    operator, auth = at_vendor

    def visit(page: Page) -> None:
        begin(page, "codex", port=str(free_port()))
        with page.expect_popup() as opened:
            page.get_by_role("link", name="Open the vendor's page").click()
        vendors = opened.value
        vendors.get_by_role("button", name="Allow").click()
        vendors.wait_for_url("http://localhost:*/**")
        done(page)

    operator.visits(visit)
    assert [path.name for path in auth.glob("codex-*.json")]


def test_by_the_address_on_which_the_browser_ended(at_vendor: tuple[Operator, Path]) -> None:
    operator, auth = at_vendor

    def visit(page: Page) -> None:
        begin(page, "codex", port=str(free_port()))
        with page.expect_popup() as opened:
            page.get_by_role("link", name="Open the vendor's page").click()
        state = parse_qs(urlsplit(opened.value.url).query)["state"][0]
        opened.value.close()
        page.get_by_label("Where the browser ended").fill(
            f"http://localhost:1455/auth/callback?code=code-1&state={state}"
        )
        page.get_by_role("button", name="Bring it").click()
        done(page)

    operator.visits(visit)
    assert [path.name for path in auth.glob("codex-*.json")]


def test_by_a_code(at_vendor: tuple[Operator, Path]) -> None:
    operator, auth = at_vendor

    def visit(page: Page) -> None:
        begin(page, "kimi")
        expect(page.get_by_text("ABCD-EFGH")).to_be_visible()
        expect(page.get_by_text("Logged in: ")).to_be_visible()

    operator.visits(visit)
    assert [path.name for path in auth.glob("kimi-*.json")]


def test_a_page_that_is_none_is_not_led_to(browser: Browser, tmp_path: Path) -> None:
    class Strange(LoginVendor):
        def _device(self, received: Received) -> Any:
            return {**super()._device(received), "verification_uri": SCRIPT, "verification_uri_complete": SCRIPT}

    def visit(page: Page) -> None:
        begin(page, "kimi")
        expect(page.locator("dialog .badge")).to_be_visible()
        expect(page.locator("dialog footer").get_by_role("button", name=re.compile("Cancel|Close"))).to_be_visible()
        assert page.locator("dialog a").count() == 0

    with upstream(Strange().serve) as vendor:
        origin = vendor.base_url.removesuffix("/v1")
        urls = f"token-url: '{origin}/token', device-url: '{origin}/device_authorization', base-url: '{origin}/coding'"
        with daemon(tmp_path, f"{MANAGED}auth-dir: auth\nupstreams: {{kimi: {{{urls}}}}}\n") as gateway:
            Operator(browser, gateway.address).visits(visit)


def test_a_login_that_is_cancelled_ends(at_vendor: tuple[Operator, Path]) -> None:
    operator, auth = at_vendor

    def visit(page: Page) -> None:
        begin(page, "codex", port=str(free_port()))
        page.locator("dialog footer").get_by_role("button", name="Cancel").click()
        expect(page.locator("dialog")).to_have_count(0)
        under_way = page.evaluate(
            "async () => (await (await fetch('/v0/management/logins')).json()).logins.map(each => each.stage)"
        )
        assert under_way == ["cancelled"]

    operator.visits(visit)
    assert not [*auth.glob("*.json")]
