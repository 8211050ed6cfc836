"""A gateway with a management key, and its console in a real browser, where what a page must never do fails the test."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import pytest
from playwright.sync_api import ConsoleMessage, Page

from tests.rig.browser import Browser
from tests.rig.daemon import Daemon, daemon
from tests.rig.managing import KEY, MANAGED

T = TypeVar("T")


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    text = f"{MANAGED}demo: {{enabled: true}}\nstate: state.db\n"
    with daemon(tmp_path_factory.mktemp("console"), text) as running:
        yield running


class Operator:
    """Somebody at the console. Errors of scripts, violations of the Content-Security-Policy and requests that fail are told by the
    browser's console: none may be there in the end but what is `foreseen`, as refused requests are, which must be there, and what is
    `possible`, as whatever else happens to a request under way while the gateway goes."""

    def __init__(self, browser: Browser, address: str) -> None:
        self._browser = browser
        self._address = address

    def visits(
        self,
        script: Callable[[Page], T],
        *,
        language: str = "en",
        theme: str = "light",
        sign_in: bool = True,
        foreseen: Sequence[str] = (),
        possible: Sequence[str] = (),
        before: str = "",
    ) -> T:
        def visit(page: Page) -> T:
            told: list[str] = []

            def listen(message: ConsoleMessage) -> None:
                if message.type in ("error", "warning"):
                    told.append(f"{message.text} {message.location}")

            page.on("console", listen)
            page.on("requestfailed", lambda request: told.append(f"{request.url}: {request.failure}"))
            page.add_init_script(
                f"localStorage.setItem('language', '{language}'); localStorage.setItem('theme', '{theme}')"
            )
            page.add_init_script(before)
            page.emulate_media(reduced_motion="reduce")
            page.goto(f"{self._address}/console/")
            if sign_in:
                page.locator("input[type=password]").fill(KEY)
                page.locator("button[type=submit]").click()
                page.locator("nav").wait_for()
            result = script(page)
            harmless = ("ERR_ABORTED", *foreseen, *possible)  # a page that was left aborts
            unforeseen = [line for line in told if not any(words in line for words in harmless)]
            assert not unforeseen, unforeseen
            assert all(any(words in line for line in told) for words in foreseen), told
            return result

        return self._browser.visit(visit)


@pytest.fixture
def operator(browser: Browser, gateway: Daemon) -> Operator:
    return Operator(browser, gateway.address)
