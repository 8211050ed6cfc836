"""Which of a provider's endpoints does what a client asks for, what else does when it isn't there after all, and which accounts
of a plan have one."""

from collections.abc import Mapping
from dataclasses import replace

from aiproxy.catalogue import Plan
from aiproxy.gateway.call import Call
from aiproxy.neutral.errors import GatewayError
from aiproxy.providers.base import Endpoint, Operation, Upstream

DONE_BY = {
    Operation.COMPLETIONS: Operation.CHAT,
    Operation.EMBEDDING: Operation.EMBEDDINGS,
    Operation.COMPACT: Operation.CHAT,
}
"""What else does an operation, unless the upstream has an endpoint for it in the client's protocol."""


MISSING = (404, 405, 501)
"""How an upstream says that it has no such endpoint. 404 may also be about the model, which the next endpoint then says, too."""


def endpoint_for(call: Call, upstream: Upstream, model: str, *, prompted: bool = False) -> Endpoint | None:
    """Where this operation is done with the upstream's model: in the client's protocol, else in one it can be translated to. `prompted`: the operator's
    system prompt must have a place there."""
    endpoint = upstream.provider.endpoint(call.operation, call.wire.name, model)
    if call.operation in DONE_BY and (endpoint is None or endpoint.wire.name != call.wire.name):
        endpoint = upstream.provider.endpoint(DONE_BY[call.operation], "", model)
    if endpoint is not None and endpoint.wire.name != call.wire.name and call.codec is None:
        return None
    if prompted and endpoint is not None and endpoint.codec is None:
        return _substitute(endpoint, call, upstream, model) or endpoint
    return endpoint


def instead_of(endpoint: Endpoint, error: GatewayError, call: Call, upstream: Upstream, model: str) -> Endpoint | None:
    """What else does the operation, for an upstream that declares an endpoint and answers that it isn't there, or that
    another one serves the model."""
    if upstream.provider.elsewhere and upstream.provider.elsewhere in error.message.lower():
        return _another(endpoint, call, upstream)
    return _substitute(endpoint, call, upstream, model) if error.upstream_status in MISSING else None


def cannot_count(error: GatewayError, call: Call) -> bool:
    """Whether an upstream has no endpoint that counts tokens; one that doesn't know the model has one."""
    counting = call.operation is Operation.COUNT_TOKENS
    return counting and error.upstream_status in MISSING and error.code != "model_not_found"


def _another(endpoint: Endpoint, call: Call, upstream: Upstream) -> Endpoint | None:
    """The next endpoint in the provider's order that does the same: each is asked once."""
    same = [each for each in upstream.provider.endpoints if each.operation is endpoint.operation]
    return next((each for each in same[same.index(endpoint) + 1 :] if each.codec and call.codec), None)


def _substitute(endpoint: Endpoint, call: Call, upstream: Upstream, model: str) -> Endpoint | None:
    if endpoint.operation is not call.operation or call.operation not in DONE_BY or call.codec is None:
        return None
    return upstream.provider.endpoint(DONE_BY[call.operation], "", model)


def able(call: Call, plan: Plan, upstreams: Mapping[str, Upstream]) -> Plan:
    """The plan without accounts whose upstream can't do what is asked; as it is where none can, for then one must say so.

    Tokens are counted by anyone: where the upstream can't, we estimate."""
    if call.operation in (Operation.CHAT, Operation.COUNT_TOKENS):
        return plan
    steps = []
    for step in plan:
        served = {
            key: each
            for key, each in step.served.items()
            if any(endpoint_for(call, upstreams[key], model.name) for model in each)
        }
        if served:
            steps.append(replace(step, served=served))
    return steps or plan
