"""Where opaque state is at home: some vendors sign their models' thinking for the account that made it.

State that we seal says so (its `scope`); of signatures that pass as the vendor made them, in its own protocol, nobody knows,
and only the conversation's affinity brings them home."""

from collections.abc import Iterable

from aiproxy.codecs.envelope import may_hold_envelope
from aiproxy.codecs.opaque import latest_scope
from aiproxy.gateway.call import Call
from aiproxy.gateway.snapshot import Snapshot
from aiproxy.gateway.translate import read_request
from aiproxy.pools.affinity import Candidate
from aiproxy.providers.base import Operation


def homes(call: Call, candidates: Iterable[Candidate], snapshot: Snapshot) -> frozenset[Candidate]:
    """The candidates at the account that made the latest state in the request."""
    if call.codec is None or call.operation is not Operation.CHAT:
        return frozenset()
    if not may_hold_envelope(call.incoming.outline):
        return frozenset()
    scope = latest_scope(read_request(call, snapshot)[0].turns)
    if scope is None:
        return frozenset()
    return frozenset(each for each in candidates if snapshot.state_scope(snapshot.upstreams[each[0]], each[1]) == scope)
