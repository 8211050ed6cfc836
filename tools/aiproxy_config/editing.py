"""The configuration file, changed in place: only the lines concerned, and only to what the gateway would take."""

import os
from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile

import click

from aiproxy.config.load import Document, configuration, find, read_document
from aiproxy.config.problems import ConfigurationInvalid, render_problems
from aiproxy.config.steps import NotEdited
from aiproxy.config.tree import Unparsable


def change(config: str | None, edit: Callable[[str], str]) -> Path:
    """Change the file that a gateway would read here, and say which it was. Refuses by `click.ClickException`."""
    try:
        document = find(config, os.environ)
        if document is None or document.file is None:
            raise click.ClickException("there is no configuration file here; `aiproxy-config init` writes one")
        changed = edit(document.text)
        configuration(Document(changed, document.name, document.directory, document.file), environ=os.environ)
        if read_document(document.file).text != document.text:
            raise click.ClickException(
                f"{document.name} has just been changed by someone else; look at it, and try again"
            )
    except NotEdited as refused:
        raise click.ClickException(str(refused)) from None
    except Unparsable as unparsable:
        raise click.ClickException(render_problems([unparsable.problem]).strip()) from None
    except ConfigurationInvalid as invalid:
        told = f"nothing was changed, for this would not be valid:\n{render_problems(invalid.problems).strip()}"
        raise click.ClickException(told) from None
    rewrite(document.file, changed)
    return document.file


def rewrite(path: Path, text: str) -> None:
    """The file's content replaced: a reader sees the old or the new, never half. Its mode and owner stay, and a link to it."""
    path = path.resolve()
    before = path.stat()
    with NamedTemporaryFile(
        "w", encoding="utf-8", newline="", dir=path.parent, prefix=f".{path.name}.", delete=False
    ) as file:
        try:
            file.write(text)
            os.fchmod(file.fileno(), before.st_mode & 0o7777)
            if (before.st_uid, before.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(file.fileno(), before.st_uid, before.st_gid)
        except OSError:
            os.unlink(file.name)
            raise
    os.replace(file.name, path)
