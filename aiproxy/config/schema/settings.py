"""The whole file: every top-level key, in the order of the reference."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from aiproxy.config.schema.clients import ClientKey, CommonLimits
from aiproxy.config.schema.keeping import MEMORY, Remembered, Retention, Store, is_memory, is_state_file
from aiproxy.config.schema.listening import Limits, Tls, WebSocket
from aiproxy.config.schema.logins import OAuthClient, UpstreamUrls
from aiproxy.config.schema.managing import RemoteManagement
from aiproxy.config.schema.observing import (
    Logging,
    MetricsSettings,
    ModelPrice,
    Notices,
    PromptLogSettings,
    TracingSettings,
)
from aiproxy.config.schema.payload import Payload, PayloadModel
from aiproxy.config.schema.requests import MediaFetch, SystemPromptSettings, Translation
from aiproxy.config.schema.routing import HealthCheck, QuotaCheck, QuotaExceeded, RequestScopedError, Routing, Timeouts
from aiproxy.config.schema.setting import setting
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


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole file."""

    host: str = setting("Address to listen on; empty means all, and is refused without `api-keys`.", "127.0.0.1")
    port: int = setting("Port to listen on; 0 picks a free one.", 8317, minimum=0, maximum=65535)
    tls: Tls = setting("HTTPS.", factory=Tls)
    api_keys: tuple[ClientKey, ...] = setting(
        "Client keys, plain text or mappings; with none, only this machine may call.", ()
    )
    tag_limits: Mapping[str, CommonLimits] = setting(
        "By tag of client keys: what all keys with this tag may use together.",
        factory=dict,
        example={"research": {"requests-per-minute": 600, "budget": {"usd-per-month": 500}}},
    )
    model_limits: Mapping[str, CommonLimits] = setting(
        "By glob of the models' names, as clients call them: what all clients may use of them together; a call counts in "
        "each that matches.",
        factory=dict,
        example={"gpt-*": {"concurrent": 50, "requests-per-minute": 600}},
    )
    limits: Limits = setting("What one client request may cost before it is understood.", factory=Limits)
    websocket: WebSocket = setting("Clients' WebSockets, and relays'.", factory=WebSocket)
    ws_auth: bool = setting(
        "Ask relays (`/v1/ws/relay`) for a client key. Without, whoever reaches the gateway may answer its clients; of pages only "
        "those that `websocket.origins` names.",
        True,
    )
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
    quota_check: QuotaCheck = setting("Asking logins' vendors what is left.", factory=QuotaCheck)
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
        example={"openai": [{"name": "mini", "alias": "smart", "fork": True}]},
    )
    oauth_excluded_models: Mapping[str, tuple[str, ...]] = setting(
        "By provider: globs of model names that its accounts which log in don't serve, beside those of each one's file.",
        factory=dict,
        example={"codex": ["*-mini"]},
    )
    oauth_request_scoped_errors: Mapping[str, tuple[RequestScopedError, ...]] = setting(
        "By provider: what to do about certain failures of its accounts which log in, before the global rules.",
        factory=dict,
        example={"codex": [{"status": 400, "match": ["overloaded"], "action": "continue"}]},
    )
    state: str = setting(
        "Where usage, requests, cooldowns and counters are kept: a SQLite file; `postgresql://USER:PASSWORD@HOST/DATABASE`, "
        "for several nodes (needs the extra `[postgres]`); or `memory` (also `:memory:`), until the gateway stops. Empty is "
        "`~/.aiproxy/state.db`, and `memory` while only the demo is offered. Takes effect at the next start.",
        "",
        example="/var/lib/aiproxy/state.db",
        path=is_state_file,
    )
    prices: Mapping[str, ModelPrice] = setting(
        "By globs of the upstreams' names of models, the first that matches: what the usage records' `cost` is reckoned by, "
        "before the vendors' list prices that come with the program. A model without a price has usage but no cost.",
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
    codex_api_key: tuple[ResponsesEntry, ...] = setting(
        "Accounts at endpoints that speak OpenAI's Responses API only, plain keys or mappings.",
        (),
        examples={
            "api-key": "${RESPONSES_API_KEY}",
            "name": "responses",
            "models.name": "gpt-5.5",
            "models.alias": "coder",
        },
    )
    xai_api_key: tuple[ResponsesEntry, ...] = setting(
        "Accounts at xAI, plain keys or mappings.",
        (),
        examples={
            "api-key": "${XAI_API_KEY}",
            "name": "grok",
            "base-url": "https://api.x.ai/v1",
            "models.name": "grok-4.5",
            "models.alias": "grok",
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
    remote_management: RemoteManagement = setting(
        "The management API under `/v0/management`.", factory=RemoteManagement
    )
    prompt_log: PromptLogSettings = setting(
        "What calls ask and answer, in words, a JSON object a line; takes effect at the next start.",
        factory=PromptLogSettings,
    )
    error_logs_max_files: int = setting(
        "Failed calls, the latest, that `request-error-logs` of the management API lists; bodies are the prompt log's.",
        1000,
        minimum=1,
        maximum=10_000,
    )
    notices: Notices = setting("What operators are told without asking.", factory=Notices)
    metrics: MetricsSettings = setting(
        "Metrics for Prometheus at `/metrics`, which asks for a client key where there are any.",
        factory=MetricsSettings,
    )
    tracing: TracingSettings = setting("Traces for OpenTelemetry.", factory=TracingSettings)
    logging: Logging = setting(
        "Logs. Lines about a call have its `request_id`, and its `trace_id` where it is in a trace (`span_id` where it is recorded).",
        factory=Logging,
    )
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
            return MEMORY if is_memory(self.state) else self.state
        alone = not self.has_upstream and self.demo.enabled is not False
        return MEMORY if alone else os.path.expanduser("~/.aiproxy/state.db")

    @property
    def auth_dir_in_effect(self) -> str:
        return self.auth_dir or os.path.expanduser("~/.aiproxy/auth")

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
            "xai-api-key": self.xai_api_key,
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
    ResponsesEntry: "api_key",
    OllamaEntry: "base_url",
    MediaFetch: "enabled",
    VertexEntry: "api_key",
}
"""Mappings that may be written as one plain value, and the field that the string fills."""
