"""Credential files come, are looked at, taken along and removed from the console, bad ones among the good."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.console.conftest import Operator
from tests.rig.browser import Browser
from tests.rig.daemon import daemon
from tests.rig.managing import MANAGED
from tests.rig.upstream import upstream
from tests.vendors.logins import LoginVendor


@pytest.fixture
def at_files(browser: Browser, tmp_path: Path) -> Iterator[tuple[Operator, Path]]:
    with upstream(LoginVendor().serve) as vendor:
        origin = vendor.base_url.removesuffix("/v1")
        text = (
            f"{MANAGED}auth-dir: auth\nstate: state.db\n"
            f"upstreams:\n  kimi: {{token-url: '{origin}/token', base-url: '{origin}/coding'}}\n"
        )
        with daemon(tmp_path, text) as gateway:
            yield Operator(browser, gateway.address), tmp_path / "auth"


def login(number: int) -> dict[str, str]:
    whose = f"person-{number}@example.com"
    return {
        "type": "kimi",
        "access_token": f"access-{number}-0123456789",
        "refresh_token": f"r-{number}",
        "email": whose,
    }


def chosen(name: str, content: object) -> FilePayload:
    body = content if isinstance(content, str) else json.dumps(content)
    return {"name": name, "mimeType": "application/json", "buffer": body.encode()}


def open_files(page: Page) -> None:
    page.get_by_role("link", name="Accounts").click()
    page.get_by_role("button", name="Credential files").click()


def test_a_file_comes_is_taken_along_and_goes(at_files: tuple[Operator, Path]) -> None:
    operator, auth = at_files

    def visit(page: Page) -> bytes:
        open_files(page)
        page.get_by_label("Files to bring").set_input_files([chosen("kimi-mine.json", login(1))])
        expect(page.get_by_text("Files brought: 1.")).to_be_visible()
        row = page.locator("dialog").get_by_role("row", name="kimi-mine.json")
        with page.expect_download() as saved:
            row.get_by_role("button", name="Download").click()
        assert saved.value.suggested_filename == "kimi-mine.json"
        taken = Path(saved.value.path()).read_bytes()
        row.get_by_role("button", name="Delete").click()
        page.get_by_role("dialog", name="Are you sure?").get_by_role("button", name="Cancel").click()
        assert (auth / "kimi-mine.json").exists()
        row.get_by_role("button", name="Delete").click()
        page.get_by_role("dialog", name="Are you sure?").get_by_role("button", name="Delete").click()
        expect(row).to_have_count(0)
        return taken

    assert json.loads(operator.visits(visit)) == login(1)
    assert not [*auth.glob("*.json")]


def test_many_files_come_with_their_progress_and_bad_ones_are_named(at_files: tuple[Operator, Path]) -> None:
    operator, auth = at_files
    good = [chosen(f"kimi-{number:02}.json", login(number)) for number in range(25)]
    bad = [
        chosen("broken.json", "{"),
        chosen("stranger.json", {"type": "no-such-vendor"}),
        chosen("<img src=x>.json", {"type": "kimi"}),
    ]

    def visit(page: Page) -> None:
        open_files(page)
        page.get_by_label("Files to bring").set_input_files([*good[:12], *bad, *good[12:]])
        progress = page.get_by_role("progressbar")
        expect(progress).to_have_js_property("value", 28)
        assert progress.evaluate("bar => bar.max") == 28
        told = page.locator("dialog [role=status] li")
        expect(told).to_have_count(3)
        for number, file in enumerate(bad):
            expect(told.nth(number)).to_contain_text(f"{file['name']}: ")
        expect(page.get_by_text("Files brought: 25.")).to_be_visible()
        expect(page.locator("dialog").get_by_role("row", name="kimi-")).to_have_count(25)
        page.keyboard.press("Escape")
        expect(page.get_by_role("row", name="person-7@example.com")).to_be_visible()

    operator.visits(visit)
    assert sorted(path.name for path in auth.glob("*.json")) == [file["name"] for file in good]
