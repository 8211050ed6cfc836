"""What can be configured: one frozen dataclass a mapping, one field a key, its words beside it.

The reader (`load`), the commented example, `configs/README.md` and the JSON Schema are all made from this page, so a
setting is added here and nowhere else. A field's name is its key with `_` for `-`. What belongs elsewhere: reading files
(`load`), rules that span keys (`checks`).
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from aiproxy.secrets import Secret


def setting(
    words: str,
    default: Any = None,
    *,
    factory: Any = None,
    example: Any = None,
    examples: Mapping[str, Any] | None = None,
    minimum: float | None = None,
    maximum: float | None = None,
    unit: str = "",
    required: bool = False,
    path: bool | Callable[[str], bool] = False,
    duration: bool = False,
) -> Any:
    """One key: its sentence for the reference, its default, and what the reader checks.

    `example` is YAML shown (commented out) in the full example where the default would say nothing, `examples` the
    same for keys of a list's entries, where this list differs from others of its kind. `path` marks the name
    of a file, or tells one from other text: the reader makes it absolute, from the configuration's own directory. A
    `duration` may also be written `90s`, `10m` or `1h30m`."""
    metadata = {
        "words": words,
        "example": example,
        "examples": examples or {},
        "minimum": minimum,
        "maximum": maximum,
        "unit": "seconds, or `90s`, `10m`, `1h30m`" if duration else unit,
        "required": required,
        "path": path,
        "duration": duration,
    }
    if factory is not None:
        return field(default_factory=factory, metadata=metadata)
    return field(default=default, metadata=metadata)


class Strategy(StrEnum):
    ROUND_ROBIN = "round-robin"
    WEIGHTED_ROUND_ROBIN = "weighted-round-robin"
    FILL_FIRST = "fill-first"
    LEAST_USED = "least-used"

    @classmethod
    def _missing_(cls, value: object) -> "Strategy | None":
        """CLIProxyAPI's short names."""
        short = {"rr": cls.ROUND_ROBIN, "wrr": cls.WEIGHTED_ROUND_ROBIN, "ff": cls.FILL_FIRST}
        return short.get(value) if isinstance(value, str) else None


class ErrorAction(StrEnum):
    STOP = "stop"
    STOP_AND_COOLDOWN = "stop-and-cooldown"
    CONTINUE = "continue"
    CONTINUE_AND_COOLDOWN = "continue-and-cooldown"


class Translation(StrEnum):
    LENIENT = "lenient"
    STRICT = "strict"


class LogFormat(StrEnum):
    AUTO = "auto"
    TEXT = "text"
    JSON = "json"


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Tls:
    enable: bool = setting("Serve HTTPS (TLS 1.2 or newer) instead of HTTP.", False)
    cert: str = setting("PEM file with the certificate and its chain; read again when it changes.", "", path=True)
    key: str = setting("PEM file with the private key; read again when it changes.", "", path=True)
    http2: bool = setting("Offer HTTP/2 to clients that ask for it (ALPN).", True)


@dataclass(frozen=True, slots=True)
class KeyLimits:
    """What one holder may use. Each worker process counts for itself."""

    requests_per_minute: int = setting("Most requests a minute.", 0, minimum=0, unit="0 = no limit")
    tokens_per_minute: int = setting(
        "Most tokens a minute, read and written; until a call has ended it counts with what it may use at most.",
        0,
        minimum=0,
        unit="0 = no limit",
    )
    concurrent: int = setting("Most calls at a time.", 0, minimum=0, unit="0 = no limit")
    requests_per_day: int = setting("Most requests a day, by UTC.", 0, minimum=0, unit="0 = no limit")
    tokens_per_month: int = setting("Most tokens a month, by UTC.", 0, minimum=0, unit="0 = no limit")
    shadow: bool = setting("Count, and show at `/v1/quota`, but refuse nobody.", False)


@dataclass(frozen=True, slots=True)
class ClientKey:
    """A client key. In YAML a plain string, or a mapping with these keys."""

    key: Secret = setting("The key itself.", factory=lambda: Secret(""), required=True, example="${TEAM_A_KEY}")
    name: str = setting(
        "What logs call the key's holder; `key-N` (its place in the list) when absent.", "", example="team-a"
    )
    models: tuple[str, ...] = setting(
        "Globs of the model names it may use; empty means all.",
        (),
        example=["gpt-*", "mini", "sonnet", "pro", "flash", "coder", "llama"],
    )
    providers: tuple[str, ...] = setting(
        "The providers whose accounts it may spend; empty means all.",
        (),
        example=["openai", "claude", "gemini", "vertex", "codex", "ollama", "openrouter"],
    )
    prefixes: tuple[str, ...] = setting(
        "Of accounts with a `prefix`, those it may spend; then none without one. Empty means all.", (), example=["or"]
    )
    accounts: tuple[str, ...] = setting("Globs of the accounts it may spend; empty means all.", (), example=["*"])
    priority: int = setting("Of calls that wait for an account, those of a smaller number are served first.", 100)
    expires: str = setting(
        "When it stops working: a date (the end of that day) or a time, UTC unless it says otherwise; empty is never.",
        "",
        example="2099-12-31",
    )
    disabled: bool = setting("Refuse it for now.", False)
    tags: tuple[str, ...] = setting("Teams, projects, or whatever usage is told apart by.", (), example=["research"])
    translation: Translation | None = setting("Overrides the global `translation` for it.", None, example="strict")
    limits: KeyLimits = setting("What it may use.", factory=KeyLimits)
    answer_headers: bool = setting(
        "Whether its answers say who gave them and how fast (`x-aiproxy-provider`, `-model`, `-attempts`, `server-timing`).",
        True,
    )


