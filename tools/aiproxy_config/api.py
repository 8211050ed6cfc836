"""`aiproxy-config api`: what the console does with a gateway that runs, as a command."""

import json
import os
from http.client import HTTPException, HTTPResponse, InvalidURL
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import OpenerDirector, ProxyHandler, Request, build_opener

import click

from aiproxy.config.load import Configuration
from aiproxy.config.schema import Settings
from aiproxy_config.in_use import in_use
from aiproxy_config.options import CONFIG, one_sentence

ROOT = "/v0/management"

KEY = "MANAGEMENT_PASSWORD"
"""The variable that the gateway has its key from, too."""

ANSWERS_WITHIN = 120.0
"""Seconds of silence: a health check of all accounts, or a vendor that is asked, takes its time."""

READ_BYTES = 65536

_MISSING = (
    " `aiproxy-config api GET /openapi.json` lists what there is; if that is missing, too, the gateway has no management key:"
    " set `remote-management.secret-key`, or MANAGEMENT_PASSWORD where it starts."
)

_BODILESS = ("GET", "DELETE")
_EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104 - addresses that are listened at, not ours


@click.command()
@click.argument("method", type=click.Choice(("GET", "POST", "PUT", "PATCH", "DELETE"), case_sensitive=False))
@click.argument("path")
@click.argument("fields", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("--url", metavar="URL", help="Where the gateway is; without it where the configuration has it listen.")
@CONFIG
@one_sentence
def api(method: str, path: str, fields: tuple[str, ...], url: str | None, config: str | None) -> None:
    """Ask a gateway that runs whatever its console can ask it, for example

    \b
      aiproxy-config api GET /accounts
      aiproxy-config api POST /accounts/openai-1/clear model=gpt-5.4
      aiproxy-config api PATCH /accounts/openai-1 priority=10

    METHOD and PATH are the management API's: `aiproxy-config api GET /openapi.json` lists them. A VALUE is JSON, or else a text. The
    management key is that of the variable MANAGEMENT_PASSWORD; without it you are asked for it.
    """
    at = (url or _address(in_use(config))).rstrip("/")
    said = dict(map(_field, fields))
    key = os.environ.get(KEY) or click.prompt("Management key", hide_input=True, err=True)
    if not key.isascii() or not key.isprintable():
        raise click.UsageError(
            f"The management key has characters that no header can carry: look whether {KEY}, or what was typed, is the gateway's."
        )
    with _answer(_request(method, at, path, said, key), at) as answer:
        _show(answer)


def _field(text: str) -> tuple[str, Any]:
    name, given, value = text.partition("=")
    if not (given and name):
        raise click.UsageError(f"{text!r} must be NAME=VALUE.")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _address(configuration: Configuration) -> str:
    settings: Settings = configuration.settings
    host = "127.0.0.1" if settings.host in _EVERYWHERE else settings.host
    return f"{'https' if settings.tls.enable else 'http'}://{f'[{host}]' if ':' in host else host}:{settings.port}"


def _request(method: str, at: str, path: str, said: dict[str, Any], key: str) -> Request:
    where, _, query = path.partition("?")
    where = _quoted("/" + where.removeprefix(ROOT).lstrip("/"))
    query = _quoted(query)
    bodiless = method in _BODILESS
    if bodiless and said:
        asked = urlencode({name: _text(value) for name, value in said.items()}, errors="surrogateescape")
        query = "&".join((*filter(None, (query,)), asked))
    body = None if bodiless else json.dumps(said).encode()
    try:
        return Request(  # noqa: S310 - http or https: `_answer` looks
            f"{at}{ROOT}{where}{'?' if query else ''}{query}",
            body,
            {"x-management-key": key, "content-type": "application/json"} if body else {"x-management-key": key},
            method=method,
        )
    except ValueError:
        raise _not_an_address(at) from None


def _not_an_address(at: str) -> click.UsageError:
    return click.UsageError(f"{at!r} must be http://HOST:PORT or https://HOST:PORT.")


def _quoted(part: str) -> str:
    """This part of a URL, of which some may be quoted already. An argument's bytes that aren't UTF-8 stay the bytes they are."""
    return quote(part, safe="/?:@!$&'()*+,;=-._~%", errors="surrogateescape")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _answer(request: Request, at: str) -> HTTPResponse:
    if request.type not in ("http", "https"):
        raise _not_an_address(at)
    straight: OpenerDirector = build_opener(ProxyHandler({}))
    try:
        found: HTTPResponse = straight.open(request, timeout=ANSWERS_WITHIN)
    except HTTPError as refused:
        with refused:
            raise click.ClickException(_why(refused.code, refused.read())) from None
    except (InvalidURL, UnicodeError):
        raise _not_an_address(at) from None
    except (OSError, HTTPException) as nobody:
        why = getattr(nobody, "reason", nobody)
        raise click.ClickException(
            f"No gateway answers at {at}: {why}. If it runs elsewhere, --url says where."
        ) from None
    return found


def _why(status: int, body: bytes) -> str:
    """The API's own words, where there are some."""
    try:
        said: Any = json.loads(body)
    except ValueError:
        said = None
    error = said.get("error") if isinstance(said, dict) else None
    words = error.get("message") if isinstance(error, dict) else error
    told = f"{words} ({status})" if isinstance(words, str) else f"The gateway answers {status}; its log knows more."
    return f"{told}{_MISSING}" if status == 404 else told


def _show(answer: HTTPResponse) -> None:
    if answer.headers.get_content_type() == "application/json":
        click.echo(json.dumps(json.load(answer), indent=2, ensure_ascii=False))
        return
    while piece := answer.read1(READ_BYTES):  # as they come: events go on for as long as the gateway does
        click.echo(piece, nl=False)
