"""Rules that change fields of requests."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from aiproxy.config.schema.setting import setting


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