@dataclass(frozen=True, slots=True)
class Routing:
    strategy: Strategy = setting(
        "How an account is chosen among the ready ones of the best priority: in turn; in turn by weight; the first one until "
        "it is exhausted; the one with the fewest calls under way.",
        Strategy.ROUND_ROBIN,
    )
    session_affinity: bool = setting(
        "Keep a conversation at the account that answered it before, for the sake of its prompt cache, while that one is ready.",
        True,
    )
    session_affinity_ttl: float = setting(
        "How long a conversation is remembered after its latest call.", 3600, minimum=1, duration=True
    )
    queue: int = setting("Most calls that wait for an account; one more is 503.", 1000, minimum=0)
    default_provider: str = setting(
        "The provider that serves, of what it offers, calls that name none; empty leaves the choice to priorities and "
        "strategy.",
        "",
        example="openai",
    )


@dataclass(frozen=True, slots=True)
class Timeouts:
    connect: float = setting(
        "Longest time to connect to an upstream, TLS included.", 10, minimum=0, unit="seconds; 0 = none"
    )
    first_byte: float = setting(
        "Longest wait for an upstream's answer to begin.", 120, minimum=0, unit="seconds; 0 = none"
    )
    first_token: float = setting(
        "Longest wait, from an attempt's beginning, for the first word of a stream; then another account is asked.",
        0,
        minimum=0,
        unit="seconds; 0 = none",
    )
    idle: float = setting("Longest silence in the middle of an answer.", 120, minimum=0, unit="seconds; 0 = none")
    total: float = setting("Longest time a call may take, retries included.", 0, minimum=0, unit="seconds; 0 = none")
    retries: float = setting(
        "How long after a call's beginning another attempt may begin.", 300, minimum=0, unit="seconds; 0 = no end"
    )


@dataclass(frozen=True, slots=True)
class Limits:
    """What clients may cost before they are understood."""

    request_body_mb: float = setting("Largest request body; a larger one is 413.", 64, minimum=0.001, unit="MiB")
    header_bytes: int = setting(
        "Largest sum of a request's header bytes; more is 431.", 65536, minimum=1024, unit="bytes"
    )
    header_count: int = setting("Most headers a request may have; more is 431.", 200, minimum=10)
    header_seconds: float = setting(
        "Longest time a client may take to send a request's headers.", 60, minimum=1, unit="seconds"
    )
    body_idle_seconds: float = setting(
        "Longest silence in the middle of a request body.", 60, minimum=1, unit="seconds"
    )
    connections: int = setting(
        "Most open client connections; a further one is closed unanswered. One that streams takes some 40 kB.",
        10000,
        minimum=1,
    )
    keep_alive_seconds: float = setting("How long an idle client connection is kept.", 75, minimum=1, unit="seconds")


