"""`init`: a first configuration, written where nobody else can read it."""

import json
import os
from pathlib import Path

import click

from aiproxy.config.json_schema import json_schema
from aiproxy_config.starter import starter, write_private

SCHEMA = "aiproxy.schema.json"


@click.command()
@click.argument("path", type=click.Path(path_type=Path), default="aiproxy.yaml")
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
def init(path: Path, force: bool) -> None:
    """Write a commented configuration to PATH (aiproxy.yaml), with a new random client key.

    Beside it stands aiproxy.schema.json, by which editors complete and check it. When OPENAI_API_KEY is set, an account that uses the variable is configured; its value is not written.
    """
    try:
        schema = path.parent / SCHEMA
        write_private(path, f"# yaml-language-server: $schema={SCHEMA}\n{starter(os.environ)}", replace=force)
        schema.write_text(json.dumps(json_schema(), indent=2) + "\n", encoding="utf-8")
    except FileExistsError:
        raise click.ClickException(f"{path} exists; --force replaces it") from None
    except OSError as error:
        raise click.ClickException(f"{path} can't be written: {error.strerror}") from None
    click.echo(f"Wrote {path}, with a new client key under `api-keys`; only you can read it.")
    click.echo(f"Next: aiproxy-config validate {path} && aiproxy --config {path}")
