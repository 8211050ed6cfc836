"""The access log: one entry a client request, as an ordinary event in a namespace of its own."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from twisted.logger import LogEvent, Logger

from aiproxy.logs.scrubbing import Scrubbing

ACCESS = "aiproxy.access"
"""The namespace: `Logger(ACCESS)` is what `access` writes to."""


class AccessEntry(NamedTuple):
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
    fields = entry._asdict()
    fields["path"] = entry.path.partition("?")[0]  # a query may hold a key
    log.info("{method} {path} {status}", **fields)  # for observers other than ours, which write `access_line`


_RECURRING = ("method", "path", "protocol", "client", "provider", "model", "outcome")
_SEPARATOR = "\0"

LONGEST_RECURRING = 1024
"""Characters of the texts of one entry that are kept as likely to come again; a longer path is somebody's experiment."""


def access_fields(event: LogEvent, scrub: Scrubbing) -> dict[str, Any] | None:
    """An entry's fields, scrubbed. None for an event that is none, or that is unusual: it is read like any other.

    Most of what is logged is this, and all but the id recurs from entry to entry."""
    try:
        fields = {name: event[name] for name in AccessEntry._fields}
        texts = _SEPARATOR.join([fields[name] for name in _RECURRING])
        request_id = scrub(fields["request_id"])
    except (KeyError, TypeError):
        return None
    whole = texts.count(_SEPARATOR) == len(_RECURRING) - 1  # what is masked may swallow one, never add one
    if not whole or len(texts) > LONGEST_RECURRING or not (texts.isascii() and request_id.isascii()):
        return None
    cleaned = scrub.recurring(texts).split(_SEPARATOR)
    if len(cleaned) != len(_RECURRING):
        return None
    fields["request_id"] = request_id
    fields.update(zip(_RECURRING, cleaned, strict=True))
    return fields


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