@dataclass(frozen=True, slots=True)
class Remembered:
    """What one of the gateway's memories may hold. It is gone when the gateway stops."""

    entries: int = setting("Most entries; 0 keeps none.", 10000, minimum=0)
    size_mb: float = setting(
        "Most memory that all entries take; then the client that holds the most loses its oldest.",
        32,
        minimum=0,
        unit="MiB",
    )
    lifetime: float = setting("How long an entry is kept that nobody asks for.", 86400, minimum=1, unit="seconds")


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A model of an entry. In YAML a plain string (the name), or a mapping with these keys."""

    name: str = setting("The upstream's name.", "", required=True, example="gpt-5.4-mini")
    alias: str = setting(
        "The name clients use; the upstream's when absent. Models that share one stand in for one another, in turn.",
        "",
        example="mini",
    )
    fork: bool = setting("Offer the upstream's name beside the alias.", False)
    force_mapping: bool = setting(
        "Name the model in answers as the client did. Translated answers always do; those of the client's own protocol "
        "pass unchanged otherwise.",
        False,
    )


@dataclass(frozen=True, slots=True)
class RequestScopedError:
    """A failure by its status and its words, all of which must fit, and what to do about it."""

    status: int = setting("The upstream's status; 0 = any.", 0, minimum=0, maximum=599, example=400)
    match: tuple[str, ...] = setting(
        "Words of which one must stand in the upstream's answer, upper and lower case alike.",
        (),
        example=["overloaded"],
    )
    match_regexr: tuple[str, ...] = setting(
        "Regular expressions of which one must match it; one of these or of `match` is enough.",
        (),
        example=["capacity.*exceeded"],
    )
    action: ErrorAction = setting(
        "`stop` tells the client at once, `continue` tries another account; `…-and-cooldown` has the account rest as well.",
        ErrorAction.STOP,
    )


@dataclass(frozen=True, slots=True)
class QuotaExceeded:
    switch_project: bool = setting(
        "When a login's quota is used up in one of its projects, try its other projects.", True
    )
    switch_preview_model: bool = setting(
        "When a model's quota is used up, try its preview at the same accounts, where the provider is known to have one.",
        True,
    )


@dataclass(frozen=True, slots=True)
class HealthCheck:
    enabled: bool = setting("Ask accounts from time to time whether they work.", False)
    interval: float = setting("How often.", 600, minimum=10, duration=True)
    startup: bool = setting("Ask all of them at the start, too, whether or not `enabled`.", False)
    providers: tuple[str, ...] = setting("The providers to ask; empty means all.", (), example=["openai", "claude"])


@dataclass(frozen=True, slots=True)
class ApiKeyEntry:
    """One account of `openai-compatibility`. In YAML a plain string (the key), or a mapping with these keys."""

    api_key: Secret = setting(
        "The upstream's key; empty sends none (local servers).",
        factory=lambda: Secret(""),
        example="${OPENROUTER_API_KEY}",
    )
    proxy_url: str = setting("Overrides the entry's `proxy-url` for this key.", "", example="direct")
    weight: int | None = setting(
        "Overrides the entry's `weight` for this key.", None, minimum=0, maximum=1000000, example=2
    )


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """One account at a known provider."""

    api_key: Secret = setting(
        "The upstream's key.", factory=lambda: Secret(""), required=True, example="${OPENAI_API_KEY}"
    )
    name: str = setting(
        "What logs call the account; `PROVIDER-N` (its place in the list) when absent.", "", example="first"
    )
    base_url: str = setting(
        "The upstream's address (at OpenAI with its version); the provider's own when absent.",
        "",
        example="https://api.openai.com/v1",
    )
    proxy_url: str = setting(
        "Overrides the global `proxy-url`; `direct` uses none.",
        "",
        example="socks5://user:${PROXY_PASSWORD}@127.0.0.1:1080",
    )
    prefix: str = setting("Its models are also offered as `PREFIX/MODEL`.", "")
    priority: int = setting("Accounts of a smaller number are used first.", 100)
    weight: int = setting(
        "Its share under `weighted-round-robin`; 0 makes it the last resort there.", 1, minimum=0, maximum=1000000
    )
    concurrency: int = setting(
        "Most calls it serves at a time; further ones wait or go elsewhere; 0 = no limit.", 0, minimum=0
    )
    check_model: str = setting(
        "The model that `health-check` asks for a few tokens of; without one it asks for the list of models.",
        "",
        example="gpt-5.4-mini",
    )
    request_scoped_errors: tuple[RequestScopedError, ...] = setting(
        "What to do about certain failures of this entry, before the global rules.", ()
    )
    models: tuple[ModelEntry, ...] = setting(
        "Its models, plain names or mappings; empty means every name is passed on as it is.", ()
    )
    excluded_models: tuple[str, ...] = setting(
        "Globs of model names this account doesn't serve.", (), example=["*-preview"]
    )
    headers: Mapping[str, str] = setting(
        "Headers added to every request to the upstream; a value `$Name` copies the client's header of that name.",
        factory=dict,
        example={"X-Team": "a"},
    )
    disable_cooling: bool | None = setting("Overrides the global `disable-cooling`.", None)


@dataclass(frozen=True, slots=True)
class OllamaEntry(KeyEntry):
    """An Ollama server. In YAML a plain string (its address), or a mapping with these keys."""

    api_key: Secret = setting("A key, where the server wants one.", factory=lambda: Secret(""))
    base_url: str = setting("The server's address.", "http://127.0.0.1:11434")


@dataclass(frozen=True, slots=True)
class VertexEntry(KeyEntry):
    """An account at Vertex AI: a key, or a service account. In YAML a plain string (the key), or a mapping with these keys."""

    api_key: Secret = setting("A Vertex API key; or else `service-account`.", factory=lambda: Secret(""))
    service_account: Secret = setting(
        "A service account's JSON, as Google gives it, usually `{file: PATH}`; signs with tokens that it gets by itself.",
        factory=lambda: Secret(""),
    )
    location: str = setting(
        "Where a service account's calls are served: a region, `us`, `eu` or `global`; `global` when absent.",
        "",
    )
    project: str = setting("The project a service account's calls are billed to; the file's own when absent.", "")
    base_url: str = setting(
        "Any address that serves Vertex's API, without its version; Google's for the location when absent.",
        "",
        example="https://aiplatform.googleapis.com",
    )


@dataclass(frozen=True, slots=True)
class CompatibilityEntry:
    """An OpenAI-compatible upstream with one or more keys."""

    name: str = setting("The provider's name in logs and headers.", "", required=True, example="openrouter")
    base_url: str = setting(
        "The upstream's address, version included.", "", required=True, example="https://openrouter.ai/api/v1"
    )
    api_key_entries: tuple[ApiKeyEntry, ...] = setting(
        "Its keys, an account each, plain text or mappings; none means one account without a key.", ()
    )
    disabled: bool = setting("Leave this entry out.", False)
    proxy_url: str = setting("Overrides the global `proxy-url`; `direct` uses none.", "")
    prefix: str = setting("Its models are also offered as `PREFIX/MODEL`.", "")
    priority: int = setting("Accounts of a smaller number are used first.", 100)
    weight: int = setting(
        "Its share under `weighted-round-robin`; 0 makes it the last resort there.", 1, minimum=0, maximum=1000000
    )
    concurrency: int = setting(
        "Most calls each of its keys serves at a time; further ones wait or go elsewhere; 0 = no limit.", 0, minimum=0
    )
    check_model: str = setting(
        "The model that `health-check` asks for a few tokens of; without one it asks for the list of models.",
        "",
        example="gpt-5.4-mini",
    )
    request_scoped_errors: tuple[RequestScopedError, ...] = setting(
        "What to do about certain failures of this entry, before the global rules.", ()
    )
    models: tuple[ModelEntry, ...] = setting(
        "Its models, plain names or mappings; empty means every name is passed on as it is.", ()
    )
    excluded_models: tuple[str, ...] = setting("Globs of model names this entry doesn't serve.", ())
    headers: Mapping[str, str] = setting("Headers added to every request to the upstream.", factory=dict)
    disable_cooling: bool | None = setting("Overrides the global `disable-cooling`.", None)


class PayloadProtocol(StrEnum):
    """CLIProxyAPI's words; `responses` and `codex` are one protocol, `antigravity` is Gemini in an envelope."""

    OPENAI = "openai"
    RESPONSES = "responses"
    CODEX = "codex"
    CLAUDE = "claude"
    GEMINI = "gemini"
    ANTIGRAVITY = "antigravity"
    OLLAMA = "ollama"


