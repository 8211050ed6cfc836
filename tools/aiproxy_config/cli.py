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

SECTIONS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "Begin": {
        "init": ("init:init", "Write a first configuration, with a client key."),
        "import": ("importing.command:import_", "Take over another gateway's configuration."),
        "validate": ("validate:validate", "Find every problem in a configuration, each at its line."),
        "doctor": ("doctor:doctor", "Look at this machine as well, and name remedies."),
    },
    "Look": {
        "show": ("show:show", "Every value in effect, and where it comes from."),
        "models": ("models:models", "The models on offer, and who serves them."),
        "route": ("route:route", "Where a call would go, step by step, and why."),
        "usage": ("usage:usage", "What was used, by key, team, model, account, day."),
        "diff": ("diff:diff", "What another configuration would change for clients."),
    },
    "Change": {
        "set": ("edits:set_", "Set one key; everything else stays as it is."),
        "unset": ("edits:unset", "Take one key out."),
        "history": ("history:history", "Look back at the configuration, and bring a version back."),
        "keys": ("keys:keys", "Make, list, rotate and revoke client keys."),
        "login": ("login:login", "Log an account in at a provider."),
        "accounts": ("accounts:accounts", "List, test, switch and remove logged-in accounts."),
    },
    "Keep": {
        "state": ("state:state", "Move and shrink usage, requests and counters."),
        "store": ("store:store", "Check and move where configuration and logins live."),
        "log": ("log:log", "Make data sets of a prompt log."),
    },
    "With a gateway that runs": {
        "api": ("api:api", "Ask its management API: all that the console does."),
    },
    "For editors and shells": {
        "schema": ("show:schema", "The JSON Schema of the configuration."),
        "completion": ("completion:completion", "What makes a shell complete these commands."),
    },
}
"""What is typed → the module with the command in it, and what `--help` says of it, which asks no module."""

COMMANDS = {name: where for section in SECTIONS.values() for name, (where, _) in section.items()}


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

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, words) for name, (_, words) in commands.items()])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="aiproxy", prog_name="aiproxy-config")
def main() -> None:
    """Check and write the configuration of aiproxy. Only `api` needs a running gateway.

    Begin with `aiproxy-config init`; `aiproxy-config COMMAND --help` says more of each."""
