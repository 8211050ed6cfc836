"""How a provider is asked what is left of an account's quotas: one question, and what its answer says."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiproxy.credentials.base import Credential
from aiproxy.neutral.carried import Json
from aiproxy.pools.quota import Window

Reading = Callable[[Mapping[str, Any], float], Iterable[Window]]
"""(the answer's JSON object, seconds since the epoch) → windows; raises nothing, whatever the object holds."""


@dataclass(frozen=True, slots=True)
class QuotaQuestion:
    """`body` None asks by GET. `headers` go beside the account's own. `credential` signs where it isn't the one that signs
    the account's calls."""

    url: str
    read: Reading
    body: Mapping[str, Json] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    credential: Credential | None = None
