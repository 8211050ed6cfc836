"""The credential files of a store: which of them are logins of a kind we know."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from aiproxy.config import Configuration
from aiproxy.config.schema import Demo
from aiproxy.credentials.login import Login
from aiproxy.credentials.record import Record, Unreadable, read_record
from aiproxy.secrets import Secret
from aiproxy.storage.store import Entry

LONGEST_TYPE = 40
"""Characters of a foreign type that are repeated."""

INSTEAD = {
    "xai": ": xAI is reached by an API key, in `xai-api-key`",
    "aistudio": ": AI Studio's pages connect themselves, as relays; an API key goes in `gemini-api-key`",
}
"""What CLIProxyAPI logs in with and we don't, and what to do."""


@dataclass(frozen=True, slots=True)
class Files:
    """`logins` are by provider. `refused` are files that can't be taken, each with the reason."""

    records: Sequence[Record]
    refused: Mapping[str, str]
    logins: Mapping[str, Login]

    def of(self, login: Login) -> Sequence[Record]:
        return [record for record in self.records if record.type in login.types]

    @property
    def secrets(self) -> Sequence[Secret]:
        return [secret for record in self.records for secret in record.secrets]

    def without_demo(self, configuration: Configuration) -> Configuration:
        """Where accounts log in, nobody needs a demo, unless it was asked for."""
        settings = configuration.settings
        if not self.records or settings.demo.enabled is not None:
            return configuration
        return replace(configuration, settings=replace(settings, demo=Demo(enabled=False)))


def read_files(entries: Mapping[str, Entry], logins: Mapping[str, Login]) -> Files:
    """One bad file is no reason to leave out another."""
    by_type = {kind: login for login in logins.values() for kind in login.types}
    records: list[Record] = []
    refused: dict[str, str] = {}
    for name, entry in entries.items():
        try:
            record = read_record(name, entry.body, entry.version)
            if record.type not in by_type:
                there = f"; there are: {', '.join(sorted(by_type))}"
                raise Unreadable(
                    f"is of the type {record.type[:LONGEST_TYPE]!r}, which nothing here logs in with"
                    + INSTEAD.get(record.type, there)
                )
            by_type[record.type].tokens(record)
        except Unreadable as error:
            refused[name] = str(error)
        else:
            records.append(record)
    return Files(records, refused, logins)
