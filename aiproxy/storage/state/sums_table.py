"""Sums of usage as people and their spreadsheets read them. Pure."""

import csv
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from io import StringIO
from typing import Any

from aiproxy.neutral.usage import TOKENS

NUMBERS = ("attempts", "failed", "unpriced", "cost_usd", *TOKENS)
"""What is summed up, in the order of its columns."""


def written(rows: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    """With days and hours as such."""
    return [{name: _moment(value, name) if name in _FORMS else value for name, value in row.items()} for row in rows]


def as_csv(by: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    stream = StringIO()
    writer = csv.writer(stream)
    writer.writerow([*by, *NUMBERS])
    writer.writerows([_cell(row[name]) for name in (*by, *NUMBERS)] for row in rows)
    return stream.getvalue()


_FORMS = {"day": "%Y-%m-%d", "hour": "%Y-%m-%dT%H:%MZ", "ten_minutes": "%Y-%m-%dT%H:%MZ"}


def _moment(seconds: float, name: str) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime(_FORMS[name])


def _cell(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula is one no longer: clients choose models' names."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
