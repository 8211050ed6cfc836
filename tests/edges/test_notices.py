"""Notices as an operator's server and command receive them."""

import hmac
import json
from hashlib import sha256
from pathlib import Path

import httpx2

from tests.rig.daemon import daemon
from tests.rig.upstream import fails, upstream


def test_an_account_that_rests_long_is_told_signed_and_to_the_command(tmp_path: Path) -> None:
    script = tmp_path / "told"
    script.write_text(f"#!/bin/sh\ncat > {tmp_path}/event.json\n")
    script.chmod(0o700)
    slow = fails(429, headers={"retry-after": "900"})
    with upstream(slow) as vendor, upstream(lambda _request, wire: wire.answer(204, b"")) as receiver:
        address = receiver.base_url.removesuffix("/v1")
        configuration = f"""
notices: {{url: "{address}/hook?x=1", secret: a-secret-of-notices, command: ["{script}"]}}
request-retry: 0
max-retry-interval: 0
openai-api-key: [{{name: only, api-key: key-of-vendor-0123456789, base-url: "{vendor.base_url}", models: [m]}}]
"""
        with daemon(tmp_path, configuration) as running:
            body = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
            assert httpx2.post(f"{running.base_url}/chat/completions", json=body, timeout=20).status_code == 429
            running.wait_for("account.unhealthy")
        (received,) = receiver.received
        assert "a-secret-of-notices" not in "".join(running.output)
    assert received.headers["host"] == address.removeprefix("http://")
    told = json.loads(received.body)
    assert (told["event"], told["subject"]) == ("account.unhealthy", "only m")
    at, mac = received.headers["x-aiproxy-signature"].removeprefix("t=").split(",v1=")
    expected = hmac.new(b"a-secret-of-notices", f"{at}.".encode() + received.body, sha256).hexdigest()
    assert mac == expected
    assert json.loads((tmp_path / "event.json").read_text()) == told
