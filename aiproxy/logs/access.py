"""The access log: one entry a client request, as an ordinary event in a namespace of its own."""

from time import time
from typing import Any, NamedTuple

from twisted.logger import ILogObserver, LogLevel, globalLogPublisher

from aiproxy.logs.scrubbing import Scrubbing

ACCESS = "aiproxy.access"
"""The namespace of the events, which hold an `entry`."""


class AccessEntry(NamedTuple):
    """One request, finished. Texts are empty and times None for what it never came to. Times are milliseconds since the
    request's headers were read; `bytes_out` counts the body. `outcome` is `ok`, or the kind of the error it ended with. `span_id` is
    our own of the call, where it is recorded."""

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
    trace_id: str = ""
    span_id: str = ""

    @property
    def fields(self) -> dict[str, Any]:
        """Of a line for machines: a request of no trace says nothing of one."""
        fields = self._asdict()
        for name in ("trace_id", "span_id"):
            if not fields[name]:
                del fields[name]
        return fields

    def __str__(self) -> str:
        """`POST /v1/chat/completions 200 openai-1 gpt-5.4 212/1204 ms 3456 B client=team-a attempts=2 rate_limit req_1`: the
        time to the first byte and the total, then what differs from the usual."""
        first, total = self.first_byte_ms, self.total_ms
        words = [self.method, self.path, str(self.status)]
        if self.provider:
            words.append(self.provider)
        if self.model:
            words.append(self.model)
        words.append(f"{total:.0f} ms" if first is None else f"{first:.0f}/{total:.0f} ms")
        words.append(f"{self.bytes_out} B")
        if self.client:
            words.append(f"client={self.client}")
        if self.attempts > 1:
            words.append(f"attempts={self.attempts}")
        if self.outcome != "ok":
            words.append(self.outcome)
        words.append(self.request_id)
        if self.trace_id:
            words.append(f"trace={self.trace_id}")
        return " ".join(words)


def access(entry: AccessEntry, to: ILogObserver = globalLogPublisher) -> None:
    """Straight to the observers: a `Logger` would look for a source and a class that aren't there."""
    if "?" in entry.path:
        entry = entry._replace(path=entry.path.partition("?")[0])  # a query may hold a key
    to({
        "log_namespace": ACCESS,
        "log_level": LogLevel.info,
        "log_time": time(),
        "log_format": "{entry}",
        "entry": entry,
    })  # fmt: skip


_SEPARATOR = "\0"

LONGEST_RECURRING = 1024
"""Characters of the texts of one entry that are kept as likely to come again; a longer path is somebody's experiment."""


def scrubbed(entry: AccessEntry, scrub: Scrubbing) -> AccessEntry:
    """Most of what is logged is this, and all but the id and the figures recurs from entry to entry: those are looked at together.
    What is masked can only swallow separators, never add one."""
    texts = (entry.method, entry.path, entry.protocol, entry.client, entry.provider, entry.model, entry.outcome)
    joined = _SEPARATOR.join(texts)
    usual = len(joined) <= LONGEST_RECURRING and joined.isascii() and joined.count(_SEPARATOR) == len(texts) - 1
    cleaned = scrub.recurring(joined).split(_SEPARATOR) if usual else []
    if len(cleaned) != len(texts):
        cleaned = [scrub.clean(text) for text in texts]
    method, path, protocol, client, provider, model, outcome = cleaned
    return AccessEntry(
        scrub.clean(entry.request_id),
        method,
        path,
        entry.status,
        protocol,
        client,
        provider,
        model,
        entry.attempts,
        entry.first_byte_ms,
        entry.total_ms,
        entry.bytes_out,
        outcome,
        entry.trace_id,  # hexadecimal
        entry.span_id,
    )
