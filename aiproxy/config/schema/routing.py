"""How a call finds an account: strategies, deadlines, failures, quotas, health."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from aiproxy.config.schema.setting import setting


class Strategy(StrEnum):
    ROUND_ROBIN = "round-robin"
    WEIGHTED_ROUND_ROBIN = "weighted-round-robin"
    FILL_FIRST = "fill-first"
    LEAST_USED = "least-used"

    @classmethod
    def _missing_(cls, value: object) -> "Strategy | None":
        return cls(SHORT_NAMES[value]) if isinstance(value, str) and value in SHORT_NAMES else None


SHORT_NAMES: Mapping[str, str] = {"rr": "round-robin", "wrr": "weighted-round-robin", "ff": "fill-first"}
"""CLIProxyAPI's, of strategies."""


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


class ErrorAction(StrEnum):
    STOP = "stop"
    STOP_AND_COOLDOWN = "stop-and-cooldown"
    CONTINUE = "continue"
    CONTINUE_AND_COOLDOWN = "continue-and-cooldown"


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
        "When a model's quota or rate limit is used up, try its preview (`NAME-preview`, or with more behind it) at the same accounts, where their list of models has one.",
        True,
    )
    antigravity_credits: bool = setting(
        "Let Antigravity's accounts pay for Claude's models with their Google AI credits, which cost money, when no account is ready "
        "without.",
        False,
    )


@dataclass(frozen=True, slots=True)
class QuotaCheck:
    enabled: bool = setting(
        "Ask vendors that tell it what is left of an account's quota: from time to time while calls use the account, and when "
        "one of them finds it used up.",
        True,
    )
    interval: float = setting("How often.", 600, minimum=60, duration=True)


@dataclass(frozen=True, slots=True)
class HealthCheck:
    enabled: bool = setting("Ask accounts from time to time whether they work.", False)
    interval: float = setting("How often.", 600, minimum=10, duration=True)
    startup: bool = setting("Ask all of them at the start, too, whether or not `enabled`.", False)
    providers: tuple[str, ...] = setting("The providers to ask; empty means all.", (), example=["openai", "claude"])
