"""Client keys and what their holders may use."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiproxy.config.schema.requests import Translation
from aiproxy.config.schema.setting import setting
from aiproxy.secrets import Secret


@dataclass(frozen=True, slots=True)
class Budget:
    """What may be used of a month, by UTC. What is left is shared by all workers, and by all nodes with one `state`."""

    usd_per_month: float = setting(
        "Most US dollars, by `prices`; a model without a price costs nothing here.", 0, minimum=0, unit="0 = no limit"
    )
    tokens_per_month: int = setting("Most tokens, read and written.", 0, minimum=0, unit="0 = no limit")


@dataclass(frozen=True, slots=True)
class KeyLimits:
    """What one holder may use. All workers share them, and all nodes with one PostgreSQL as `state`."""

    requests_per_minute: int = setting("Most requests a minute.", 0, minimum=0, unit="0 = no limit")
    tokens_per_minute: int = setting(
        "Most tokens a minute, read and written; until a call has ended it counts with what it may use at most.",
        0,
        minimum=0,
        unit="0 = no limit",
    )
    concurrent: int = setting("Most calls at a time.", 0, minimum=0, unit="0 = no limit")
    requests_per_day: int = setting("Most requests a day, by UTC.", 0, minimum=0, unit="0 = no limit")
    shadow: bool = setting("Count, and show at `/v1/quota`, but refuse nobody; `budget` as well.", False)


@dataclass(frozen=True, slots=True)
class CommonLimits(KeyLimits):
    """What several holders may use together."""

    budget: Budget = setting("What they may use of a month.", factory=Budget)


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
        example=["gpt-*", "mini", "sonnet", "pro", "flash", "coder", "grok", "llama"],
    )
    providers: tuple[str, ...] = setting(
        "The providers whose accounts it may spend; empty means all.",
        (),
        example=["openai", "claude", "gemini", "vertex", "codex", "xai", "ollama", "openrouter"],
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
    budget: Budget = setting("What it may use of a month.", factory=Budget)
    model_limits: Mapping[str, CommonLimits] = setting(
        "By glob of the models' names, as it calls them: what it may use of them; a call counts in each that matches.",
        factory=dict,
        example={"gpt-*": {"requests-per-day": 1000, "budget": {"usd-per-month": 20}}},
    )
    answer_headers: bool = setting(
        "Whether its answers say who gave them and how fast (`x-aiproxy-provider`, `-model`, `-attempts`, `server-timing`).",
        True,
    )
    prompt_log: bool = setting("Whether the prompt log, where there is one, has its calls.", True)