@dataclass(frozen=True, slots=True)
class PayloadModel:
    """When a payload rule applies: all that is said here must hold. In YAML a plain string (the name), or a mapping."""

    name: str = setting(
        "A glob of the model's name, the upstream's or the client's.", "", required=True, example="gpt-*"
    )
    protocol: PayloadProtocol | None = setting("The upstream's protocol; absent means any.", None, example="openai")
    from_protocol: PayloadProtocol | None = setting("The client's protocol; absent means any.", None, example="claude")
    headers: Mapping[str, str] = setting(
        "Globs of the client's headers.", factory=dict, example={"X-Client-Tier": "tenant-*"}
    )
    match: tuple[Mapping[str, Any], ...] = setting(
        "Paths into the body and what must stand there.", (), example=[{"metadata.client": "codex"}]
    )
    not_match: tuple[Mapping[str, Any], ...] = setting(
        "Paths into the body and what must not stand there.", (), example=[{"metadata.mode": "dev"}]
    )
    exist: tuple[str, ...] = setting(
        "Paths where something other than null must stand.", (), example=['tools.#(type=="web_search").type']
    )
    not_exist: tuple[str, ...] = setting("Paths where nothing but null may stand.", (), example=["metadata.plain"])


@dataclass(frozen=True, slots=True)
class PayloadRule:
    models: tuple[PayloadModel, ...] = setting("When it applies: any of these.", (), required=True)
    params: Mapping[str, Any] = setting(
        "Paths into the body and what to set there.", factory=dict, required=True, example={"temperature": 0.2}
    )


@dataclass(frozen=True, slots=True)
class RawPayloadRule(PayloadRule):
    params: Mapping[str, Any] = setting(
        "Paths into the body and what to set there; text is JSON.",
        factory=dict,
        required=True,
        example={"response_format": '{"type": "json_object"}'},
    )


@dataclass(frozen=True, slots=True)
class PayloadFilter:
    models: tuple[PayloadModel, ...] = setting("When it applies: any of these.", (), required=True)
    params: tuple[str, ...] = setting("Paths into the body.", (), required=True, example=["metadata", "stop.0"])


@dataclass(frozen=True, slots=True)
class Payload:
    """What is changed in requests for an answer just before they go to an upstream, in its protocol."""

    default: tuple[PayloadRule, ...] = setting("What to set where the body has nothing; the first rule wins.", ())
    default_raw: tuple[RawPayloadRule, ...] = setting("The same, after `default`.", ())
    override: tuple[PayloadRule, ...] = setting("What to set whatever stands there; the last rule wins.", ())
    override_raw: tuple[RawPayloadRule, ...] = setting("The same, after `override`.", ())
    filter: tuple[PayloadFilter, ...] = setting("What to take out, after all others.", ())


