"""Embeddings between two protocols: the request in the upstream's words, and the way back for its vectors."""

from dataclasses import dataclass, replace
from functools import partial

from aiproxy.codecs.base import Answer
from aiproxy.codecs.codec import Codec, Outgoing
from aiproxy.codecs.embeddings import Embeddings
from aiproxy.codecs.report import Report
from aiproxy.gateway.call import Call
from aiproxy.gateway.lanes import ANSWER_BYTES
from aiproxy.gateway.relay import Relay, Setting
from aiproxy.gateway.snapshot import Snapshot
from aiproxy.gateway.stopwatch import Stopwatch
from aiproxy.gateway.translate import Target, warned
from aiproxy.gateway.whole_relays import AnswerRelay
from aiproxy.neutral.embedding import EmbeddingRequest
from aiproxy.neutral.errors import InvalidRequest, UpstreamFailed
from aiproxy.neutral.usage import Usage
from aiproxy.providers.base import Operation

EMBEDS = (Operation.EMBEDDINGS, Operation.EMBEDDING)


@dataclass(frozen=True, slots=True)
class EmbeddingTranslation:
    """`asked` is the request as the client made it."""

    source: Embeddings
    target: Embeddings
    asked: EmbeddingRequest
    report: Report
    outgoing: Outgoing
    streamed = False

    def relay(self, setting: Setting) -> Relay:
        return AnswerRelay(setting, partial(self._answer, Stopwatch(setting)), ANSWER_BYTES)

    def _answer(self, stopwatch: Stopwatch, body: bytes) -> tuple[Answer, Usage | None]:
        found = replace(self.target.decode_response(body), timing=stopwatch.read())
        if len(found.vectors) != len(self.asked.inputs):
            raise UpstreamFailed(f"The upstream gave {len(found.vectors)} vectors for {len(self.asked.inputs)} texts.")
        answer = warned(self.source.encode_response(found, self.asked, self.report), self.report)
        return answer, Usage.from_totals(input_total=found.tokens)


def translate_embeddings(call: Call, to: Target, snapshot: Snapshot) -> EmbeddingTranslation:
    """Raises `InvalidRequest` for a body that can't be read, `Unsupported` for what the target must not drop."""
    source, target = (
        _of(codec, op) for codec, op in ((call.codec, call.operation), (to.endpoint.codec, to.endpoint.operation))
    )
    report = Report(strict=snapshot.strict(call.client))
    asked = source.decode_request(call.incoming.body, call.model, report)
    if not asked.inputs:
        field = report.name("embedding.inputs")
        raise InvalidRequest(f"`{field}`: there is no text to embed.", param=field)
    outgoing = Outgoing(target.encode_request(replace(asked, model=to.model), report))
    return EmbeddingTranslation(source, target, asked, report, outgoing)


def _of(codec: Codec | None, operation: Operation) -> Embeddings:
    """What an endpoint of this operation is declared with."""
    assert codec is not None
    found = codec.embedding if operation is Operation.EMBEDDING else codec.embeddings
    assert found is not None
    return found
