"""What reaches upstreams, and how: the bytes, the headers, the names, proxies, TLS, deadlines."""

import gzip
import json
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
import trustme
from openai import OpenAI

from tests.rig.daemon import Daemon, daemon
from tests.rig.proxy import connect_proxy
from tests.rig.upstream import Received, Upstream, Wire, begin_stream, completion, events, says, upstream


@pytest.fixture
def vendor() -> Iterator[Upstream]:
    with upstream(says("ok")) as running:
        yield running


def ask(gateway: Daemon, model: str, **headers: str) -> httpx2.Response:
    body = {"model": model, "messages": [{"role": "user", "content": "x"}]}
    return httpx2.post(f"{gateway.base_url}/chat/completions", json=body, headers=headers, timeout=20)


def test_the_body_goes_up_and_comes_back_byte_for_byte(vendor: Upstream, tmp_path: Path) -> None:
    sent = '{ "messages":[ {"role":"user","content":"\\u0041 ünï"} ],\n"model" : "alias", "x": 1E5, "x": 00e }'.replace(
        "00e", "12e-7"
    )
    answered = b'{"choices": [], "odd":  [1.00, "\\u00e9"],\r\n "model": "real" }'
    vendor.script.append(lambda _request, wire: wire.answer(200, answered))
    configuration = (
        f"openai-compatibility: [{{name: v, base-url: '{vendor.base_url}', models: [{{name: real, alias: alias}}]}}]"
    )
    with daemon(tmp_path, configuration) as gateway:
        answer = httpx2.post(f"{gateway.base_url}/chat/completions", content=sent.encode())
    assert vendor.received[0].body == sent.replace('"alias"', '"real"').encode()
    assert answer.content == answered


def test_the_client_gets_the_form_it_asked_for(vendor: Upstream, tmp_path: Path) -> None:
    """Some upstreams answer a stream request with one object, or one with a stream."""

    def always_whole(_request: Received, wire: Wire) -> None:
        wire.answer(200, completion("in one piece"))

    def always_streamed(_request: Received, wire: Wire) -> None:
        begin_stream(wire, "Text/Event-Stream; charset=utf-8")
        for event in events("in", " pieces"):
            wire.chunk(event)
        wire.chunk(b"")

    configuration = f"openai-compatibility: [{{name: v, base-url: '{vendor.base_url}', models: [m]}}]"
    with daemon(tmp_path, configuration) as gateway, OpenAI(base_url=gateway.base_url, api_key="-") as client:
        vendor.script.extend([always_whole, always_streamed, always_streamed])
        stream = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "x"}], stream=True)
        assert "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices) == "in one piece"
        whole = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "x"}])
        assert whole.choices[0].message.content == "in pieces"
        stream = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "x"}], stream=True)
        assert "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices) == "in pieces"


def test_what_is_compressed_unasked_is_read_all_the_same(vendor: Upstream, tmp_path: Path) -> None:
    packed = {"content-encoding": "gzip"}
    error = {"error": {"message": "too long", "type": "t", "param": None, "code": "context_length_exceeded"}}
    answers = [(200, completion("unpacked")), (400, json.dumps(error).encode()), (200, b'{"data": [{"id": "listed"}]}')]
    for status, body in answers:
        vendor.script.append(lambda _r, wire, s=status, b=body: wire.answer(s, gzip.compress(b), packed))  # type: ignore[misc]
    configuration = f"openai-compatibility: [{{name: v, base-url: '{vendor.base_url}'}}]"
    with daemon(tmp_path, configuration) as gateway:
        assert ask(gateway, "m").json()["choices"][0]["message"]["content"] == "unpacked"
        assert ask(gateway, "m").json()["error"]["code"] == "context_length_exceeded"
        assert httpx2.get(f"{gateway.base_url}/models").json()["data"][0]["id"] == "listed"


def test_an_error_object_under_a_streams_label_keeps_its_meaning(vendor: Upstream, tmp_path: Path) -> None:
    said = b'{"error": {"message": "slow down", "code": 429}}'
    vendor.script.append(lambda _request, wire: wire.answer(200, said, {"content-type": "text/event-stream"}))
    configuration = f"request-retry: 0\nopenai-compatibility: [{{name: v, base-url: '{vendor.base_url}', models: [m]}}]"
    with daemon(tmp_path, configuration) as gateway:
        asked = {"model": "m", "stream": True, "messages": []}
        answer = httpx2.post(f"{gateway.base_url}/chat/completions", json=asked)
    assert (answer.status_code, answer.json()["error"]["message"]) == (429, "slow down")


