"""The console's files, read once, and the headers that keep its pages to themselves."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable

from aiproxy.codecs.base import Answer
from aiproxy.neutral.errors import GatewayError, NotFound
from aiproxy.web.answers import write_answer
from aiproxy.web.keys import header
from aiproxy.web.request import HttpRequest

ROOT = "/console/"

_OTHER_NAMES = (b"/console", b"/management.html")
"""The second one is CLIProxyAPI's."""

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
        " form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",  # kept by the browser, asked for by its tag: a new version shows at once
}


@dataclass(frozen=True, slots=True)
class _File:
    body: bytes
    content_type: str
    tag: str


class Console:
    """`objection` is what there is to say against a request for a page; `shown` whether the operator wants a console."""

    def __init__(self, objection: Callable[[HttpRequest], GatewayError | None], shown: Callable[[], bool]) -> None:
        self._objection = objection
        self._shown = shown
        self._files = {f"{ROOT}{name}".encode(): file for name, file in _read(files(__package__) / "static").items()}

    def owns(self, path: bytes) -> bool:
        return path in _OTHER_NAMES or path.startswith(ROOT.encode())

    def objection(self, request: HttpRequest) -> GatewayError | None:
        if not self._shown():
            return NotFound(
                "The console is switched off (remote-management.disable-control-panel).", code="unknown_url"
            )
        return self._objection(request)

    def wanted(self, request: HttpRequest) -> bool:
        """Whether a browser that asks for `/` means the console."""
        return "text/html" in header(request, b"accept") and self.objection(request) is None

    def serve(self, request: HttpRequest) -> None:
        """Raises nothing: a file that isn't there is an answer too."""
        path = request.path or b""
        if not path.startswith(ROOT.encode()):
            answer = Answer(302, b"", "text/plain", {"location": ROOT})
        elif request.method not in (b"GET", b"HEAD"):
            answer = Answer(405, b"Files are for reading.\n", "text/plain; charset=utf-8", {"allow": "GET, HEAD"})
        elif (file := self._files.get(path + b"index.html" if path.endswith(b"/") else path)) is None:
            answer = Answer(404, b"There is no such page in the console.\n", "text/plain; charset=utf-8", HEADERS)
        elif header(request, b"if-none-match") == file.tag:
            answer = Answer(304, b"", file.content_type, {**HEADERS, "etag": file.tag})
        else:
            answer = Answer(200, file.body, file.content_type, {**HEADERS, "etag": file.tag})
        request.write(write_answer(request, answer))
        request.finish()


def _read(folder: Traversable, before: str = "") -> Mapping[str, _File]:
    found: dict[str, _File] = {}
    for entry in folder.iterdir():
        if entry.is_dir():
            found |= _read(entry, f"{before}{entry.name}/")
        elif content_type := _TYPES.get(entry.name[entry.name.rfind(".") :]):
            body = entry.read_bytes()
            found[before + entry.name] = _File(body, content_type, f'"{sha256(body).hexdigest()[:32]}"')
    return found
