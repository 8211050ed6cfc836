"""`diff`: what a reload would change for clients."""

import json
from dataclasses import asdict

import click

from aiproxy.gateway.differences import differences
from aiproxy_config.offline import offline, reading


@click.command()
@click.argument("old", type=click.Path())
@click.argument("new", type=click.Path())
@click.option("--json", "in_json", is_flag=True, help="For programs.")
@reading
def diff(old: str, new: str, in_json: bool) -> None:
    """Show what clients would notice when the configuration NEW took the place of OLD: keys, models, routes, accounts, limits and
    other settings. Both must be valid; secrets are compared, and never shown."""
    found = list(differences(offline(old), offline(new)))
    if in_json:
        click.echo(json.dumps([asdict(each) for each in found], indent=2, ensure_ascii=False))
        return
    for each in found:
        click.echo(f"{each.about} {each.what}: {each.words}")
    if not found:
        click.echo("Nothing changes for clients.")