def test_headers_up_and_back(vendor: Upstream, tmp_path: Path) -> None:
    configuration = f"openai-compatibility: [{{name: v, base-url: '{vendor.base_url}', api-key-entries: [key-of-v-0123456789], models: [m], headers: {{X-Team: a}}}}]"
    with daemon(tmp_path, configuration) as gateway:
        answer = ask(
            gateway,
            "m",
            **{"x-request-id": "my-own-id-1", "openai-beta": "b=1", "cookie": "c=1", "x-secret-of-client": "1"},
        )
    sent = vendor.received[0].headers
    assert sent["authorization"] == "Bearer key-of-v-0123456789"
    assert (sent["x-team"], sent["openai-beta"]) == ("a", "b=1")
    assert sent["user-agent"].startswith("aiproxy/")
    assert not {"cookie", "x-secret-of-client", "x-request-id"} & set(sent)
    assert answer.headers["x-request-id"] == "my-own-id-1"
    assert answer.headers["x-aiproxy-provider"] == "v"
    assert answer.headers["x-aiproxy-model"] == "m"
    assert answer.headers["x-aiproxy-attempts"] == "1"
    assert "upstream;dur=" in answer.headers["server-timing"]


OF_VENDORS = {
    "openai-api-key": (
        "/v1/chat/completions",
        {"openai-beta": "a=1,  b=v2", "openai-organization": "org-1", "openai-of-2027": "ü"},
    ),
    "codex-api-key": ("/v1/responses", {"openai-project": "p"}),
    "xai-api-key": ("/v1/responses", {"x-grok-conv-id": "c"}),
    "claude-api-key": ("/v1/messages", {"anthropic-version": "2023-01-01", "anthropic-beta": "a-1,b-2;q=\t1"}),
}


@pytest.mark.parametrize("section", OF_VENDORS)
def test_vendors_own_headers_pass_byte_for_byte_and_others_as_the_operator_says(
    vendor: Upstream, tmp_path: Path, section: str
) -> None:
    path, headers = OF_VENDORS[section]
    configuration = f"""
{section}:
  - api-key: key-of-vendor-0123456789
    base-url: {vendor.base_url}
    headers: {{X-Copied: $X-Of-Client, X-Never: $Authorization, X-Neither: $X-Api-Key, X-Absent: $X-Nobody, X-Own: a}}
"""
    of_client = {
        **headers,
        "x-of-client": "as it came, ü",
        "authorization": "Bearer of-the-client",
        "x-api-key": "of-the-client",
        "anthropic-dangerous-direct-browser-access": "true",
        "x-stainless-lang": "python",
    }
    sent = [(name.encode(), value.encode("latin-1")) for name, value in of_client.items()]
    twice = [(b"openai-beta", b"c"), (b"anthropic-beta", b"c")]
    with daemon(tmp_path, configuration) as gateway:
        body = {"model": "m", "messages": [], "input": "x", "max_tokens": 1}
        assert httpx2.post(f"{gateway.address}{path}", json=body, headers=[*sent, *twice]).status_code == 200
        httpx2.get(f"{gateway.address}/v1/models")
    asked, listed = vendor.received
    for name, value in headers.items():
        assert asked.headers[name] == (f"{value}, c" if name in ("openai-beta", "anthropic-beta") else value)
    assert asked.headers["x-copied"] == "as it came, ü"
    for received in (asked, listed):
        assert received.headers["x-own"] == "a"
        assert not {"x-never", "x-neither", "x-absent", "x-of-client", "x-stainless-lang"} & set(received.headers)
        assert "of-the-client" not in str(received.headers)
        assert "anthropic-dangerous-direct-browser-access" not in received.headers
    assert "x-copied" not in listed.headers, "nobody asked for the list with such a header"


def test_aliases_prefixes_exclusions_and_key_models(vendor: Upstream, tmp_path: Path) -> None:
    with upstream(says("other")) as other:
        configuration = f"""
api-keys:
  - all-models-key-0123456789
  - {{name: team, key: team-key-0123456789abcdef, models: ["or/*"]}}
openai-compatibility:
  - {{name: v, base-url: "{vendor.base_url}", models: [{{name: real-1, alias: fast}}, real-2], excluded-models: ["*-2"]}}
  - {{name: o, base-url: "{other.base_url}", prefix: or, models: [fast]}}
"""
        with daemon(tmp_path, configuration) as gateway:

            def status(model: str, key: str = "all-models-key-0123456789") -> int:
                return ask(gateway, model, authorization=f"Bearer {key}").status_code

            assert status("fast") == 200
            assert status("or/fast") == 200
            assert [request.json["model"] for request in other.received[-1:]] == ["fast"]
            assert status("real-2") == 404
            assert status("real-1") == 404
            assert status("fast", "team-key-0123456789abcdef") == 404
            assert status("or/fast", "team-key-0123456789abcdef") == 200
            listed = httpx2.get(f"{gateway.base_url}/models", headers={"x-api-key": "team-key-0123456789abcdef"}).json()
            assert [model["id"] for model in listed["data"]] == ["or/fast"]


