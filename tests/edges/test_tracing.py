"""Traces as a collector receives them, and `traceparent` as upstreams do."""

import time
from collections.abc import Callable
from pathlib import Path

import httpx2
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.rig.daemon import Daemon, daemon
from tests.rig.until import until
from tests.rig.upstream import Received, Upstream, Wire, fails, says, upstream

ID, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{ID}-{SPAN}-01"


def collects(*statuses: int, rejects: int = 0) -> Callable[[Received, Wire], None]:
    """A collector: first these statuses, then 200."""
    left = list(statuses)
    told = ExportTraceServiceResponse(partial_success=ExportTracePartialSuccess(rejected_spans=rejects))

    def answer(_request: Received, wire: Wire) -> None:
        if left:
            wire.answer(left.pop(0), b"", {})
        else:
            wire.answer(200, told.SerializeToString(), {"content-type": "application/x-protobuf"})

    return answer


def configured(vendor: Upstream, collector: Upstream, more: str = "") -> str:
    return f"""
tracing:
  otlp-endpoint: "{collector.base_url.removesuffix("/v1")}"
  headers: {{authorization: Bearer a-secret-of-the-collector}}
  service-name: gateway-of-tests
  {more}
request-retry: 0
openai-api-key:
  - {{name: one, api-key: key-of-vendor-0123456789, base-url: "{vendor.base_url}", models: [m]}}
  - {{name: two, api-key: key-of-vendor-9876543210, base-url: "{vendor.base_url}", models: [m]}}
"""


def ask(gateway: Daemon, headers: dict[str, str] | None = None) -> httpx2.Response:
    body = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
    return httpx2.post(f"{gateway.base_url}/chat/completions", json=body, headers=headers, timeout=20)


def spans_of(collector: Upstream, most: int) -> list[Span]:
    """Those received, once there are so many."""
    return until(
        lambda: [span for received in list(collector.received) for span in _spans(received)],
        lambda found: len(found) >= most,
    )


def _spans(received: Received) -> list[Span]:
    assert received.headers["content-type"] == "application/x-protobuf"
    told = ExportTraceServiceRequest.FromString(received.body)
    return [span for resource in told.resource_spans for scope in resource.scope_spans for span in scope.spans]


def attributes(span: Span) -> dict[str, object]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value") or "") for each in span.attributes}


def test_a_call_that_fails_over_is_a_trace_of_its_attempts(tmp_path: Path) -> None:
    with upstream(says("hello")) as vendor, upstream(collects()) as collector:
        vendor.script.append(fails(500))
        with daemon(tmp_path, configured(vendor, collector)) as gateway:
            answered = ask(gateway, {"traceparent": PARENT, "tracestate": "rojo=1"})
            assert answered.status_code == 200
            call, first, second = spans_of(collector, 3)
            logged = gateway.wait_for_access(answered.headers["x-request-id"])
            assert (logged["trace_id"], logged["span_id"]) == (ID, call.span_id.hex())
        received = collector.received[0]
        assert received.path == "/v1/traces"
        assert received.headers["authorization"] == "Bearer a-secret-of-the-collector"
        assert received.headers["host"] == collector.base_url.removesuffix("/v1").removeprefix("http://")
        assert "a-secret-of-the-collector" not in "".join(gateway.output)
        told = [request.headers["traceparent"] for request in vendor.received]
        assert [request.headers["tracestate"] for request in vendor.received] == ["rojo=1"] * 2
    resource = ExportTraceServiceRequest.FromString(received.body).resource_spans[0].resource
    assert [each.value.string_value for each in resource.attributes if each.key == "service.name"] == [
        "gateway-of-tests"
    ]
    assert {span.trace_id.hex() for span in (call, first, second)} == {ID}
    assert call.parent_span_id.hex() == SPAN
    assert call.kind == Span.SPAN_KIND_SERVER
    assert [span.kind for span in (first, second)] == [Span.SPAN_KIND_CLIENT] * 2
    assert [span.parent_span_id for span in (first, second)] == [call.span_id] * 2
    assert told == [f"00-{ID}-{span.span_id.hex()}-01" for span in (first, second)]
    assert first.status.code == Status.STATUS_CODE_ERROR
    assert call.start_time_unix_nano <= first.start_time_unix_nano <= first.end_time_unix_nano
    assert second.end_time_unix_nano <= call.end_time_unix_nano
    assert abs(call.start_time_unix_nano / 1e9 - time.time()) < 60
    said = attributes(second)
    assert said["gen_ai.operation.name"] == "chat"
    assert said["gen_ai.provider.name"] == "openai"
    assert said["server.address"] == "127.0.0.1"
    assert isinstance(said["gen_ai.usage.input_tokens"], int)


def test_a_bad_traceparent_begins_a_trace_of_its_own(tmp_path: Path) -> None:
    with upstream(says("hello")) as vendor, upstream(collects()) as collector:
        with daemon(tmp_path, configured(vendor, collector, "propagate: false")) as gateway:
            ask(gateway, {"traceparent": "00-what-is-this-01"})
            call, _ = spans_of(collector, 2)
        assert not call.parent_span_id
        assert "traceparent" not in vendor.received[0].headers


def test_without_a_collector_the_clients_context_goes_on_as_it_is(tmp_path: Path) -> None:
    configuration = "openai-api-key: [{{api-key: key-of-vendor-0123456789, base-url: '{}', models: [m]}}]"
    with upstream(says("hello")) as vendor, daemon(tmp_path, configuration.format(vendor.base_url)) as gateway:
        called, untraced = ask(gateway, {"traceparent": PARENT}), ask(gateway)
        assert [request.headers.get("traceparent") for request in vendor.received] == [PARENT, None]
        of_call, of_other = (gateway.wait_for_access(each.headers["x-request-id"]) for each in (called, untraced))
        assert of_call["trace_id"] == ID
        assert "span_id" not in of_call
        assert "trace_id" not in of_other


def test_a_request_that_comes_to_no_call_is_found_by_its_trace_too(tmp_path: Path) -> None:
    with daemon(tmp_path, "api-keys: [key-of-a-client-0123456789]") as gateway:
        refused = ask(gateway, {"traceparent": PARENT})
        assert refused.status_code == 401
        assert gateway.wait_for_access(refused.headers["x-request-id"])["trace_id"] == ID


def test_a_collector_that_is_busy_is_asked_again_and_one_that_refuses_is_counted(tmp_path: Path) -> None:
    with (
        upstream(says("hello")) as vendor,
        upstream(collects(503, 400, rejects=1)) as collector,
        daemon(tmp_path, configured(vendor, collector)) as gateway,
    ):
        ask(gateway)
        spans_of(collector, 4)  # the same two, twice
        ask(gateway)
        spans_of(collector, 6)
        page = until(
            lambda: httpx2.get(f"{gateway.address}/metrics", timeout=20).text,
            lambda told: 'aiproxy_spans_total{result="sent"}' in told,
        )
    assert 'aiproxy_spans_total{result="sent"} 1.0' in page
    assert 'aiproxy_spans_total{result="dropped"} 3.0' in page


def test_what_waits_is_sent_when_the_gateway_stops(tmp_path: Path) -> None:
    with upstream(says("hello")) as vendor, upstream(collects()) as collector:
        with daemon(tmp_path, configured(vendor, collector)) as gateway:
            ask(gateway)
        assert len(spans_of(collector, 2)) == 2
