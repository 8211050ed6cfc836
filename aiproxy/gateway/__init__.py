"""One call: plan → lease → attempt → commit → record. Retrying lives here and nowhere else.

Knows no web framework: a client's side of a call is a `Sink`."""

from aiproxy.gateway.call import Call, Sink
from aiproxy.gateway.gateway import Gateway
from aiproxy.gateway.snapshot import Snapshot, build_snapshot

__all__ = ["Call", "Gateway", "Sink", "Snapshot", "build_snapshot"]