def test_proxies_per_entry_globally_and_direct(vendor: Upstream, tmp_path: Path) -> None:
    with connect_proxy() as everyones, connect_proxy() as own:
        configuration = f"""
proxy-url: http://everyone:p%40ss-word-1@127.0.0.1:{everyones.port}
openai-compatibility:
  - {{name: a, base-url: "{vendor.base_url}", models: [global]}}
  - {{name: b, base-url: "{vendor.base_url}", models: [own], proxy-url: "http://127.0.0.1:{own.port}"}}
  - {{name: c, base-url: "{vendor.base_url}", models: [none], proxy-url: direct}}
"""
        with daemon(tmp_path, configuration) as gateway:
            assert [ask(gateway, model).status_code for model in ("global", "own", "none")] == [200] * 3
        target = f"127.0.0.1:{vendor.port}"
        assert everyones.asked == [(target, "everyone:p@ss-word-1")]
        assert own.asked == [(target, "")]
        assert "p@ss-word-1" not in "".join(gateway.output)
        assert "p%40ss-word-1" not in "".join(gateway.output)


@pytest.mark.parametrize("trusted", [True, False])
def test_tls_upstreams_are_verified(tmp_path: Path, trusted: bool) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with upstream(says("ok"), tls=context) as vendor:
        configuration = (
            f"request-retry: 0\nopenai-compatibility: [{{name: v, base-url: '{vendor.base_url}', models: [m]}}]"
        )
        environ = {"SSL_CERT_FILE": str(tmp_path / "ca.pem")} if trusted else {}
        with daemon(tmp_path, configuration, environ=environ) as gateway:
            answer = ask(gateway, "m")
    if trusted:
        assert answer.status_code == 200
    else:
        assert answer.status_code == 502
        assert "certificate" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("timeouts", "words"),
    [("{first-byte: 0.2}", "first"), ("{total: 0.3}", "timeouts.total")],
)
def test_deadlines_have_names(vendor: Upstream, tmp_path: Path, timeouts: str, words: str) -> None:
    def silent(_request: Received, wire: Wire) -> None:
        wire.wait_for_close()

    vendor.script.append(silent)
    configuration = f"request-retry: 0\ntimeouts: {timeouts}\nopenai-compatibility: [{{name: v, base-url: '{vendor.base_url}', models: [m]}}]"
    with daemon(tmp_path, configuration) as gateway:
        answer = ask(gateway, "m")
    assert answer.status_code == 504
    assert words in answer.json()["error"]["message"]


def test_http2_over_tls_and_a_certificate_that_changes(tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate = tmp_path / "server.pem"

    def renew() -> None:
        new = tmp_path / "new.pem"
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(new)
        new.chmod(0o600)
        new.rename(certificate)

    renew()
    context = ssl.create_default_context()
    authority.configure_trust(context)
    configuration = "demo: {latency: 0, tokens-per-second: 0}\ntls: {enable: true, cert: server.pem, key: server.pem}"
    with daemon(tmp_path, configuration) as gateway:
        with httpx2.Client(verify=context, http2=True) as http:
            asked = {"model": "demo-echo", "stream": True, "messages": [{"role": "user", "content": "over h2"}]}
            answer = http.post(f"{gateway.base_url}/chat/completions", json=asked)
            assert answer.http_version == "HTTP/2"
            assert answer.text.endswith("data: [DONE]\n\n")
            unknown = http.post(f"{gateway.base_url}/nothing", json={})
            assert unknown.json()["error"]["code"] == "unknown_url"
        before = ssl.get_server_certificate(("127.0.0.1", gateway.port))
        renew()
        gateway.wait_for("configuration reloaded")
        assert ssl.get_server_certificate(("127.0.0.1", gateway.port)) != before
        with httpx2.Client(verify=context) as http:
            assert http.get(f"{gateway.address}/healthz").status_code == 200
