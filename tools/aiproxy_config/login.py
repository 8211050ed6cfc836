"""`aiproxy-config login PROVIDER`: an account of one's own, from the vendor's page to a credential file."""

import os
import sys

import click

from aiproxy.credentials.login import Login
from aiproxy.credentials.naming import file_name, new_record
from aiproxy.credentials.record import Record
from aiproxy.credentials.ways.desk import Content, Options, Way
from aiproxy_config.logins import Credentials, one_sentence, opened, short
from aiproxy_config.options import CONFIG
from aiproxy_config.terminal import Terminal, run


@click.command()
@click.argument("provider")
@click.option("--no-browser", is_flag=True, help="Show the page's address only; no browser is opened.")
@click.option("--device", is_flag=True, help="By a code that is typed on the vendor's page, on any device.")
@click.option("--cookie", is_flag=True, help="By a cookie of the vendor's site (iflow).")
@click.option("--project", default="", help="Google's project: an id, several with commas, or ALL.")
@click.option("--callback-port", type=click.IntRange(1, 65535), help="Another port to come back to.")
@click.option("--region", default="", help="AWS's region of the login (kiro).")
@click.option("--start-url", default="", help="The start page of an AWS identity centre (kiro).")
@click.option("--identity", type=click.Choice(["google", "github"]), default="google", help="Whose login (kiro).")
@CONFIG
@one_sentence
def login(
    provider: str,
    no_browser: bool,
    device: bool,
    cookie: bool,
    project: str,
    callback_port: int | None,
    region: str,
    start_url: str,
    identity: str,
    config: str | None,
) -> None:
    """Log an account in at PROVIDER, and keep it as a credential file where the gateway finds it.

    Without a browser on this machine (over SSH, for one) open the page that is shown elsewhere, and paste the address on
    which it ends. A gateway that runs takes the account up by itself."""
    with opened(config) as credentials:
        found = credentials.login(provider)
        if found.closed:
            click.echo(f"Note: {found.closed}", err=True)
        way = chosen(found, "device" if device else "cookie" if cookie else "")
        browser = not no_browser and _has_browser()
        options = Options(project, callback_port or 0, region, start_url, identity)
        content = run(way(found, Terminal(browser=browser), options))
        record = save(credentials, found, content)
    click.echo(f"{record.label} is logged in at {provider}: {short(record.name)}")


def chosen(login: Login, name: str) -> Way:
    if (way := login.way(name)) is not None:
        return way
    if not login.ways:
        raise click.ClickException(
            f"{login.provider} has no page to log in at; `accounts import FILE` takes its key's file"
        )
    ways = " or ".join(f"--{way.name}" if way.name != "browser" else "the browser" for way in login.ways)
    raise click.ClickException(f"{login.provider} has no login by --{name}; there is {ways}")


def save(credentials: Credentials, login: Login, content: Content) -> Record:
    """An account that is there already is logged in anew: its settings stay."""

    def made(before: Record | None) -> Record:
        return new_record(login, content, before.content if before else None)

    return credentials.put(file_name(login, content), made, f"Log in at {login.provider}")


def _has_browser() -> bool:
    """A terminal without a screen opens its pages elsewhere."""
    if os.environ.get("SSH_CONNECTION"):
        return False
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or os.environ.get("BROWSER"))  # fmt: skip
