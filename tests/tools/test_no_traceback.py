"""Whatever is typed, and whatever lies in the files: a command ends with 0, 1 or 2 and words of its own, never with a traceback."""

import os
import socket
from itertools import count
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from aiproxy_config.cli import main
from tests.tools.lying_about import TEXTS, place

WORDS = [
    *TEXTS, "no-such-file.yaml", "auth", ".", "", "-", "team", "nobody", "claude-me@example.org", "odd", "gpt-5.4", "gpt-5.4(high)",
    "openai", "port", "port=x", "port=80", "api-keys[0].name", "api-keys[9]", "a..b", "[0]", "timeouts.idle", "5", "-1", "1e99",
    "99999999999999999999", "true", "{", "[a, b]", "{file: x}", "&a *a", "2099-12-31", "9999-12-31", "soon", "0001-01-01", "unknown-key",
    "file", "postgres", "s3", "memory", ":memory:", "postgresql://nobody@127.0.0.1:9/none", "http://[", "é\u2028", "\udcff", "a b", "*", "(",
    "x" * 300, "--", "0", "litellm", "cliproxyapi", "aiclient2api", "claude-code-router", "here", "bash", "json", "~0", "~", "/", "..", "a/b/c", "state.db", "foreign.db",
]  # fmt: skip
"""Words that mean something somewhere, and are wrong elsewhere. \\udcff is a byte that is no text, as Python has it."""

WAITS = {("login",)}
"""It talks to vendors and waits for people; tests of its own drive it."""


def leaves(command: click.Command, names: tuple[str, ...] = ()) -> dict[tuple[str, ...], click.Command]:
    if not isinstance(command, click.Group):
        return {names: command}
    context = click.Context(command)
    found: dict[tuple[str, ...], click.Command] = {}
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        assert inner is not None
        found |= leaves(inner, (*names, name))
    return found


COMMANDS = {names: command for names, command in leaves(main).items() if names not in WAITS}

word = st.sampled_from(WORDS) | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@st.composite
def lines(draw: st.DrawFn) -> list[str]:
    """A command with options and arguments of its own, more often right than wrong in kind."""
    names = draw(st.sampled_from(sorted(COMMANDS)))
    typed: list[str] = list(names)
    arguments: list[str] = []
    for parameter in COMMANDS[names].params:
        if isinstance(parameter, click.Argument):
            arguments += [draw(value(parameter)) for _ in range(draw(st.integers(0, 2)) if parameter.nargs < 0 else 1)]
        elif draw(st.booleans()):
            flag = isinstance(parameter, click.Option) and parameter.is_flag
            typed += [parameter.opts[0]] if flag else [parameter.opts[0], draw(value(parameter))]
    more = draw(st.lists(word, max_size=1)) if draw(st.integers(0, 9)) == 0 else []
    return [*typed, *more, *arguments]


def value(parameter: click.Parameter) -> st.SearchStrategy[str]:
    if isinstance(parameter.type, click.Choice):
        return st.sampled_from([str(each) for each in parameter.type.choices])
    if parameter.opts[0] == "--config":
        return st.sampled_from([name for name in TEXTS if name.endswith(".yaml")])
    return word


numbers = count()


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing leaves this machine, whatever a file says."""
    ask = socket.getaddrinfo

    def local(host: Any, *rest: Any, **more: Any) -> Any:
        if host not in ("127.0.0.1", "::1", "localhost", b"127.0.0.1", None):
            raise socket.gaierror(-2, "Name or service not known")
        return ask(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", local)


@given(lines(), st.sampled_from(["", "y\n", "port: x\n", "\udcff"]))
@example(["route", "--model", "a", "--config", "unset.yaml"], "")
@example(["validate", "\udcff"], "")
@example(["validate", "-"], "\udcff")
@example(["validate", "loop.yaml"], "")
@example(["validate", "auth"], "")
@example(["validate", "~0"], "")
@example(["init", "."], "")
@example(["set", "gpt-5.4", "x"], "")
@example(["state", "vacuum", "--state", "/"], "")
@example(["init", "/"], "")
@example(["set", "port", "-"], "\udcff")
@example(["api", "GET", "\udcff?\udcff", "\udcff=\udcff"], "y\n")
@example(["api", "GET", "/"], "\udcff\n")
@example(["api", "GET", "/", "--url", "http://127.0.0.1:x y"], "y\n")
@example(["api", "GET", "/", "--url", "http://\udcff"], "y\n")
@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_every_command_ends_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, offline: None, line: list[str], typed: str
) -> None:
    directory = tmp_path / str(next(numbers))
    directory.mkdir()
    place(directory)
    before = os.getcwd()
    os.chdir(directory)
    try:
        environ = {"HOME": str(directory), "AIPROXY_CONFIG": "", "EDITOR": "false"}
        result = CliRunner().invoke(main, line, input=typed.encode("utf-8", "surrogateescape"), env=environ)
    finally:
        os.chdir(before)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise AssertionError(line) from result.exception
    assert result.exit_code in (0, 1, 2)
    assert "Traceback" not in result.output
    assert result.exit_code == 0 or result.output.strip()
