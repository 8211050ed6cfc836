"""A canary in every place a secret can stand; every endpoint and failure driven at debug level; no canary anywhere."""

import base64
import json
from pathlib import Path
from urllib.parse import quote

import httpx2
import pytest

from tests.rig.daemon import daemon
from tests.rig.upstream import Received, Wire, begin_stream, events, fails, hangs_up, says, upstream

CLIENT = "canary-client/key+0123456789"
UPSTREAM = "canary-upstream/key+0123456789"
PROXY = "canary-proxy-pass+0123456789"
FROM_FILE = "canary-from-a-file-0123456789"
HEADER = "canary-in-a-header-0123456789"
CANARIES = (CLIENT, UPSTREAM, PROXY, FROM_FILE)


def echoes_everything(request: Received, wire: Wire) -> None:
    """An upstream that repeats what it was sent in its error, as some do."""
    said = json.dumps(dict(request.headers)) + request.headers["authorization"]
    wire.answer(400, json.dumps({"error": {"message": said}}).encode())


def echoes_in_a_stream(request: Received, wire: Wire) -> None:
    begin_stream(wire)
    for event in events("a", "b")[:3]:
        wire.chunk(event)
    error = {"error": {"message": "your key was " + request.headers["authorization"]}}
    wire.chunk(b"data: " + json.dumps(error).encode() + b"\n\n")
    wire.chunk(b"")


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_secret_leaves_the_process(tmp_path: Path, log_format: str) -> None:
    (tmp_path / "key.txt").write_text(FROM_FILE + "\n")
    with upstream(says("fine")) as vendor:
        configuration = f"""
logging: {{level: debug, format: {log_format}}}
api-keys: [{{key: "{CLIENT}", name: canary}}]
demo: {{enabled: true, latency: 0, tokens-per-second: 0}}
request-retry: 0
disable-cooling: true
timeouts: {{connect: 1}}
openai-compatibility:
  - {{name: vendor, base-url: "{vendor.base_url}", api-key-entries: ["{UPSTREAM}"], models: [m]}}
  - {{name: file, base-url: "{vendor.base_url}", api-key-entries: [{{api-key: {{file: key.txt}}}}], models: [filed]}}
  - name: proxied
    base-url: http://127.0.0.1:9/v1
    proxy-url: "http://user:{quote(PROXY)}@127.0.0.1:9"
    api-key-entries: ["{UPSTREAM}-2"]
    models: [proxied]
"""
        seen = []
        with daemon(tmp_path, configuration) as gateway, httpx2.Client(timeout=20) as http:

            def ask(model: str, behaviour: object = None, **more: object) -> None:
                vendor.script.clear()
                if callable(behaviour):
                    vendor.script.append(behaviour)
                body = {"model": model, "messages": [{"role": "user", "content": "x"}], **more}
                keyed = {"authorization": f"Bearer {CLIENT}"}
                answer = http.post(f"{gateway.base_url}/chat/completions", json=body, headers=keyed)
                seen.append(f"{answer.status_code} {answer.headers} {answer.text}")

            for model in ("m", "filed", "proxied", "unknown", "demo", CLIENT):
                ask(model)
                ask(model, stream=True)
            for behaviour in (
                echoes_everything,
                echoes_in_a_stream,
                fails(401, UPSTREAM),
                fails(500, UPSTREAM),
                hangs_up,
            ):
                ask("m", behaviour)
                ask("m", behaviour, stream=True)
                ask("filed", behaviour)
            for path in ("models", "models/m", "nothing", "../healthz", "../readyz?verbose", "../version", "../"):
                for where in (f"?key={quote(CLIENT)}", f"?auth_token={quote(CLIENT)}", f"?key={quote(UPSTREAM)}", ""):
                    answer = http.get(
                        f"{gateway.base_url}/{path}{where}", headers={"x-api-key": UPSTREAM} if where else {}
                    )
                    seen.append(f"{answer.status_code} {answer.headers} {answer.text}")
            log = "".join(gateway.output)
    written = "".join(seen) + log
    for canary in CANARIES:
        for spelling in (canary, quote(canary), quote(canary, safe=""), base64.b64encode(canary.encode()).decode()):
            assert spelling not in written, spelling
    assert base64.b64encode(f"user:{PROXY}".encode()).decode() not in written
    assert "canary" in log, "the client's name is no secret: it shows that the log was looked at"
