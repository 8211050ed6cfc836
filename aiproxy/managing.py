"""The rooms of the management API, each with what it manages."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import time
from typing import Any

from aiproxy.config import Configuration
from aiproxy.config.masking import Masking
from aiproxy.configuring import Configuring
from aiproxy.credentials.accounts import Accounts
from aiproxy.credentials.flows import Flows
from aiproxy.credentials.record import Record
from aiproxy.documents import Documents
from aiproxy.gateway import Gateway
from aiproxy.gateway.differences import Difference
from aiproxy.history import History
from aiproxy.logs.recent import Recent
from aiproxy.registry import Registry
from aiproxy.storage.bus.asking import Asking
from aiproxy.storage.keys import ManagedKeys
from aiproxy.storage.state.state import State
from aiproxy.web.management.ending import Ending
from aiproxy.web.management.finding import Finding
from aiproxy.web.management.rooms.accounts import AccountsRoom
from aiproxy.web.management.rooms.auth_files import AuthFilesRoom
from aiproxy.web.management.rooms.by_provider import ByProviderRoom
from aiproxy.web.management.rooms.client_keys import ClientKeysRoom
from aiproxy.web.management.rooms.cliproxyapi import CLIProxyAPIRoom
from aiproxy.web.management.rooms.configuration import ConfigurationRoom
from aiproxy.web.management.rooms.health import HealthRoom
from aiproxy.web.management.rooms.history import FormerSecrets, HistoryRoom
from aiproxy.web.management.rooms.logins import LoginsRoom
from aiproxy.web.management.rooms.logs import LogsRoom
from aiproxy.web.management.rooms.models import ModelsRoom
from aiproxy.web.management.rooms.oauth import OAuthRoom
from aiproxy.web.management.rooms.requests import Requests
from aiproxy.web.management.rooms.settings import SettingsRoom
from aiproxy.web.management.rooms.system_prompt import SystemPromptRoom
from aiproxy.web.management.rooms.usage import Usage
from aiproxy.web.management.routes import Route
from aiproxy.web.ops import Check


@dataclass(frozen=True, slots=True)
class Managed:
    """`node` is what this process is called in the state, `offset` what lies between the gateway's clock and the time of day, `base`
    the address that clients call, `kept` is told of every login that comes, `mark` is what our lines of the
    log are told with, and `asking` asks the other workers."""

    reactor: Any
    gateway: Gateway
    registry: Registry
    accounts: Accounts
    logins: Flows
    keys: ManagedKeys
    state: State
    documents: Documents
    configuring: Configuring
    history: History
    masking: Masking
    recent: Recent
    asking: Asking
    mark: Mapping[str, int]
    node: str
    offset: Callable[[], float]
    configuration: Callable[[], Configuration]
    compared: Callable[[Configuration], Sequence[Difference]]
    checks: Callable[[], Sequence[Check]]
    base: Callable[[], str]
    kept: Callable[[Record], object]

    def tables(self, in_thread: Callable[..., Any]) -> Sequence[Sequence[Route]]:
        """`in_thread` is for what takes long."""
        gateway, state, documents, edit = self.gateway, self.state, self.documents, self.configuring
        logins, accounts, offset = self.registry.logins, self.accounts, self.offset
        former = FormerSecrets(self.history, in_thread)
        finding = Finding(gateway.ended.now, state, self.asking)
        rooms = (
            AccountsRoom(gateway, accounts, logins, documents, state, offset, edit),
            ModelsRoom(gateway),
            Requests(finding, Ending(gateway.interrupt, self.asking), state),
            Usage(state, self.node, in_thread),
            HistoryRoom(self.history, edit, self.masking, self.configuration, former, in_thread),
            ConfigurationRoom(edit, self.masking, self.configuration, former, self.compared, in_thread),
            AuthFilesRoom(gateway, accounts, logins, documents, state, offset, self.kept),
            OAuthRoom(self.logins, self.reactor),
            LogsRoom(
                self.recent,
                lambda: gateway.snapshot.settings.error_logs_max_files,
                finding,
                state,
                self.asking,
                self.mark,
            ),
            SystemPromptRoom(gateway, edit),
            CLIProxyAPIRoom(gateway, self.registry.providers, state),
            ByProviderRoom(edit, self.configuration),
            SettingsRoom(edit, self.masking, self.configuration, in_thread),
            ClientKeysRoom(gateway, self.keys, edit),
            LoginsRoom(self.logins, logins),
            HealthRoom(gateway, state, self.checks, lambda: documents.condition, self.node, time(), self.base),
        )
        return [room.routes() for room in rooms]
