"""What can be configured: one frozen dataclass a mapping, one field a key, its words beside it.

The reader (`load`), the commented example, `configs/README.md` and the JSON Schema are all made from these pages, so a
setting is added here and nowhere else. A field's name is its key with `_` for `-`.

Where a setting goes: a top-level key is a field of `Settings` (`settings`); a key under it is a field of the class that the
field names, whose room is its subject: `listening`, `clients`, `routing`, `upstreams` (accounts with keys), `logins`
(accounts that log in), `payload`, `requests` (what else is done to them), `keeping` (stores, state, memories), `observing`.
A new mapping goes into the room of its subject, and a new subject into a new room; its name is then listed here, for whoever
reads settings imports them from this package. To find a key, search this directory for its field (`session_affinity_ttl:`),
which stands in one line with its type.

What belongs elsewhere: reading files (`load`), rules that span keys (`checks`).
"""

from aiproxy.config.schema.clients import Budget, ClientKey, CommonLimits, KeyLimits
from aiproxy.config.schema.keeping import (
    MEMORY,
    GitStore,
    PostgresStore,
    Remembered,
    Retention,
    S3Store,
    Store,
    StoreType,
    is_memory,
    is_state_file,
)
from aiproxy.config.schema.listening import Limits, Tls, WebSocket
from aiproxy.config.schema.logins import OAuthClient, UpstreamUrls
from aiproxy.config.schema.managing import RemoteManagement
from aiproxy.config.schema.observing import (
    Conventions,
    LogFormat,
    Logging,
    LogLevel,
    MetricsSettings,
    ModelPrice,
    Notices,
    PromptLogMode,
    PromptLogSettings,
    TokenPrices,
    TracingSettings,
)
from aiproxy.config.schema.payload import (
    Payload,
    PayloadFilter,
    PayloadModel,
    PayloadProtocol,
    PayloadRule,
    RawPayloadRule,
)
from aiproxy.config.schema.requests import MediaFetch, PromptMode, Replacement, SystemPromptSettings, Translation
from aiproxy.config.schema.routing import (
    SHORT_NAMES,
    ErrorAction,
    HealthCheck,
    QuotaCheck,
    QuotaExceeded,
    RequestScopedError,
    Routing,
    Strategy,
    Timeouts,
)
from aiproxy.config.schema.setting import setting
from aiproxy.config.schema.settings import PLAIN_FORM, Settings
from aiproxy.config.schema.upstreams import (
    ApiKeyEntry,
    CompatibilityEntry,
    Demo,
    KeyEntry,
    ModelEntry,
    OllamaEntry,
    ResponsesEntry,
    VertexEntry,
)

__all__ = [
    "MEMORY",
    "PLAIN_FORM",
    "SHORT_NAMES",
    "ApiKeyEntry",
    "Budget",
    "ClientKey",
    "CommonLimits",
    "CompatibilityEntry",
    "Conventions",
    "Demo",
    "ErrorAction",
    "GitStore",
    "HealthCheck",
    "KeyEntry",
    "KeyLimits",
    "Limits",
    "LogFormat",
    "LogLevel",
    "Logging",
    "MediaFetch",
    "MetricsSettings",
    "ModelEntry",
    "ModelPrice",
    "Notices",
    "OAuthClient",
    "OllamaEntry",
    "Payload",
    "PayloadFilter",
    "PayloadModel",
    "PayloadProtocol",
    "PayloadRule",
    "PostgresStore",
    "PromptLogMode",
    "PromptLogSettings",
    "PromptMode",
    "QuotaCheck",
    "QuotaExceeded",
    "RawPayloadRule",
    "Remembered",
    "RemoteManagement",
    "Replacement",
    "RequestScopedError",
    "ResponsesEntry",
    "Retention",
    "Routing",
    "S3Store",
    "Settings",
    "Store",
    "StoreType",
    "Strategy",
    "SystemPromptSettings",
    "Timeouts",
    "Tls",
    "TokenPrices",
    "TracingSettings",
    "Translation",
    "UpstreamUrls",
    "VertexEntry",
    "WebSocket",
    "is_memory",
    "is_state_file",
    "setting",
]
