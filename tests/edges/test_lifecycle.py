"""Start, reload, drain, stop: of the daemon as users run it."""

import signal
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from queue import Queue

import httpx2
import openai
import pytest
import trustme
from openai import OpenAI

from tests.rig.daemon import BIN, Daemon, daemon
from tests.rig.upstream import Received, Upstream, Wire, begin_stream, events, fails, says, upstream

EX_CONFIG = 78


class Paced:
    """A stream that goes on, event by event, as the test lets it."""

    def __init__(self) -> None:
        self.go: Queue[bytes | None] = Queue()
        self.closed = threading.Event()

    def __call__(self, _request: Received, wire: Wire) -> None:
        begin_stream(wire)
        while (data := self.go.get(timeout=30)) is not None:
            wire.chunk(data)
        wire.chunk(b"")

    def say(self, *data: bytes) -> None:
        for each in data:
            self.go.put(each)

    def end(self) -> None:
        self.go.put(None)


@pytest.fixture
def vendor() -> Iterator[Upstream]:
    with upstream(says("ok")) as running:
        yield running


def one_account(vendor: Upstream, *, model: str = "m", more: str = "") -> str:
    return f"""
openai-compatibility:
  - {{name: vendor, base-url: "{vendor.base_url}", api-key-entries: [key-0123456789abcdef], models: [{model}]}}
{more}
"""


def text_of(stream: "openai.Stream[openai.types.chat.ChatCompletionChunk]") -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)


def models(gateway: Daemon) -> list[str]:
    return [entry["id"] for entry in httpx2.get(f"{gateway.base_url}/models").json()["data"]]


def ready(gateway: Daemon) -> httpx2.Response:
    return httpx2.get(f"{gateway.address}/readyz?verbose")


@pytest.mark.parametrize("way", ["signal", "file change", "file change by rename"])
def test_a_reload_swaps_the_models_without_cutting_a_stream(vendor: Upstream, tmp_path: Path, way: str) -> None:
    paced = Paced()
    vendor.script.append(paced)
    first, *rest = events("before", " after")
    with daemon(tmp_path, one_account(vendor)) as gateway, OpenAI(base_url=gateway.base_url, api_key="-") as client:
        paced.say(first, rest[0])
        stream = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "x"}], stream=True)
        path = tmp_path / "aiproxy.yaml"
        if way == "file change by rename":
            new = tmp_path / "new.yaml"
            new.write_text(one_account(vendor, model="renamed"))
            new.rename(path)
        else:
            path.write_text(one_account(vendor, model="renamed"))
        if way == "signal":
            gateway.signal(signal.SIGHUP)
        gateway.wait_for("configuration reloaded")
        assert models(gateway) == ["renamed"]
        paced.say(*rest[1:])
        paced.end()
        assert text_of(stream) == "before after"


def test_a_bad_file_keeps_the_old_configuration_and_says_so(vendor: Upstream, tmp_path: Path) -> None:
    with daemon(tmp_path, one_account(vendor)) as gateway:
        path = tmp_path / "aiproxy.yaml"
        good = path.read_text()
        path.write_text(good + "\nprot: 1\n")
        event = gateway.wait_for("configuration not reloaded")
        assert "prot" in event["msg"]
        assert "port" in event["msg"]
        assert models(gateway) == ["m"]
        answer = ready(gateway)
        assert answer.status_code == 200
        (check,) = [check for check in answer.json()["checks"] if check["name"] == "configuration"]
        assert not check["ok"]
        path.write_text(good.replace("[m]", "[fixed]"))
        gateway.wait_for("configuration reloaded")
        assert models(gateway) == ["fixed"]


def spoil_by_removing(path: Path) -> None:
    path.rename(path.with_suffix(".away"))


def spoil_by_emptying(path: Path) -> None:
    path.write_text("")