class PromptMode(StrEnum):
    APPEND = "append"
    OVERWRITE = "overwrite"


@dataclass(frozen=True, slots=True)
class Replacement:
    old: str = setting(
        "The words to replace, wherever they stand in the system prompt.", "", required=True, example="foo"
    )
    new: str = setting("What stands there instead.", "", example="bar")


@dataclass(frozen=True, slots=True)
class SystemPromptSettings:
    file: str = setting("A file with the prompt; read again when it changes.", "", path=True)
    text: str = setting("The prompt itself, where there is no `file`.", "")
    mode: PromptMode = setting(
        "Whether it follows the client's own system prompt, or stands in its place.", PromptMode.APPEND
    )
    replacements: tuple[Replacement, ...] = setting("Words to replace in the system prompt, the client's too.", ())


@dataclass(frozen=True, slots=True)
class MediaFetch:
    """Media that clients name by URL, for upstreams that take bytes only. In YAML `true`, or a mapping with these keys."""

    enabled: bool = setting("Fetch them; else such a request is refused with the field's name.", False)
    types: tuple[str, ...] = setting(
        "Globs of the media types that are taken.",
        ("image/*", "audio/*", "video/*", "application/pdf", "text/plain", "text/markdown", "text/csv"),
    )
    max_size_mb: float = setting("Largest file: as much as Google takes inline.", 20, minimum=0.001, unit="MiB")
    seconds: float = setting(
        "Longest time for one file, its wait and redirects included.", 20, minimum=0.1, unit="seconds"
    )
    redirects: int = setting("Most redirects on the way to one file; each is checked as the URL was.", 3, minimum=0)
    per_request: int = setting("Most files of one request.", 16, minimum=1)
    concurrent: int = setting("Most files fetched at once, of all requests.", 16, minimum=1)
    allow: tuple[str, ...] = setting(
        "Networks that may be fetched from although they are not public.", (), example=["10.1.2.0/24"]
    )


@dataclass(frozen=True, slots=True)
class Demo:
    """The built-in scripted upstream. In effect while no real upstream is configured, or when enabled by name."""

    enabled: bool | None = setting(
        "Offer the `demo-*` models; absent means only while no real upstream is configured.", None
    )
    latency: float = setting("Wait before the first event.", 0.2, minimum=0, unit="seconds")
    tokens_per_second: float = setting("Speed of a streamed answer; 0 is as fast as it goes.", 40, minimum=0)


@dataclass(frozen=True, slots=True)
class Logging:
    format: LogFormat = setting("`text` for people, `json` for machines, `auto` = text on a terminal.", LogFormat.AUTO)
    level: LogLevel = setting("The least severe level that is written.", LogLevel.INFO)
    file: str = setting("Write to this file instead of standard output.", "", path=True)
    max_total_size_mb: int = setting("The log file and its rotated predecessors together.", 100, minimum=1, unit="MiB")


class StoreType(StrEnum):
    FILE = "file"
    POSTGRES = "postgres"
    GIT = "git"
    S3 = "s3"


@dataclass(frozen=True, slots=True)
class PostgresStore:
    dsn: Secret = setting(
        "Address and login, `postgresql://USER:PASSWORD@HOST/DATABASE`; `PGSTORE_DSN` sets it.",
        factory=lambda: Secret(""),
    )
    schema: str = setting(
        "Schema of its tables, made if missing; empty is the login's own; `PGSTORE_SCHEMA` sets it.", ""
    )


@dataclass(frozen=True, slots=True)
class GitStore:
    url: str = setting(
        "Address of the repository: https, ssh, or a directory; `GITSTORE_GIT_URL` sets it.",
        "",
        example="https://git.example/team/gateway.git",
    )
    branch: str = setting("Its branch; empty is the repository's default; `GITSTORE_GIT_BRANCH` sets it.", "")
    username: str = setting("Name to log in with over https; `GITSTORE_GIT_USERNAME` sets it.", "git")
    token: Secret = setting(
        "Password or token to log in with over https; `GITSTORE_GIT_TOKEN` sets it.", factory=lambda: Secret("")
    )


@dataclass(frozen=True, slots=True)
class S3Store:
    endpoint: str = setting(
        "Address of the server, https unless it says otherwise; `OBJECTSTORE_ENDPOINT` sets it.",
        "",
        example="https://s3.eu-central-1.amazonaws.com",
    )
    bucket: str = setting("The bucket, which must be there; `OBJECTSTORE_BUCKET` sets it.", "")
    region: str = setting("The region that requests are signed for; `OBJECTSTORE_REGION` sets it.", "us-east-1")
    access_key: str = setting("Id of the access key; `OBJECTSTORE_ACCESS_KEY` sets it.", "")
    secret_key: Secret = setting("Its secret; `OBJECTSTORE_SECRET_KEY` sets it.", factory=lambda: Secret(""))
    path_style: bool = setting("Name the bucket in the path, instead of before the host.", True)
    single_writer: bool = setting(
        "Write to a server that ignores conditional writes: only safe while nothing else writes to the bucket.", False
    )


