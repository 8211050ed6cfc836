"""Lines for machines: one JSON object each. `ts` (RFC 3339, UTC), `level`, `logger`, `msg`, then the event's own fields, then
`traceback`. A field can't take the place of one of these: it gets a `_` behind its name."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson

from aiproxy.logs.record import Record

_OWN = ("ts", "level", "logger", "msg", "traceback")


def as_json(record: Record) -> str:
    line: dict[str, Any] = {
        "ts": f"{_second(int(record.time // 1))}.{int(record.time % 1 * 1000):03d}+00:00",
        "level": record.level,
        "logger": record.logger,
        "msg": record.message,
    }
    for name, value in record.fields.items():
        line[f"{name}_" if name in _OWN else name] = value
    if record.traceback:
        line["traceback"] = record.traceback
    return orjson.dumps(line).decode() + "\n"


@lru_cache(maxsize=2)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
