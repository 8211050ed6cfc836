"""Spans as OTLP's protobuf messages, by the classes of opentelemetry-proto (the extra `[otel]`); texts within what a message takes."""

from collections.abc import Iterable, Mapping, Sequence

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1 import trace_pb2

from aiproxy import __version__
from aiproxy.tracing.spans import Span, Value
from aiproxy.usage.trace import Trace

LONGEST_TEXT = 500
"""Characters of a text that others chose, as in the ledger."""

NANOSECONDS = 1_000_000_000

LARGEST = 2**63 - 1
"""Of a number; an upstream may claim any."""


def encode(calls: Iterable[tuple[Trace, Sequence[Span]]], resource: Mapping[str, str]) -> bytes:
    spans = [_span(trace, span) for trace, several in calls for span in several]
    scope = InstrumentationScope(name="aiproxy", version=__version__)
    scoped = trace_pb2.ScopeSpans(scope=scope, spans=spans)
    told = trace_pb2.ResourceSpans(resource=Resource(attributes=_attributes(resource)), scope_spans=[scoped])
    encoded: bytes = ExportTraceServiceRequest(resource_spans=[told]).SerializeToString()
    return encoded


def rejected(answer: bytes) -> int:
    """How many spans a collector that took the others would not have. Raises `ValueError` for what is no such answer."""
    try:
        return int(ExportTraceServiceResponse.FromString(answer).partial_success.rejected_spans)
    except Exception as error:
        raise ValueError("not an ExportTraceServiceResponse") from error


def _span(trace: Trace, span: Span) -> trace_pb2.Span:
    status = trace_pb2.Status(code=trace_pb2.Status.STATUS_CODE_ERROR, message=span.error) if span.error else None
    return trace_pb2.Span(
        trace_id=bytes.fromhex(trace.id),
        span_id=bytes.fromhex(span.id),
        parent_span_id=bytes.fromhex(span.parent),
        trace_state=trace.state,
        flags=trace.flags,
        name=_text(span.name),
        kind=trace_pb2.Span.SpanKind.ValueType(span.kind),
        start_time_unix_nano=round(span.began * NANOSECONDS),
        end_time_unix_nano=round(max(span.began, span.ended) * NANOSECONDS),
        attributes=_attributes(span.attributes),
        status=status,
    )


def _attributes(told: Mapping[str, Value]) -> list[KeyValue]:
    return [KeyValue(key=name, value=_value(value)) for name, value in told.items()]


def _value(value: Value) -> AnyValue:
    match value:
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=max(-LARGEST, min(value, LARGEST)))
        case float():
            return AnyValue(double_value=value)
        case str():
            return AnyValue(string_value=_text(value))


def _text(text: str) -> str:
    """Half a surrogate pair, which JSON can hold, is no UTF-8."""
    return text[:LONGEST_TEXT].encode("utf-8", "replace").decode()
