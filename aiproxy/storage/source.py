"""Where a gateway's configuration and credentials come from: a local configuration, and the store that it names.

A store away from this machine is named by variables or by the local configuration's `store`; the configuration in it then
holds instead of the local one. While it has none, the local one holds, so that a new store can be filled from a running gateway.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from aiproxy.config import Configuration, load_config
from aiproxy.config.load import Document, configuration, decoded
from aiproxy.config.schema import StoreType
from aiproxy.storage.documents import CONFIGURATION
from aiproxy.storage.encryption import EncryptedStore, Key, keys_of
from aiproxy.storage.judging import judged
from aiproxy.storage.opening import credentials_directory, open_store
from aiproxy.storage.store import Entry, Unavailable


@dataclass(frozen=True, slots=True)
class Loaded:
    configuration: Configuration
    credentials: Mapping[str, Entry] = field(default_factory=dict, repr=False)
    refused: Mapping[str, str] = field(default_factory=dict)
    """Credentials that can't be taken, each with the reason."""
    kept: bytes | None = field(default=None, repr=False)
    """The configuration's text, as the store has it; None for one that isn't kept anywhere."""


class Source:
    """One gateway's. `path` is the configuration that was asked for, if any."""

    def __init__(self, path: str | None, environ: Mapping[str, str], overrides: Sequence[str] = ()) -> None:
        self._path = path
        self._environ = environ
        self._overrides = overrides
        self._local: Configuration | None = None
        self._state = ""
        """Where the state is that is in use."""

    def local(self) -> Configuration:
        """The local configuration; once it was read, again from the same file, never from another one or none.

        Raises `ConfigurationInvalid`, and `OSError` for a file that is empty: it is being written."""
        before = self._local.file if self._local else None
        if before is not None and not before.read_bytes().strip():
            raise OSError(f"{before} is empty")
        read = load_config(str(before) if before else self._path, environ=self._environ, overrides=self._overrides)
        self._local = self._local or read
        return read

    def followed(self, loaded: Loaded) -> tuple[Path, ...]:
        """Files and directories of this machine whose change is a reason to load again."""
        settings = (self._local or loaded.configuration).settings
        if settings.store.type is not StoreType.FILE:
            return loaded.configuration.files
        return (*loaded.configuration.files, credentials_directory(settings))

    def open(self) -> EncryptedStore:
        """The store, as the configuration named it when it was first read. Raises `StoreError`."""
        local = self._local or self.local()
        return open_store(local.settings, local.file, self._environ)

    def keys(self) -> tuple[Key, ...]:
        """To seal by, then to open by. Raises `StoreError`."""
        return keys_of(self._environ)

    def place(self, store: EncryptedStore) -> str:
        """Where the configuration is, for people; no secret in it. Raises as `local`."""
        local = self._local or self.local()
        if local.settings.store.type is StoreType.FILE:
            return str(local.file.resolve()) if local.file else local.source
        return f"{store.condition().place}/{CONFIGURATION}"

    def start(self) -> Loaded:
        """What there is to start with: the remote's own, or what its mirror has. Raises `ConfigurationInvalid`, `StoreError`."""
        local = self.local()
        store = self.open()
        try:
            try:
                store.sync()
            except Unavailable:
                if store.condition().age is None:
                    raise
            return self._with_contents(local, store)
        finally:
            store.close()

    def load(self, store: EncryptedStore) -> Loaded:
        """Everything, as it is on this machine now. Raises as `start` and `local` do."""
        return self._with_contents(self.local(), store)

    def judge(self, text: str, store: EncryptedStore) -> Configuration:
        """What this text would be as the configuration in this place. The state that is in use already isn't looked at: whoever uses
        it may be at it. Raises `ConfigurationInvalid`."""
        local = self._local or self.local()
        if local.settings.store.type is not StoreType.FILE:
            return self._judged(self._stored(local, text.encode(), store.condition().place))
        file = local.file
        document = Document(text.removeprefix("\ufeff"), local.source, file.parent if file else Path.cwd(), file)
        return self._judged(configuration(document, environ=self._environ, overrides=self._overrides))

    def _judged(self, read: Configuration) -> Configuration:
        return read if read.settings.state_in_effect == self._state else judged(read)

    def _with_contents(self, local: Configuration, store: EncryptedStore) -> Loaded:
        contents = store.load()
        credentials = {name: entry for name, entry in contents.entries.items() if name != CONFIGURATION}
        stored = contents.entries.get(CONFIGURATION)
        if local.settings.store.type is not StoreType.FILE and stored is not None:
            local = self._stored(local, stored.body, store.condition().place)
        self._state = self._state or local.settings.state_in_effect
        return Loaded(local, credentials, contents.refused, stored.body if stored else None)

    def _stored(self, local: Configuration, body: bytes, place: str) -> Configuration:
        name = f"{place}/{CONFIGURATION}"
        document = Document(decoded(body, name), name, Path.cwd())
        read = configuration(document, environ=self._environ, overrides=self._overrides)
        here = replace(read.settings, store=local.settings.store)
        watched = tuple(dict.fromkeys((*local.files, *read.files)))
        return replace(read, settings=here, secrets=(*read.secrets, *local.secrets), files=watched)
