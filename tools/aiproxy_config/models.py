"""`models`: the names that clients may ask for, and who answers to each."""

import json

import click

from aiproxy.clients import ANYONE
from aiproxy.gateway.explaining import by_model
from aiproxy_config.offline import client_named, offline, reading
from aiproxy_config.options import CONFIG


@click.command()
@click.option("--key", "holder", metavar="NAME", help="Those that this client key may use, by its name in logs.")
@click.option("--json", "in_json", is_flag=True, help="For programs.")
@CONFIG
@reading
def models(holder: str | None, in_json: bool, config: str | None) -> None:
    """List the models that the configuration offers, with the accounts that serve each. Nothing is asked of upstreams: accounts
    without a list of models pass every name on, and are named below the list."""
    snapshot = offline(config)
    client = client_named(snapshot, holder) if holder else ANYONE
    served = by_model(snapshot, client, {})
    passing = [offer.account for offer in snapshot.catalogue.offers if offer.accepts and snapshot.reach(client)(offer)]
    if in_json:
        click.echo(json.dumps({"models": served, "pass_any_name": passing}, indent=2, ensure_ascii=False))
        return
    for name, accounts in served.items():
        click.echo(f"{name}  {', '.join(accounts)}")
    if passing:
        click.echo(f"other names are passed on by: {', '.join(passing)}", err=True)
    elif not served:
        click.echo("No model is offered.", err=True)
