"""Which of a provider's endpoints does what a client asks for, and which accounts of a plan have one."""

from collections.abc import Mapping
from dataclasses import replace

from aiproxy.catalogue import Plan
from aiproxy.gateway.call import Call
from aiproxy.providers.base import Endpoint, Operation, Upstream

DONE_BY = {
    Operation.COMPLETIONS: Operation.CHAT,
    Operation.EMBEDDING: Operation.EMBEDDINGS,
    Operation.COMPACT: Operation.CHAT,
}
"""What else does an operation, unless the upstream has an endpoint for it in the client's protocol."""


def endpoint_for(call: Call, upstream: Upstream) -> Endpoint | None:
    """Where this operation is done: in the client's protocol, else in one it can be translated to."""
    endpoint = upstream.provider.endpoint(call.operation, call.wire.name)
    if call.operation in DONE_BY and (endpoint is None or endpoint.wire.name != call.wire.name):
        endpoint = upstream.provider.endpoint(DONE_BY[call.operation], "")
    if endpoint is not None and endpoint.wire.name != call.wire.name and call.codec is None:
        return None
    return endpoint


def able(call: Call, plan: Plan, upstreams: Mapping[str, Upstream]) -> Plan:
    """The plan without accounts whose upstream can't do what is asked; as it is where none can, for then one must say so.

    Tokens are counted by anyone: where the upstream can't, we estimate."""
    if call.operation in (Operation.CHAT, Operation.COUNT_TOKENS):
        return plan
    steps = []
    for step in plan:
        served = {key: each for key, each in step.served.items() if endpoint_for(call, upstreams[key])}
        if served:
            steps.append(replace(step, served=served))
    return steps or plan
