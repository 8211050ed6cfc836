"""Results as a table for people and as JSON."""

import json
import os
import platform
from collections.abc import Sequence
from typing import Any

from bench.measure import Result

_HEAD = ("work", "system", "CPU", "× first", "a second", "first byte p50 / p99", "delay p50 / p99", "memory", "wrong")
_MB = 1_000_000


def table(results: Sequence[Result]) -> str:
    """Markdown. `× first` is relative to the first system that ran the same work, CPU in microseconds per unit."""
    rows: list[tuple[str, ...]] = [_HEAD, tuple("---" for _ in _HEAD)]
    floors: dict[str, Result] = {}
    for result in results:
        floor, run = floors.setdefault(result.workload, result), result.middle
        if not result.unit:
            rows.append((result.workload, result.system, "", "", f"{run.cpu:.2f} s to start", "", "", "", ""))
            continue
        rows.append(
            (
                result.workload,
                result.system,
                f"{run.cpu:.2f} µs / {result.unit}",
                f"{run.cpu / floor.middle.cpu:.1f}" if floor.middle.cpu else "",
                f"{run.rate:,.0f}",
                _pair(run.first),
                _pair(run.delay),
                _memory(run.stream_bytes, run.peak),
                str(run.wrong),
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    return "\n".join(lines)


def as_json(results: Sequence[Result]) -> str:
    machine: dict[str, Any] = {
        "system": platform.platform(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
    }
    return json.dumps({"machine": machine, "results": [result.plain() for result in results]}, indent=1)


def _pair(pair: tuple[float, float] | None) -> str:
    return f"{pair[0]:.1f} / {pair[1]:.1f} ms" if pair else ""


def _memory(stream: float | None, peak: int | None) -> str:
    if stream is not None:
        return f"{stream / 1000:.0f} kB a stream"
    return f"{peak / _MB:.0f} MB" if peak else ""
