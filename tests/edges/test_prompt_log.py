"""The prompt log as operators read it, and the data set that is made of it."""

import json
import stat
import subprocess
from pathlib import Path
from typing import Any

import httpx2

from tests.rig.daemon import BIN, Daemon, daemon
from tests.rig.upstream import says, upstream

KEY, PRIVATE = "key-of-team-0123456789", "key-of-private-0123456789"
SECRET = "key-of-vendor-0123456789"
PICTURE = "data:image/png;base64," + "iVBORw0KGgo" * 100


def post(gateway: Daemon, path: str, body: dict[str, Any], key: str = KEY) -> httpx2.Response:
    headers = {"authorization": f"Bearer {key}"}
    return httpx2.post(f"{gateway.address}{path}", json=body, headers=headers, timeout=20)


def configuration(url: str, settings: str) -> str:
    return f"""
prompt-log: {settings}
api-keys: [{{name: team, key: {KEY}}}, {{name: private, key: {PRIVATE}, prompt-log: false}}]
openai-api-key: [{{api-key: {SECRET}, base-url: "{url}", models: [m]}}]
openai-compatibility: [{{name: c, base-url: "{url}", models: [c], api-key-entries: [{SECRET}]}}]
"""


def test_calls_of_every_protocol_become_lines_and_a_data_set(tmp_path: Path) -> None:
    with (
        upstream(says("hel", "lo")) as vendor,
        daemon(tmp_path, configuration(vendor.base_url, "{mode: file}")) as running,
    ):
        question = [{"role": "user", "content": f"What is {SECRET}?"}]
        chat = {"model": "m", "messages": question}
        picture = {"type": "image_url", "image_url": {"url": PICTURE}}
        looks = [{"role": "user", "content": [{"type": "text", "text": "look"}, picture]}]
        contents = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
        assert post(running, "/v1/chat/completions", chat).status_code == 200
        assert post(running, "/v1/chat/completions", {**chat, "stream": True}).status_code == 200
        assert post(running, "/v1/messages", {**chat, "max_tokens": 9, "stream": True}).status_code == 200
        assert post(running, "/v1/responses", {"model": "c", "input": "hi"}).status_code == 200
        assert post(running, "/v1beta/models/m:generateContent", contents).status_code == 200
        assert post(running, "/ollama/api/chat", chat).status_code == 200
        assert post(running, "/v1/chat/completions", {"model": "m", "messages": looks}).status_code == 200
        assert post(running, "/v1/chat/completions", {**chat, "model": "unknown"}).status_code == 404
        assert post(running, "/v1/chat/completions", chat, PRIVATE).status_code == 200
    log = tmp_path / "logs" / "prompts.jsonl"
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    text = log.read_text()
    assert SECRET not in text
    assert KEY not in text
    entries = [json.loads(line) for line in text.splitlines()]
    assert [entry["answer"]["text"] for entry in entries[:7]] == ["hello"] * 7
    assert all(entry["answer"]["whole"] for entry in entries[:7])
    assert {entry["client"] for entry in entries} == {"team"}
    assert entries[0]["request"]["messages"][0]["content"] == "What is [secret]?"
    assert (
        entries[6]["request"]["messages"][0]["content"][1]["image_url"]["url"] == f"[media: {len(PICTURE)} characters]"
    )
    assert (entries[7]["outcome"], entries[7]["error"], entries[7]["answer"]) == ("failed", "not_found", None)
    done = subprocess.run([BIN / "aiproxy-config", "log", "export", log], capture_output=True, text=True, check=True)
    assert done.stderr == "7 conversations exported, 1 left out.\n"
    examples = [json.loads(line) for line in done.stdout.splitlines()]
    assert examples[0]["messages"] == [
        {"role": "user", "content": "What is [secret]?"},
        {"role": "assistant", "content": "hello"},
    ]
    assert all(example["messages"][0]["role"] == "user" for example in examples)
    assert all(example["messages"][-1] == {"role": "assistant", "content": "hello"} for example in examples)


def test_it_stays_under_its_size_and_says_nothing_when_off(tmp_path: Path) -> None:
    with upstream(says("ok")) as vendor:
        long = {"model": "m", "messages": [{"role": "user", "content": "long words " * 20000}]}
        with daemon(tmp_path, configuration(vendor.base_url, "{mode: file, max-total-size-mb: 1}")) as running:
            for _ in range(12):
                assert post(running, "/v1/chat/completions", long).status_code == 200
        files = list((tmp_path / "logs").iterdir())
        assert len(files) == 5
        assert sum(file.stat().st_size for file in files) < 1.2 * 2**20
        for file in files:
            file.unlink()
        with daemon(tmp_path, configuration(vendor.base_url, "{mode: none}")) as running:
            assert post(running, "/v1/chat/completions", long).status_code == 200
        assert list((tmp_path / "logs").iterdir()) == []


def test_the_console_has_it_too(tmp_path: Path) -> None:
    with upstream(says("ok")) as vendor, daemon(tmp_path, configuration(vendor.base_url, "{mode: console}")) as running:
        body = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
        assert post(running, "/v1/chat/completions", body).status_code == 200
        while True:
            told = json.loads(running._line(20, "the prompt log"))
            if "answer" in told:
                break
        assert told["answer"] == {"text": "ok", "whole": True}