@dataclass(frozen=True, slots=True)
class Store:
    """Where this configuration and the credentials live. A store of another type is named here or by variables, never in
    what the store itself holds."""

    type: StoreType = setting(
        "Where configuration and credentials live; a variable such as `PGSTORE_DSN` implies its type.", StoreType.FILE
    )
    local_path: str = setting(
        "Directory of the mirror that the gateway starts and serves from while a remote store is away; empty is "
        "`~/.aiproxy/store`.",
        "",
        example="/var/lib/aiproxy/store",
        path=True,
    )
    poll_seconds: float = setting(
        "How often a git or S3 store is looked at; PostgreSQL tells by itself.", 30, minimum=1, unit="seconds"
    )
    postgres: PostgresStore = setting("With `type: postgres`.", factory=PostgresStore)
    git: GitStore = setting("With `type: git`.", factory=GitStore)
    s3: S3Store = setting("With `type: s3`.", factory=S3Store)


MEMORY = "memory"
"""The `state` that is forgotten when the gateway stops."""


def is_state_file(state: str) -> bool:
    """Whether it is the name of a SQLite file."""
    return state != MEMORY and "://" not in state


@dataclass(frozen=True, slots=True)
class Retention:
    """How long usage and request records are kept; the oldest go first."""

    days: float = setting("Longest time they are kept.", 90, minimum=0.01, unit="days")
    max_size_mb: float = setting("Most room they may take together.", 1024, minimum=1, unit="MiB")


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """The program that a vendor is told is asking, where accounts log in at it."""

    client_id: str = setting(
        "Its id; empty is the published one of the vendor's own program.", "", example="1234.apps.example"
    )
    client_secret: Secret = setting(
        "Its secret, for vendors whose clients have one.", factory=lambda: Secret(""), example="${GOOGLE_CLIENT_SECRET}"
    )


@dataclass(frozen=True, slots=True)
class UpstreamUrls:
    """Other addresses of one provider: a mirror's, a private deployment's. `{region}` stands for the account's region."""

    base_url: str = setting("Where its calls go.", "", example="https://mirror.example/v1")
    authorize_url: str = setting("The page on which a person logs in.", "", example="https://mirror.example/authorize")
    token_url: str = setting("Where tokens are given and renewed.", "", example="https://mirror.example/token")
    device_url: str = setting("Where a login by code begins.", "", example="https://mirror.example/device")
    verify_url: str = setting("The page on which the code is typed.", "", example="https://mirror.example/activate")
    userinfo_url: str = setting("Who the account is.", "", example="https://mirror.example/userinfo")
    exchange_url: str = setting(
        "Where Copilot gives its own token for GitHub's.", "", example="https://mirror.example/copilot/token"
    )
    key_url: str = setting("Where iFlow gives an API key for a cookie.", "", example="https://mirror.example/apikey")
    social_url: str = setting(
        "Kiro's service for Google's and GitHub's accounts.", "", example="https://{region}.mirror.example"
    )
    start_url: str = setting("AWS's start page for Builder IDs.", "", example="https://mirror.example/start")
    onboard_url: str = setting(
        "Where Antigravity's accounts are given a project.", "", example="https://onboard.mirror.example"
    )
    projects_url: str = setting(
        "Google's list of an account's projects.", "", example="https://mirror.example/projects"
    )


@dataclass(frozen=True, slots=True)
class MetricsSettings:
    enable: bool = setting("Serve `/metrics`.", True)


