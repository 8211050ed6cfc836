"""Accounts with keys, their models, and the demo: one entry an upstream."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiproxy.config.schema.routing import RequestScopedError
from aiproxy.config.schema.setting import setting
from aiproxy.secrets import Secret


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
class KeyEntry:
    """One account at a known provider."""

    api_key: Secret = setting(
        "The upstream's key.", factory=lambda: Secret(""), required=True, example="${OPENAI_API_KEY}"
    )
    name: str = setting(
        "What logs call the account; `PROVIDER-N` (its place in the list) when absent.", "", example="first"
    )
    note: str = setting("Words of yours, which the console shows; nothing goes by them.", "", example="paid by the lab")
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
class ResponsesEntry(KeyEntry):
    """One account at an endpoint of OpenAI's Responses API."""

    websockets: bool = setting(
        "Calls of clients on a WebSocket (`GET /v1/responses`) go to it on one; over HTTP where it refuses.", False
    )


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
    note: str = setting("Words of yours, which the console shows; nothing goes by them.", "", example="paid by the lab")
    proxy_url: str = setting("Overrides the global `proxy-url`; `direct` uses none.", "")
    prefix: str = setting("Its models are also offered as `PREFIX/MODEL`.", "", example="or")
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


@dataclass(frozen=True, slots=True)
class Demo:
    """The built-in scripted upstream. In effect while no real upstream is configured, or when enabled by name."""

    enabled: bool | None = setting(
        "Offer the `demo-*` models; absent means only while no real upstream is configured.", None
    )
    latency: float = setting("Wait before the first event.", 0.2, minimum=0, unit="seconds")
    tokens_per_second: float = setting("Speed of a streamed answer; 0 is as fast as it goes.", 40, minimum=0)
