"""A call that is only to be gone on from (`generate: false`): its client gets an answer without content at once, and sends what
comes after it alone. No upstream is asked: those without a socket of their own keep nothing from one request to the next."""

from dataclasses import replace
from functools import partial

from aiproxy.codecs.codec import Exchange
from aiproxy.codecs.envelope import Sealer
from aiproxy.gateway.attempt import Surroundings
from aiproxy.gateway.call import Call
from aiproxy.gateway.opening import STREAM_HEADERS
from aiproxy.gateway.translate import read_request
from aiproxy.neutral.collect import explode
from aiproxy.neutral.response import Candidate, GenerateResponse
from aiproxy.neutral.usage import Usage


def warm_up(call: Call, around: Surroundings) -> None:
    """Raises `InvalidRequest` for a request that can't be read."""
    codec, snapshot = call.codec, around.snapshot
    assert codec is not None
    request, report = read_request(call, snapshot)
    told = replace(request, state=replace(request.state, previous_response_id=call.continues))
    sealer = Sealer(snapshot.sealing_key, call.client.tenant)
    keep = partial(around.state.keep, call)
    exchange = Exchange(
        told, sealer, call.request_id, codec.fields.codec, around.now, report=report, seed=call.seed, keep=keep
    )
    encoder = codec.encoder(exchange)
    nothing = GenerateResponse(
        "", call.model, candidates=(Candidate(),), usage=Usage(input_uncached=0, output_visible=0)
    )
    call.committed = True
    call.record.first_byte = around.clock.seconds()
    around.sink.start(200, {"content-type": codec.stream_content_type, **STREAM_HEADERS, **call.told})
    around.sink.write(b"".join(map(encoder.feed, explode(nothing))))
