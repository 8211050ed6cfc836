"""The command line of `aiproxy-config`: which commands there are. Each is a module of its own, read when it is asked for, so
that checking a file doesn't wait for what logging in needs.

Exit statuses of all of them: 0 done, or valid; 1 not done, or invalid; 2 wrong usage.
"""

import sys
from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from io import TextIOWrapper
from typing import Any

import click

COMMANDS: Mapping[str, str] = {
    "accounts": "accounts:accounts",
    "completion": "completion:completion",
    "diff": "diff:diff",
    "doctor": "doctor:doctor",
    "import": "importing.command:import_",
    "init": "init:init",
    "keys": "keys:keys",
    "log": "log:log",
    "login": "login:login",
    "models": "models:models",
    "route": "route:route",
    "schema": "show:schema",
    "set": "edits:set_",
    "show": "show:show",
    "state": "state:state",
    "store": "store:store",
    "unset": "edits:unset",
    "validate": "validate:validate",
}
"""What is typed → the module, and the command in it."""


class _Commands(click.Group):
    def main(self, *arguments: Any, **options: Any) -> Any:
        """What a terminal's encoding can't say, or bytes that are no text, are escaped, and nothing fails by them."""
        for stream in (sys.stdin, sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        return super().main(*arguments, **options)

    def list_commands(self, context: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return sorted(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            near = get_close_matches(name, COMMANDS, n=1)
            if near and not context.resilient_parsing:
                context.fail(f"there is no command {name!r}; did you mean {near[0]!r}?")
            return None
        module, _, command = COMMANDS[name].partition(":")
        found: click.Command = getattr(import_module(f"aiproxy_config.{module}"), command)
        return found


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="aiproxy", prog_name="aiproxy-config")
def main() -> None:
    """Check and write the configuration of aiproxy. Nothing here needs a running gateway."""
