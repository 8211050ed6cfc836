"""The configuration changed where it is kept: only the lines concerned, and only to what the gateway would take."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import click

from aiproxy.config.load import Document, configuration, decoded, find
from aiproxy.config.problems import ConfigurationInvalid, render_problems
from aiproxy.config.schema import Settings, StoreType
from aiproxy.config.steps import NotEdited
from aiproxy.config.tree import Unparsable
from aiproxy.storage.documents import CONFIGURATION, digest
from aiproxy.storage.file import FileStore
from aiproxy.storage.judging import judged
from aiproxy.storage.opening import credentials_directory, open_store
from aiproxy.storage.store import Change, Store, StoreError
from aiproxy_config.past import note

AUTHOR = "aiproxy-config"

BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True, slots=True)
class Kept:
    """A configuration's text, with its byte order mark if it has one, and the store that keeps it in this version."""

    document: Document
    store: Store
    version: str

    @property
    def place(self) -> str:
        """As `Source.place`."""
        return str(self.document.file.resolve()) if self.document.file else self.document.name


def change(config: str | None, edit: Callable[[str], str], reason: str, *, here: bool = False) -> str:
    """Change the configuration that a gateway would use here, and say where that was. `here`: the local file's, whatever
    the store has; what leads to the store stands there. Refuses by `click.ClickException`."""
    try:
        with kept(config, here=here) as found:
            document = found.document
            changed = edit(document.text)
            read = replace(document, text=changed.removeprefix(BYTE_ORDER_MARK))
            settings = judged(configuration(read, environ=os.environ)).settings
            why = Change(reason, AUTHOR)
            found.store.save(CONFIGURATION, changed.encode(), found.version, why)
            if problem := found.store.condition().problem:
                raise click.ClickException(f"the change waits in the mirror of this machine: {problem}")
            note(settings, found.store, found.place, (document.text, changed), why)
    except (NotEdited, StoreError) as refused:
        raise click.ClickException(str(refused)) from None
    except Unparsable as unparsable:
        raise click.ClickException(render_problems([unparsable.problem]).strip()) from None
    except ConfigurationInvalid as invalid:
        told = f"nothing was changed, for this would not be valid:\n{render_problems(invalid.problems).strip()}"
        raise click.ClickException(told) from None
    return str(document.file or document.name)


@contextmanager
def kept(config: str | None, *, here: bool) -> Iterator[Kept]:
    """As `Source` has it: the store's configuration holds; while it has none, the local one."""
    local = _found(config)
    settings = _settings(local)
    if settings.store.type is not StoreType.FILE and not here:
        with closing(open_store(settings, None, os.environ)) as store:
            store.sync()
            stored = store.load().entries.get(CONFIGURATION)
            if stored is not None:
                name = f"{store.condition().place}/{CONFIGURATION}"
                yield Kept(Document(_text(stored.body, name), name, Path.cwd()), store, stored.version)
                return
    if local is None or local.file is None:
        raise click.ClickException("there is no configuration file here; `aiproxy-config init` writes one")
    body = local.file.read_bytes()
    document = replace(local, text=_text(body, local.name))
    yield Kept(document, FileStore(local.file, credentials_directory(settings)), digest(body))


def _found(config: str | None) -> Document | None:
    try:
        return find(config, os.environ)
    except ConfigurationInvalid as unreadable:
        raise click.ClickException(render_problems(unreadable.problems).strip()) from None


def _settings(local: Document | None) -> Settings:
    """Of a file that can't be used, the usual ones: it is the file that wants mending."""
    try:
        return configuration(local, environ=os.environ).settings
    except ConfigurationInvalid:
        return Settings()


def _text(body: bytes, name: str) -> str:
    decoded(body, name)
    return body.decode()
