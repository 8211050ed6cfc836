"""`doctor`: whether a gateway with this configuration would be well on this machine, and what to do where it would not."""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict

import click

from aiproxy.config.load import Configuration
from aiproxy.config.problems import ConfigurationInvalid, Place, Problem, Severity
from aiproxy.storage.judging import judged
from aiproxy.storage.store import StoreError
from aiproxy_config import checkup
from aiproxy_config.checkup import Finding
from aiproxy_config.in_use import in_use
from aiproxy_config.options import CONFIG, one_sentence


@click.command()
@click.option("--offline", is_flag=True, help="Ask no upstream, so look neither at ways nor at the clock.")
@click.option("--json", "in_json", is_flag=True, help="For programs.")
@CONFIG
@click.pass_context
@one_sentence
def doctor(context: click.Context, offline: bool, in_json: bool, config: str | None) -> None:
    """Look at the configuration and at this machine, and name a remedy for everything that is wrong: exposure, permissions, TLS,
    clock, limit of open files, port, upstreams and the proxies before them, versions.

    Run it as the gateway's user. The exit status is 0 when nothing hinders the gateway, 1 when something does."""
    found = list(_findings(config, offline=offline))
    if in_json:
        click.echo(json.dumps([asdict(each) for each in found], indent=2, ensure_ascii=False))
    else:
        for each in found:
            click.echo(f"{each.severity or 'good':8}{each.about}: {each.words}")
            if each.remedy:
                click.echo(f"        → {each.remedy}")
    context.exit(1 if any(each.severity is Severity.ERROR for each in found) else 0)


def _findings(config: str | None, *, offline: bool) -> Iterator[Finding]:
    yield from checkup.versions()
    try:
        configuration = judged(in_use(config))
    except ConfigurationInvalid as invalid:
        yield from map(_problem, invalid.problems)
        return
    except StoreError as error:
        remedy = "`aiproxy-config store check` looks again; configs/README.md has every key of `store`"
        yield Finding("store", Severity.ERROR, str(error), remedy)
        return
    if configuration.warnings:
        yield from map(_problem, configuration.warnings)
    else:
        yield Finding("configuration", None, f"{configuration.source} is valid")
    settings = configuration.settings
    yield from checkup.exposure(settings)
    yield from checkup.permissions(settings, configuration.file)
    yield from checkup.chain(settings.tls)
    yield from checkup.open_files(settings)
    yield from checkup.port(settings)
    if not offline:
        yield from _upstreams(configuration)


def _upstreams(configuration: Configuration) -> Iterator[Finding]:
    from aiproxy.neutral.errors import UpstreamFailed
    from aiproxy.storage.source import Loaded
    from aiproxy_config.offline import snapshot_of
    from aiproxy_config.online import online_problems
    from aiproxy_config.probing import Unreachable, Untrusted, ask

    said: list[str] = []
    problems = online_problems(configuration, said.append)
    yield from map(_problem, problems)
    if not problems:
        yield from (Finding("upstreams", None, words) for words in said)
    snapshot = snapshot_of(Loaded(configuration))
    for upstream in snapshot.upstreams.values():
        if upstream.base_url.startswith("https://"):
            try:
                date = ask(upstream.base_url, {}, snapshot.ways[upstream.id].proxy).date
            except (Unreachable, Untrusted, UpstreamFailed):
                continue
            if date:
                yield from checkup.clock([(date, time.time())])
                return


def _problem(problem: Problem) -> Finding:
    place = Place(problem.file, problem.line, problem.column)
    remedy = f"`aiproxy-config validate --explain {problem.code}` shows an example, mended"
    return Finding("configuration", problem.severity, f"{place}: {problem.message}", remedy)
