"""Rows that most providers' fault tables share: failures whose status alone would blame the wrong one."""

from aiproxy.pools.verdict import FIRST_REST_REFUSED, FIRST_REST_UNKNOWN_MODEL, FaultRule, Scope

FIRST_REST_CHALLENGED = 10.0
"""Seconds. A bot check stays for a while, and asking again at once prolongs it."""

UNKNOWN_MODEL = FaultRule(
    statuses=frozenset((400, 403, 422)),
    words=("model_not_found", "model_not_supported", "model not found", "not available for your plan"),
    scope=Scope.MODEL,
    rest=FIRST_REST_UNKNOWN_MODEL,
)
"""This account doesn't have the model, another one may; told as if the request, or the key, were wrong."""

CHALLENGED = FaultRule(
    statuses=frozenset((403, 429, 503)),
    headers={"cf-mitigated": "challenge"},
    scope=Scope.NETWORK,
    rest=FIRST_REST_CHALLENGED,
)
"""Cloudflare before the upstream doubts our address, not our key."""

UNWELCOME = FaultRule(
    statuses=frozenset((400, 403)),
    words=("user location is not supported", "unsupported_country_region_territory"),
    scope=Scope.NETWORK,
    rest=FIRST_REST_REFUSED,
)
"""Vendors that don't serve the country our address is in, whichever key asks."""

COMMON = (CHALLENGED, UNWELCOME, UNKNOWN_MODEL)
