"""`aiproxy-config store …`: look at the place where configuration and credentials live, move it, settle conflicts."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import click

from aiproxy.config import Configuration, load_config
from aiproxy.config.load import Document, configuration, decoded
from aiproxy.config.problems import ConfigurationInvalid, render_problems
from aiproxy.config.schema import StoreType
from aiproxy.storage.documents import CONFIGURATION
from aiproxy.storage.encryption import EncryptedStore
from aiproxy.storage.judging import judged
from aiproxy.storage.opening import open_store
from aiproxy.storage.store import Change, Conflict, Entry, StoreError
from aiproxy_config.formats import counted
from aiproxy_config.options import CONFIG, refusing


@click.group()
def store() -> None:
    """Look after the place where configuration and credentials live.

    A store is one of file, postgres, git, s3, as the configuration (or PGSTORE_DSN and the like) describes it; or a
    configuration file, for the store that this one uses."""


_one_sentence = refusing(StoreError)


@store.command()
@click.argument("which", metavar="[STORE]", required=False)
@CONFIG
@_one_sentence
def check(which: str | None, config: str | None) -> None:
    """Reach STORE, read everything in it, and say what is wrong. Nothing is changed, but for what waits to be pushed.

    The exit status is 1 when something is."""
    with _opened(which, config) as opened:
        opened.sync()
        contents, condition = opened.load(), opened.condition()
        click.echo(f"{condition.place}: {counted(len(contents.entries), 'document')}")
        for name, why in sorted(contents.refused.items()):
            click.echo(f"{name} {why}", err=True)
        # Of a store of files, it is the one that was just read.
        stored = contents.entries.get(CONFIGURATION) if condition.age is not None else None
        invalid = _invalid(stored, condition.place)
        click.echo(invalid, nl=False, err=True)
        for conflict in condition.conflicts:
            words = "was deleted here" if conflict.body is None else "was changed here"
            click.echo(
                f"conflict {conflict.number}: {conflict.name} {words} and elsewhere; elsewhere holds. "
                f"`aiproxy-config store resolve {conflict.number} --take here|elsewhere` ends it.",
                err=True,
            )
        if contents.refused or condition.conflicts or invalid:
            raise SystemExit(1)


@store.command()
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@click.option("--replace", "replacing", is_flag=True, help="Replace documents that TO has with other content.")
@CONFIG
@_one_sentence
def copy(source: str, target: str, replacing: bool, config: str | None) -> None:
    """Copy every document of the store FROM to the store TO. What TO has besides stays.

    Nothing is written when FROM holds something that can't be taken, or TO something else under the same name, unless
    --replace is given."""
    with _opened(source, config) as here, _opened(target, config) as there:
        here.sync()
        there.sync()
        wanted, present = here.load(), there.load()
        if wanted.refused:
            raise click.ClickException("\n".join(f"{name} {why}" for name, why in sorted(wanted.refused.items())))
        new = {name: entry.body for name, entry in wanted.entries.items() if name not in present.entries}
        other = {
            name: entry.body
            for name, entry in wanted.entries.items()
            if name in present.entries and present.entries[name].body != entry.body
        }
        if other and not replacing:
            names = ", ".join(sorted(other))
            raise click.ClickException(
                f"{there.condition().place} has other content under {names}; --replace replaces it."
            )
        for name, body in sorted((new | other).items()):
            before = present.entries.get(name)
            change = Change(f"Copy {name} from {here.condition().place}", "aiproxy-config")
            there.save(name, body, before.version if before else None, change)
        condition = there.condition()
        if condition.problem:
            raise click.ClickException(f"{condition.unpushed} documents wait in the mirror: {condition.problem}")
        same = len(wanted.entries) - len(new) - len(other)
        click.echo(f"{counted(len(new) + len(other), 'document')} copied, {same} there already.")


@store.command()
@click.argument("which", metavar="[STORE]", required=False)
@CONFIG
@_one_sentence
def encrypt(which: str | None, config: str | None) -> None:
    """Encrypt, by AIPROXY_ENCRYPTION_KEY, every credential that is plain or under the former key."""
    with _opened(which, config) as opened:
        opened.sync()
        opened.load()  # finds a wrong key before anything is written
        done = opened.reseal(Change("Encrypt by the present key", "aiproxy-config"))
        click.echo(f"{counted(done, 'credential')} encrypted.")


@store.command()
@click.argument("number", type=int)
@click.option("--take", type=click.Choice(["here", "elsewhere"]), required=True, help="Which of the two holds.")
@CONFIG
@_one_sentence
def resolve(number: int, take: str, config: str | None) -> None:
    """End the conflict NUMBER, as `store check` shows it: by the change made here, or by what is in the store."""
    with _opened(None, config) as opened:
        opened.sync()
        try:
            opened.resolve(number, ours=take == "here")
        except Conflict:
            raise click.ClickException(
                f"there is no conflict {number}, or it has changed: `store check` shows them"
            ) from None
        click.echo(f"Conflict {number} is over.")


def _invalid(stored: Entry | None, place: str) -> str:
    """What is wrong with the configuration that a remote store has."""
    if stored is None:
        return ""
    name = f"{place}/{CONFIGURATION}"
    try:
        judged(configuration(Document(decoded(stored.body, name), name, Path.cwd()), environ=os.environ))
    except ConfigurationInvalid as invalid:
        return render_problems(invalid.problems)
    return ""


@contextmanager
def _opened(which: str | None, config: str | None) -> Iterator[EncryptedStore]:
    with closing(_store(which, config)) as opened:
        yield opened


def _store(which: str | None, config: str | None) -> EncryptedStore:
    if which is not None and which not in list(StoreType):
        return _of(load_config(which, environ=os.environ))
    overrides = [f"store.type={which}"] if which is not None else []
    return _of(load_config(config, environ=os.environ, overrides=overrides))


def _of(read: Configuration) -> EncryptedStore:
    return open_store(read.settings, read.file, os.environ)
