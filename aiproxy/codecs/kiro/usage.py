"""What an answer used: exact counts where the service gives them, else a share of the model's context, else an estimate."""

from collections.abc import Mapping
from dataclasses import replace
from math import isfinite
from typing import Any

from aiproxy.codecs.codec import Exchange
from aiproxy.codecs.kiro.table import NAME
from aiproxy.codecs.tokens import estimate, of_text
from aiproxy.neutral.carried import Extensions, Json
from aiproxy.neutral.usage import Usage

CONTEXT_UNSAID = 200_000
"""Tokens: of most models there."""


class Spent:
    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._exact: Usage | None = None
        self._share = 0.0  # percent of the context, input and output together
        self._written = 0
        self._credits: dict[str, Json] = {}

    def hear(self, body: Mapping[str, Any]) -> None:
        """Any event: the counts stand in several, under their own names."""
        counts = body.get("tokenUsage")
        counts = counts if isinstance(counts, dict) else {}
        if _count(counts, "uncachedInputTokens") is not None or _count(counts, "outputTokens") is not None:
            self._exact = Usage(
                input_uncached=_count(counts, "uncachedInputTokens"),
                cache_read=_count(counts, "cacheReadInputTokens"),
                cache_write=_count(counts, "cacheWriteInputTokens"),
                output_visible=_count(counts, "outputTokens"),
                raw=counts,
            )
        for found in (body, counts):
            if isinstance(share := found.get("contextUsagePercentage"), int | float) and 0 < share <= 100:
                self._share = float(share)
        if isinstance(used := body.get("usage"), int | float) and isinstance(unit := body.get("unit"), str):
            self._credits = {"usage": used, "unit": unit}

    def wrote(self, text: str) -> None:
        self._written += of_text(text)

    @property
    def usage(self) -> Usage:
        if self._exact is not None:
            return replace(self._exact, raw={**(self._exact.raw or {}), **self._metered})
        if self._share:
            context = self._exchange.capabilities.context_tokens or CONTEXT_UNSAID
            used = max(0, round(context * self._share / 100) - self._written)
        else:
            used = estimate(self._exchange.request)
        return Usage(input_uncached=used, output_visible=self._written, raw=self._metered or None, estimated=True)

    @property
    def _metered(self) -> dict[str, Json]:
        """What was paid, as part of what the service said of usage."""
        return {"metering": self._credits} if self._credits else {}

    @property
    def extensions(self) -> Extensions:
        """What was paid, in the service's own coin."""
        return {NAME: self._credits} if self._credits else {}


def _count(counts: Mapping[str, Any], name: str) -> int | None:
    found = counts.get(name)
    usable = isinstance(found, int | float) and not isinstance(found, bool) and isfinite(found)
    return int(found) if usable and found is not None else None