@dataclass(frozen=True, slots=True)
class ModelPrice:
    """What a model's tokens cost, in US dollars for a million."""

    input: float = setting("What it reads.", 0.0, minimum=0, example=2.5)
    output: float = setting("What it writes, thinking included.", 0.0, minimum=0, example=15)
    cache_read: float | None = setting(
        "What it reads from a cache; as `input` when absent.", None, minimum=0, example=0.25
    )
    cache_write: float | None = setting(
        "What it writes to a cache; as `input` when absent.", None, minimum=0, example=3
    )
    cache_write_1h: float | None = setting(
        "What it writes to a cache for an hour; as `input` when absent.", None, minimum=0, example=5
    )
    audio_in: float | None = setting("Sound that it reads; as `input` when absent.", None, minimum=0, example=10)
    audio_out: float | None = setting("Sound that it makes; as `output` when absent.", None, minimum=0, example=20)


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole file."""

    host: str = setting("Address to listen on; empty means all, and is refused without `api-keys`.", "127.0.0.1")
    port: int = setting("Port to listen on; 0 picks a free one.", 8317, minimum=0, maximum=65535)
    tls: Tls = setting("HTTPS.", factory=Tls)
    api_keys: tuple[ClientKey, ...] = setting(
        "Client keys, plain text or mappings; with none, only this machine may call.", ()
    )
    tag_limits: Mapping[str, KeyLimits] = setting(
        "By tag of client keys: what all keys with this tag may use together.",
        factory=dict,
        example={"research": {"requests-per-minute": 600, "tokens-per-month": 50000000}},
    )
    limits: Limits = setting("What one client request may cost before it is understood.", factory=Limits)
    routing: Routing = setting("How accounts are chosen.", factory=Routing)
    request_retry: int = setting("Extra rounds over the accounts after the first.", 3, minimum=0, maximum=100)
    max_retry_interval: float = setting(
        "Longest wait for a cooling account between rounds.", 30, minimum=0, unit="seconds"
    )
    max_retry_credentials: int = setting("Most accounts tried in one round; 0 = all.", 0, minimum=0)
    max_attempts: int = setting(
        "Most attempts of one call, over all rounds and fallbacks.", 50, minimum=1, maximum=10000
    )
    disable_cooling: bool = setting("Never let an account rest after a failure.", False)
    quota_exceeded: QuotaExceeded = setting("What to try when a quota is used up.", factory=QuotaExceeded)
    provider_fallback_chain: Mapping[str, tuple[str, ...]] = setting(
        "By provider: those that stand in when none of its accounts has answered, in order, as far as they offer the model.",
        factory=dict,
        example={"openai": ["openrouter"]},
    )
    model_fallback: Mapping[str, tuple[str, ...]] = setting(
        "By model: those that stand in when nobody has answered for it, in order, as far as the client may use them.",
        factory=dict,
        example={"mini": ["sonnet", "pro"]},
    )
    context_length_fallback: tuple[str, ...] = setting(
        "Globs of models whose `model-fallback` is also used when a request is too long for them.", (), example=["mini"]
    )
    continue_streams: tuple[str, ...] = setting(
        "Globs of models whose streams, where plain text breaks off, another account goes on with, once a call. It gets the "
        "text so far as the beginning of its answer; not every model goes on from there. Their answers are never relayed "
        "byte for byte.",
        (),
        example=["mini"],
    )
    request_scoped_errors: tuple[RequestScopedError, ...] = setting(
        "What to do about certain failures, in place of what is usual; the first rule that fits.", ()
    )
    health_check: HealthCheck = setting("Asking accounts whether they work.", factory=HealthCheck)
    timeouts: Timeouts = setting("Deadlines of calls to upstreams.", factory=Timeouts)
    force_model_prefix: bool = setting("Reach entries that have a `prefix` by it only, never by the bare name.", False)
    model_alias: Mapping[str, tuple[ModelEntry, ...]] = setting(
        "Aliases for all accounts of a provider, by its name, in the form of an entry's `models`; they leave its other "
        "models as they are.",
        factory=dict,
        example={"openai": [{"name": "gpt-5.4", "alias": "smart", "fork": True}]},
    )
    state: str = setting(
        "Where usage, requests, cooldowns and counters are kept: a SQLite file; `postgresql://USER:PASSWORD@HOST/DATABASE`, "
        "for several nodes (needs the extra `[postgres]`); or `memory`, until the gateway stops. Empty is "
        "`~/.aiproxy/state.db`, and `memory` while only the demo is offered. Takes effect at the next start.",
        "",
        example="/var/lib/aiproxy/state.db",
        path=is_state_file,
    )
    prices: Mapping[str, ModelPrice] = setting(
        "By globs of the upstreams' names of models, the first that matches: what the usage records' `cost` is reckoned by. A "
        "model without a price has usage but no cost.",
        factory=dict,
        example={"gpt-5.4*": {"input": 2.5, "output": 15}},
    )
    state_retention: Retention = setting("What is let go of it.", factory=Retention)
    openai_api_key: tuple[KeyEntry, ...] = setting(
        "Accounts at OpenAI, plain keys or mappings; `OPENAI_API_KEY` implies one when no upstream is configured.", ()
    )
    claude_api_key: tuple[KeyEntry, ...] = setting(
        "Accounts at Anthropic, plain keys or mappings; `ANTHROPIC_API_KEY` implies one when no upstream is configured.",
        (),
        examples={
            "api-key": "${ANTHROPIC_API_KEY}",
            "name": "anthropic",
            "base-url": "https://api.anthropic.com",
            "models.name": "claude-sonnet-4-5-20250929",
            "models.alias": "sonnet",
        },
    )
    gemini_api_key: tuple[KeyEntry, ...] = setting(
        "Accounts at Google AI Studio, plain keys or mappings; `GEMINI_API_KEY` implies one when no upstream is configured.",
        (),
        examples={
            "api-key": "${GEMINI_API_KEY}",
            "name": "google",
            "base-url": "https://generativelanguage.googleapis.com",
            "models.name": "gemini-2.5-pro",
            "models.alias": "pro",
        },
    )
    vertex_api_key: tuple[VertexEntry, ...] = setting(
        "Accounts at Google's Vertex AI, plain keys or mappings.",
        (),
        examples={
            "api-key": "${VERTEX_API_KEY}",
            "name": "vertex",
            "models.name": "gemini-2.5-flash",
            "models.alias": "flash",
        },
    )
    codex_api_key: tuple[KeyEntry, ...] = setting(
        "Accounts at endpoints that speak OpenAI's Responses API only, plain keys or mappings.",
        (),
        examples={
            "api-key": "${RESPONSES_API_KEY}",
            "name": "responses",
            "models.name": "gpt-5.5",
            "models.alias": "coder",
        },
    )
    ollama: tuple[OllamaEntry, ...] = setting(
        "Ollama servers, plain addresses or mappings.",
        (),
        examples={
            "api-key": "${OLLAMA_API_KEY}",
            "name": "ollama",
            "models.name": "llama3.2:3b",
            "models.alias": "llama",
        },
    )
    openai_compatibility: tuple[CompatibilityEntry, ...] = setting("OpenAI-compatible upstreams.", ())
    translation: Translation = setting(
        "Whether a field that the upstream's protocol can't express is dropped with a warning, or refuses the request.",
        Translation.LENIENT,
    )
    response_store: Remembered = setting(
        "Answers that Responses clients may refer to (`previous_response_id`), where the upstream keeps none.",
        factory=Remembered,
    )
    replay_store: Remembered = setting(
        "Thinking signatures and the like, for clients whose protocol loses them between two turns.",
        factory=Remembered,
    )
    payload: Payload = setting(
        "Rules that change fields of requests. Paths are written as in gjson: `a.b`, `list.0`, `list.-1` (append), `list.#.x`, "
        '`tools.#(type=="x").name`.',
        factory=Payload,
    )
    system_prompt: SystemPromptSettings = setting("The operator's own system prompt.", factory=SystemPromptSettings)
    media_fetch: MediaFetch = setting(
        "Media that clients name by URL, for upstreams that take bytes only: `true`, or a mapping. They are fetched from public "
        "addresses only, through the global `proxy-url` where there is one; it is given the address that was checked.",
        factory=MediaFetch,
    )
    demo: Demo = setting("The built-in scripted upstream.", factory=Demo)
    proxy_url: str = setting(
        "Proxy for calls to upstreams: http, https, socks5 or socks5h, with user and password.",
        "",
        example="http://user:${PROXY_PASSWORD}@proxy.example:3128",
    )
    metrics: MetricsSettings = setting(
        "Metrics for Prometheus at `/metrics`, which asks for a client key where there are any.",
        factory=MetricsSettings,
    )
    logging: Logging = setting("Logs.", factory=Logging)
    auth_dir: str = setting(
        "Directory of credentials, a JSON file each, while `store.type` is `file`; empty is `~/.aiproxy/auth`. Takes effect "
        "at the next start, as `store` does.",
        "",
        example="/var/lib/aiproxy/auth",
        path=True,
    )
    store: Store = setting("Where configuration and credentials live.", factory=Store)
    oauth_clients: Mapping[str, OAuthClient] = setting(
        "The client that logs in, by provider (`gemini-cli`, `antigravity`, `iflow` need its secret: their vendors don't publish it "
        "for others' use).",
        factory=dict,
        example={"gemini-cli": {"client-secret": "${GOOGLE_CLIENT_SECRET}"}},
    )
    upstreams: Mapping[str, UpstreamUrls] = setting(
        "Other addresses of providers whose accounts log in, by provider.",
        factory=dict,
        example={"codex": {"base-url": "https://mirror.example/codex", "token-url": "https://mirror.example/token"}},
    )

    @property
    def state_in_effect(self) -> str:
        """A file's path, a URL, or `memory`. A demo writes nothing into anybody's home."""
        if self.state:
            return self.state
        alone = not self.has_upstream and self.demo.enabled is not False
        return MEMORY if alone else os.path.expanduser("~/.aiproxy/state.db")

    @property
    def has_upstream(self) -> bool:
        """Whether a real upstream is in effect."""
        return any(self.key_entries.values()) or any(not entry.disabled for entry in self.openai_compatibility)

    @property
    def key_entries(self) -> Mapping[str, tuple[KeyEntry, ...]]:
        """The sections whose entries are accounts at one provider, by their key."""
        return {
            "openai-api-key": self.openai_api_key,
            "claude-api-key": self.claude_api_key,
            "gemini-api-key": self.gemini_api_key,
            "vertex-api-key": self.vertex_api_key,
            "codex-api-key": self.codex_api_key,
            "ollama": self.ollama,
        }

    @property
    def demo_in_effect(self) -> bool:
        """Whether the `demo-*` models are offered: as `demo.enabled` says, else only while nothing real is configured."""
        return self.demo.enabled if self.demo.enabled is not None else not self.has_upstream


PLAIN_FORM: Mapping[type, str] = {
    ClientKey: "key",
    ModelEntry: "name",
    PayloadModel: "name",
    ApiKeyEntry: "api_key",
    KeyEntry: "api_key",
    OllamaEntry: "base_url",
    MediaFetch: "enabled",
    VertexEntry: "api_key",
}
"""Mappings that may be written as one plain value, and the field that the string fills."""