@pytest.mark.parametrize("spoil", [spoil_by_removing, spoil_by_emptying])
def test_a_file_that_goes_never_opens_the_gateway(
    vendor: Upstream, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    """In the middle of a deploy the file may be gone or empty; the keys it asked for are asked for all the same."""
    with daemon(tmp_path, one_account(vendor, more="api-keys: [key-of-a-client-0123456789]")) as gateway:
        spoil(tmp_path / "aiproxy.yaml")
        gateway.wait_for("configuration not reloaded")
        assert httpx2.get(f"{gateway.base_url}/models").status_code == 401
        checks = {check["name"]: check["ok"] for check in ready(gateway).json()["checks"]}
        assert not checks["configuration"]
        assert "Traceback" not in "".join(gateway.output)


def test_limits_change_without_a_new_listener(vendor: Upstream, tmp_path: Path) -> None:
    with daemon(tmp_path, one_account(vendor)) as gateway:
        asked = {"model": "m", "messages": [{"role": "user", "content": "x" * 20_000}]}
        assert httpx2.post(f"{gateway.base_url}/chat/completions", json=asked).status_code == 200
        (tmp_path / "aiproxy.yaml").write_text(one_account(vendor, more="limits: {request-body-mb: 0.01}"))
        gateway.wait_for("configuration reloaded")
        assert httpx2.post(f"{gateway.base_url}/chat/completions", json=asked).status_code == 413


def test_tls_on_the_same_port(vendor: Upstream, tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    (tmp_path / "server.pem").chmod(0o600)
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with daemon(tmp_path, one_account(vendor)) as gateway:
        tls = "tls: {enable: true, cert: server.pem, key: server.pem}"
        (tmp_path / "aiproxy.yaml").write_text(one_account(vendor, more=tls))
        gateway.wait_for("listens on https")
        assert httpx2.get(f"https://127.0.0.1:{gateway.port}/healthz", verify=context).status_code == 200


def test_an_account_that_was_mended_is_used_at_once(tmp_path: Path) -> None:
    def judge(request: Received, wire: Wire) -> None:
        right = request.headers["authorization"] == "Bearer right-key-0123456789"
        (says("ok") if right else fails(401))(request, wire)

    with upstream(judge) as vendor:
        configuration = one_account(vendor).replace("key-0123456789abcdef", "wrong-key-0123456789")
        with daemon(tmp_path, configuration) as gateway:
            asked = {"model": "m", "messages": []}
            assert httpx2.post(f"{gateway.base_url}/chat/completions", json=asked).status_code == 502
            (tmp_path / "aiproxy.yaml").write_text(configuration.replace("wrong-key", "right-key"))
            gateway.wait_for("configuration reloaded")
            assert httpx2.post(f"{gateway.base_url}/chat/completions", json=asked).status_code == 200


def test_a_changed_port_opens_before_the_old_one_closes(vendor: Upstream, tmp_path: Path) -> None:
    with daemon(tmp_path, one_account(vendor)) as gateway:
        (tmp_path / "aiproxy.yaml").write_text(one_account(vendor, more="host: localhost"))
        gateway.wait_for("configuration reloaded")
        moved = gateway.wait_for("listens on")
        assert httpx2.get(f"http://{moved['host']}:{moved['port']}/healthz").status_code == 200


def test_a_stop_waits_for_streams_of_a_listener_that_has_moved(vendor: Upstream, tmp_path: Path) -> None:
    paced = Paced()
    vendor.script.append(paced)
    first, *rest = events("before", " after")
    with daemon(tmp_path, one_account(vendor)) as gateway, OpenAI(base_url=gateway.base_url, api_key="-") as client:
        paced.say(first, rest[0])
        stream = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "x"}], stream=True)
        (tmp_path / "aiproxy.yaml").write_text(one_account(vendor, more="host: localhost"))
        gateway.wait_for("listens on")
        gateway.signal(signal.SIGTERM)
        assert gateway.wait_for("draining: ")["count"] == 1
        paced.say(*rest[1:])
        paced.end()
        assert text_of(stream) == "before after"
        assert gateway.process.wait(20) == 0


def test_no_more_connections_than_the_limit(vendor: Upstream, tmp_path: Path) -> None:
    with daemon(tmp_path, one_account(vendor, more="limits: {connections: 2}")) as gateway:
        address = ("127.0.0.1", gateway.port)
        with socket.create_connection(address) as one, socket.create_connection(address):
            with socket.create_connection(address, timeout=20) as third, suppress(ConnectionResetError):
                assert third.recv(1) == b""
            assert "limits.connections" in gateway.wait_for("connections are open")["msg"]
            one.close()
            # The gateway notices a little later: until then a further one is turned away.
            assert any(_answers(address) for _ in range(1000))


def _answers(address: tuple[str, int]) -> bool:
    with socket.create_connection(address, timeout=20) as connection, suppress(OSError):
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return b" 200 " in connection.recv(1000)
    return False


def test_a_drain_finishes_streams_and_is_not_ready_meanwhile(vendor: Upstream, tmp_path: Path) -> None:
    paced = Paced()
    vendor.script.append(paced)
    first, *rest = events("before", " after")
    with daemon(tmp_path, one_account(vendor)) as gateway, OpenAI(base_url=gateway.base_url, api_key="-") as client:
        paced.say(first, rest[0])
        stream = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "x"}], stream=True)
        gateway.signal(signal.SIGTERM)
        gateway.wait_for("draining")
        assert ready(gateway).status_code == 503
        refused = httpx2.post(f"{gateway.base_url}/chat/completions", json={"model": "m", "messages": []})
        assert refused.status_code == 503
        assert refused.headers["retry-after"] == "1"
        assert refused.json()["error"]["message"]
        paced.say(*rest[1:])
        paced.end()
        assert text_of(stream) == "before after"
        assert gateway.process.wait(20) == 0


