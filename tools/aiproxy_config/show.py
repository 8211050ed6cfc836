"""`show`: what holds, and which layer says so. `schema`: what could."""

import json
from dataclasses import asdict

import click

from aiproxy.config.effective import effective
from aiproxy.config.json_schema import json_schema
from aiproxy.config.yaml_text import one_line
from aiproxy.storage.store import StoreError
from aiproxy_config.in_use import in_use
from aiproxy_config.options import CONFIG, complete_key, refusing


@click.command()
@click.argument("path", metavar="[KEY.PATH]", default="", shell_complete=complete_key)
@click.option("--changed", is_flag=True, help="Only what somebody has set, without the defaults.")
@click.option("--set", "overrides", multiple=True, metavar="KEY.PATH=VALUE", help="With this value; repeatable.")
@click.option("--json", "in_json", is_flag=True, help="For programs.")
@CONFIG
@refusing(StoreError)
def show(path: str, changed: bool, overrides: tuple[str, ...], in_json: bool, config: str | None) -> None:
    """Show every value in effect, or those under KEY.PATH, each with the layer that it came from: built-in, a line of the
    file, a variable, or --set. Secrets are masked."""
    configuration = in_use(config, overrides)
    found = [each for each in effective(configuration) if _under(each.path, path) and (each.changed or not changed)]
    if path and not found and not changed:
        raise click.ClickException(f"there is no key `{path}`; without a path all of them are shown")
    if in_json:
        click.echo(json.dumps([asdict(each) for each in found], indent=2, ensure_ascii=False))
        return
    for each in found:
        click.echo(f"{each.path}: {one_line(each.value)}   # {each.origin}")


def _under(path: str, wanted: str) -> bool:
    return not wanted or path == wanted or path.startswith((f"{wanted}.", f"{wanted}["))


@click.command()
def schema() -> None:
    """Print the JSON Schema of the configuration, for editors.

    A file that begins with `# yaml-language-server: $schema=FILE` is completed and checked by it as one types."""
    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
