"""Failures of Google's Code Assist, whichever product asks. Source: provider notes in `gemini_cli` and `antigravity`."""

from aiproxy.pools.verdict import FaultRule, Scope
from aiproxy.providers.faults import COMMON

FIRST_REST_INELIGIBLE = 1800.0
"""Seconds. An account that must be validated by its owner first doesn't heal by itself."""

CODE_ASSIST_FAULTS = (
    FaultRule(
        statuses=frozenset((403,)),
        words=("validation_required", "not eligible", "ineligible"),
        scope=Scope.ACCOUNT,
        rest=FIRST_REST_INELIGIBLE,
    ),
    FaultRule(statuses=frozenset((503,)), words=("no capacity available",), scope=Scope.PROVIDER),
    # A plan's quotas are counted for each model.
    FaultRule(statuses=frozenset((429,)), words=("quota_exhausted", "quota exhausted"), scope=Scope.MODEL),
    *COMMON,
)