@pytest.mark.parametrize("again", [False, True])
def test_at_the_drains_limit_streams_end_with_an_error_event(vendor: Upstream, tmp_path: Path, again: bool) -> None:
    """The limit is --drain seconds, or a second signal."""
    paced = Paced()
    vendor.script.append(paced)
    with (
        daemon(tmp_path, one_account(vendor), "--drain", "600" if again else "0.2") as gateway,
        OpenAI(base_url=gateway.base_url, api_key="-", max_retries=0) as client,
    ):
        paced.say(*events("never ends")[:2])
        stream = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "x"}], stream=True)
        gateway.signal(signal.SIGTERM)
        if again:
            gateway.wait_for("draining")
            gateway.signal(signal.SIGTERM)
        with pytest.raises(openai.APIError, match=r"shutting down|stop at once"):
            text_of(stream)
        assert gateway.process.wait(20) == 0
        paced.end()


def test_a_second_signal_does_not_wait_for_half_a_request(tmp_path: Path) -> None:
    with daemon(tmp_path) as gateway, closing(socket.create_connection(("127.0.0.1", gateway.port))) as half:
        half.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n\r\nabc")
        assert ready(gateway).status_code == 200  # so the head has been read
        gateway.signal(signal.SIGTERM)
        gateway.wait_for("draining")
        gateway.signal(signal.SIGTERM)
        assert gateway.process.wait(20) == 0


def test_a_daemon_that_can_not_listen_says_so_and_ends(tmp_path: Path) -> None:
    with daemon(tmp_path) as gateway:
        command = [str(BIN / "twistd"), f"--pidfile={tmp_path}/d.pid", "aiproxy", "--port", str(gateway.port)]
        run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60, check=False)
    assert run.returncode == 1
    assert f"127.0.0.1:{gateway.port}" in run.stdout + run.stderr + (tmp_path / "twistd.log").read_text()
    assert not (tmp_path / "d.pid").exists()


@pytest.mark.parametrize("command", ["twistd -n --pidfile= aiproxy", "aiproxy"])
def test_an_invalid_configuration_ends_with_the_validators_report_and_78(tmp_path: Path, command: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("prot: 8317\nrouting: {strategy: round-robbin}\n")
    program, *options = command.split()
    run = subprocess.run(
        [BIN / program, *options, "--config", path],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=60,
        check=False,
    )
    checked = subprocess.run(
        [BIN / "aiproxy-config", "validate", path], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == EX_CONFIG
    assert checked.returncode == 1
    report = [line for line in checked.stdout.splitlines() if ": error[" in line]
    assert [line.removeprefix(f"{path}:").split(":")[0] for line in report] == ["1", "2"]
    assert all(line in run.stderr for line in report)
    assert "Traceback" not in run.stderr


def test_a_port_in_use_is_one_sentence(tmp_path: Path) -> None:
    with daemon(tmp_path) as gateway:
        run = subprocess.run(
            [BIN / "aiproxy", "--port", str(gateway.port)],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            timeout=60,
            check=False,
        )
    assert run.returncode == 1
    assert f"127.0.0.1:{gateway.port}" in run.stderr
    assert "Traceback" not in run.stderr


def test_the_console_script_runs_in_the_foreground(tmp_path: Path) -> None:
    gateway = Daemon([str(BIN / "aiproxy"), "--port", "0"], tmp_path, {})
    try:
        assert models(gateway)
    finally:
        assert gateway.stop() == 0


def test_no_file_but_openai_api_key_implies_an_account(vendor: Upstream, tmp_path: Path) -> None:
    with (
        daemon(
            tmp_path, environ={"OPENAI_API_KEY": "sk-implied-0123456789", "OPENAI_BASE_URL": vendor.base_url}
        ) as gateway,
        OpenAI(base_url=gateway.base_url, api_key="-") as client,
    ):
        assert [model.id for model in client.models.list()] == ["upstream-model"]
        answer = client.chat.completions.create(model="gpt-any", messages=[{"role": "user", "content": "x"}])
        assert answer.choices[0].message.content == "ok"
        assert vendor.received[-1].headers["authorization"] == "Bearer sk-implied-0123456789"
        assert "sk-implied" not in "".join(gateway.output)
