"""Bodies of 8 MB with images, several at once: each arrives as it was sent, and none takes much more memory than its size;
of answers that large the gateway holds a part."""

from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import httpx2
import pytest

from tests.rig.daemon import daemon
from tests.rig.upstream import Received, Wire, completion, upstream

SIZE = 8_000_000
AT_ONCE = 8
BYTES_PER_BYTE = 3
"""The most a body may take of memory, for each of its bytes."""


def memory(pid: int, name: str) -> int:
    """Bytes; `name` is one of /proc/PID/status."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(lines[name].split()[0]) * 1024


def test_what_goes_up_arrives(tmp_path: Path) -> None:
    arrived: list[str] = []

    def takes(request: Received, wire: Wire) -> None:
        arrived.append(sha256(request.body).hexdigest())
        wire.answer(200, completion("seen"))

    bodies = [
        b'{"model": "m", "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": '
        b'{"url": "data:image/png;base64,%b"}}]}]}' % (b"iVBORw0%d" % number * (SIZE // 8))
        for number in range(AT_ONCE)
    ]
    with upstream(takes) as vendor:
        text = f"""
state: memory
openai-compatibility:
  - {{name: vendor, base-url: "{vendor.base_url}", api-key-entries: [key-0123456789abcdef], models: [m]}}
"""
        with daemon(tmp_path, text) as gateway, ThreadPoolExecutor(AT_ONCE) as clients:
            pid = gateway.process.pid

            def ask(body: bytes) -> int:
                headers = {"content-type": "application/json"}
                answer = httpx2.post(f"{gateway.base_url}/chat/completions", content=body, headers=headers, timeout=60)
                return answer.status_code

            assert ask(bodies[0]) == 200
            before = memory(pid, "VmRSS")
            arrived.clear()
            for _ in range(2):
                assert list(clients.map(ask, bodies)) == [200] * AT_ONCE
            assert sorted(arrived) == sorted(sha256(body).hexdigest() for body in bodies * 2)
            assert memory(pid, "VmHWM") - before < BYTES_PER_BYTE * AT_ONCE * SIZE


ANTHROPIC = (
    b'{"id": "m", "type": "message", "role": "assistant", "model": "m", "content": [{"type": "text", "text": "seen"}], '
    b'"stop_reason": "end_turn", "usage": {"input_tokens": 1, "output_tokens": 1}}'
)


@pytest.mark.parametrize(("keys", "path", "answer"), [("claude", "", ANTHROPIC), ("openai", "/v1", completion("seen"))])
def test_what_is_translated_takes_three_times_its_size(tmp_path: Path, keys: str, path: str, answer: bytes) -> None:
    """What came, what is written of it, and what goes up."""
    picture = "iVBORw0K" * (SIZE // 8)
    url = f"data:image/png;base64,{picture}"
    chat = {"model": "m", "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}]}
    source = {"type": "base64", "media_type": "image/png", "data": picture}
    messages = {
        "model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": [{"type": "image", "source": source}]}],
    }  # fmt: skip
    asked, to = (chat, "/chat/completions") if keys == "claude" else (messages, "/messages")
    arrived: list[bool] = []

    def takes(request: Received, wire: Wire) -> None:
        arrived.append(picture.encode() in request.body)
        wire.answer(200, answer)

    with upstream(takes) as vendor:
        origin = vendor.base_url.removesuffix("/v1") + path
        text = f"""
state: memory
{keys}-api-key: [{{api-key: key-0123456789abcdef, base-url: "{origin}", models: [m]}}]
"""
        with daemon(tmp_path, text) as gateway:
            pid = gateway.process.pid

            def ask() -> int:
                return httpx2.post(f"{gateway.base_url}{to}", json=asked, timeout=60).status_code

            assert ask() == 200
            before = memory(pid, "VmRSS")
            Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak is that of now
            assert ask() == 200
            assert arrived == [True, True]
            assert memory(pid, "VmHWM") - before < (BYTES_PER_BYTE + 0.1) * SIZE


def test_what_comes_back_is_not_held(tmp_path: Path) -> None:
    drawn = completion("iVBORw0K" * (SIZE // 8))

    def draws(_request: Received, wire: Wire) -> None:
        wire.answer(200, drawn)

    with upstream(draws) as vendor:
        text = f"""
state: memory
openai-compatibility:
  - {{name: vendor, base-url: "{vendor.base_url}", api-key-entries: [key-0123456789abcdef], models: [m]}}
"""
        with daemon(tmp_path, text) as gateway, ThreadPoolExecutor(AT_ONCE) as clients:
            asked = {"model": "m", "messages": [{"role": "user", "content": "Draw a fox."}]}

            def ask(_: int) -> bytes:
                return httpx2.post(f"{gateway.base_url}/chat/completions", json=asked, timeout=60).content

            before = memory(gateway.process.pid, "VmRSS")
            assert all(body == drawn for body in clients.map(ask, range(AT_ONCE)))
            assert memory(gateway.process.pid, "VmHWM") - before < AT_ONCE * SIZE
