"""What vendors' back ends tell of quotas and models to who asks: a meter an account, and an endpoint a vendor, told apart by path.

Sources: provider sheets codex, kiro, gemini-cli, antigravity; openai/codex, backend client; Gemini CLI, `retrieveUserQuota`;
Claude Code's `/api/oauth/usage`; `copilot_internal/user` as VS Code reads it."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from tests.rig.upstream import Received, Wire
from tests.vendors.vendor import dumps

FIVE_HOURS = 18000
MODELS = ("gemini-2.5-pro", "gemini-2.5-flash", "gemini-3-flash", "gemini-9-new", "claude-sonnet-4-6", "chat_20706")

A_DAY_OF_2099 = 4070908800

USED_UP_WORDS = "Used up, says the vendor."


@dataclass(frozen=True, slots=True)
class UsedUp:
    """How a vendor refuses an account whose plan is used up."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)

    def serve(self, wire: Wire) -> None:
        wire.answer(self.status, dumps(self.body), self.headers)


def _google() -> Any:
    detail = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "QUOTA_EXHAUSTED"}
    said = {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": USED_UP_WORDS, "details": [detail]}
    return {"error": said}


def _openai(**more: object) -> Any:
    return {"error": {"message": USED_UP_WORDS, **more}}


USED_UP: Mapping[str, UsedUp] = {
    "gemini-cli": UsedUp(429, _google()),
    "antigravity": UsedUp(429, _google()),
    "codex": UsedUp(429, _openai(type="usage_limit_reached", resets_at=A_DAY_OF_2099)),
    "claude": UsedUp(
        429,
        {"type": "error", "error": {"type": "rate_limit_error", "message": USED_UP_WORDS}},
        {
            "anthropic-ratelimit-unified-5h-status": "rejected",
            "anthropic-ratelimit-unified-5h-reset": str(A_DAY_OF_2099),
        },
    ),
    "qwen": UsedUp(429, _openai(code="insufficient_quota", type="insufficient_quota")),
    "iflow": UsedUp(429, _openai(code="429")),
    "kimi": UsedUp(429, _openai(type="rate_limit_reached_error")),
    "copilot": UsedUp(402, _openai(code="quota_exceeded")),
    "kiro": UsedUp(402, {"message": USED_UP_WORDS, "reason": "MONTHLY_REQUEST_COUNT"}),
}
"""By provider. Those of iFlow and Kimi name no quota: nothing tells theirs from a limit of the moment."""


@dataclass
class Meter:
    """How much is used of an account's every window, as a share, and when all of them end."""

    used: float = 0.25
    ends: int = A_DAY_OF_2099

    @property
    def ends_written(self) -> str:
        return datetime.fromtimestamp(self.ends, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    @property
    def percent(self) -> float:
        return 100 * self.used


@dataclass
class UsageEndpoints:
    """`meters` are those of the accounts, by the project that a question names, else by the token that signs it. `asked` are
    the questions."""

    meters: defaultdict[str, Meter] = field(default_factory=lambda: defaultdict(Meter))
    asked: list[Received] = field(default_factory=list)

    def serve(self, received: Received, wire: Wire) -> bool:
        """Whether it was a question for a quota."""
        path = urlsplit(received.path).path
        told = next((told for end, told in ENDPOINTS.items() if path.endswith(end)), None)
        if received.method == "GET" and path == "/models":
            told = copilots_models
        if told is None:
            return False
        self.asked.append(received)
        whose = received.json["project"] if received.body else received.headers["authorization"].rpartition(" ")[2]
        wire.answer(200, dumps(told(self.meters[whose])))
        return True


def code_assist(meter: Meter) -> Any:
    left = {"remainingFraction": 1 - meter.used, "resetTime": meter.ends_written, "tokenType": "REQUESTS"}
    return {"buckets": [{"modelId": model, **left} for model in MODELS]}


def antigravity(meter: Meter) -> Any:
    left = {"remainingFraction": 1 - meter.used, "resetTime": meter.ends_written}
    models = {model: {"displayName": model, "quotaInfo": left, "maxTokens": 1048576} for model in MODELS}
    return {"models": models, "webSearchModelIds": ["gemini-3-flash"]}


def codex(meter: Meter) -> Any:
    full = meter.used >= 1
    window = {
        "used_percent": round(meter.percent),
        "limit_window_seconds": FIVE_HOURS,
        "reset_after_seconds": 60,
        "reset_at": meter.ends,
    }
    limits = {"allowed": not full, "limit_reached": full, "primary_window": window, "secondary_window": None}
    return {"plan_type": "plus", "rate_limit": limits, "credits": {"has_credits": False, "unlimited": False, "balance": None}}  # fmt: skip


def claude(meter: Meter) -> Any:
    window = {"utilization": meter.percent, "resets_at": meter.ends_written}
    return {"five_hour": window, "seven_day": {**window, "utilization": 1.0}, "seven_day_opus": None, "extra_usage": {"is_enabled": False}}  # fmt: skip


def copilot(meter: Meter) -> Any:
    quota = {
        "entitlement": 300,
        "percent_remaining": 100 - meter.percent,
        "unlimited": False,
        "overage_permitted": False,
    }
    quotas = {"premium_interactions": quota, "chat": {**quota, "percent_remaining": 100.0, "unlimited": True}}
    return {"copilot_plan": "individual", "quota_reset_date_utc": meter.ends_written, "quota_snapshots": quotas}


def kiro(meter: Meter) -> Any:
    limit = {
        "resourceType": "CREDIT",
        "usageLimit": 50,
        "currentUsage": int(50 * meter.used),
        "currentUsageWithPrecision": 50 * meter.used,
    }
    return {"usageBreakdownList": [{**limit, "nextDateReset": meter.ends}], "overageConfiguration": {"overageStatus": "DISABLED"}}  # fmt: skip


def kiros_models(_meter: Meter) -> Any:
    limits = {"maxInputTokens": 200000, "maxOutputTokens": 64000}
    names = ("claude-sonnet-4.5", "claude-sonnet-9", "deepseek-9")
    return {
        "models": [{"modelId": name, "tokenLimits": limits} for name in names],
        "defaultModel": {"modelId": names[0]},
    }


def copilots_models(_meter: Meter) -> Any:
    chat = {"id": "gpt-4.1", "object": "model", "vendor": "Azure OpenAI", "supported_endpoints": ["/chat/completions"]}
    alone = {"id": "gpt-9", "object": "model", "vendor": "OpenAI", "supported_endpoints": ["/responses"]}
    return {"object": "list", "data": [chat, alone]}


ENDPOINTS: Mapping[str, Callable[[Meter], Any]] = {
    "/v1internal:retrieveUserQuota": code_assist,
    "/v1internal:fetchAvailableModels": antigravity,
    "/wham/usage": codex,
    "/api/oauth/usage": claude,
    "/copilot_internal/user": copilot,
    "/getUsageLimits": kiro,
    "/ListAvailableModels": kiros_models,
}
