"""The access log: one entry a client request, as an ordinary event in a namespace of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from twisted.logger import Logger

ACCESS = "aiproxy.access"
"""The namespace: `Logger(ACCESS)` is what `access` writes to."""


@dataclass(frozen=True, slots=True)
class AccessEntry:
    """One request, finished. Texts are empty and times None for what it never came to. Times are milliseconds since the
    request's headers were read; `bytes_out` counts the body. `outcome` is `ok`, or the kind of the error it ended with."""

    request_id: str
    method: str
    path: str
    status: int
    protocol: str = ""
    client: str = ""
    provider: str = ""
    model: str = ""
    attempts: int = 0
    first_byte_ms: float | None = None
    total_ms: float = 0.0
    bytes_out: int = 0
    outcome: str = "ok"


def access(log: Logger, entry: AccessEntry) -> None:
    log.info(
        "{method} {path} {status}",  # for observers other than ours, which write `access_line`
        request_id=entry.request_id,
        method=entry.method,
        path=entry.path.partition("?")[0],  # a query may hold a key
        status=entry.status,
        protocol=entry.protocol,
        client=entry.client,
        provider=entry.provider,
        model=entry.model,
        attempts=entry.attempts,
        first_byte_ms=entry.first_byte_ms,
        total_ms=entry.total_ms,
        bytes_out=entry.bytes_out,
        outcome=entry.outcome,
    )


def access_line(event: Mapping[str, Any]) -> str:
    """`POST /v1/chat/completions 200 openai-1 gpt-5.4 212/1204 ms 3456 B client=team-a attempts=2 rate_limit req_1`: the
    time to the first byte and the total, then what differs from the usual."""
    first, total = event["first_byte_ms"], event["total_ms"]
    words = [event["method"], event["path"], str(event["status"])]
    if event["provider"]:
        words.append(event["provider"])
    if event["model"]:
        words.append(event["model"])
    words.append(f"{total:.0f} ms" if first is None else f"{first:.0f}/{total:.0f} ms")
    words.append(f"{event['bytes_out']} B")
    if event["client"]:
        words.append(f"client={event['client']}")
    if event["attempts"] > 1:
        words.append(f"attempts={event['attempts']}")
    if event["outcome"] != "ok":
        words.append(event["outcome"])
    words.append(event["request_id"])
    return " ".join(words)
