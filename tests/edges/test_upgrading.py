"""Another version of the code, brought in by USR2 to a gateway with workers that runs: the parent too becomes what is installed now."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import aiproxy
from aiproxy.succession import VARIABLE, LeftSlot, Succession
from tests.edges.test_workers import children, configuration, lives, names, stream_across, until_gone
from tests.rig.daemon import BIN, Daemon, daemon
from tests.rig.until import PATIENCE, until
from tests.rig.upstream import Upstream, says, upstream


@pytest.fixture
def vendor() -> Iterator[Upstream]:
    with upstream(says("ok")) as running:
        yield running


class Installed:
    """A copy of the package, which is found before the one under test, and can become another version."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "installed"
        self._package = self.path / "aiproxy"
        shutil.copytree(Path(aiproxy.__file__).parent, self._package)  # with what is compiled already

    def version(self, version: str) -> None:
        """As long as no other one, by which Python sees a change within the same second."""
        path = self._package / "__init__.py"
        path.write_text(re.sub(r'^__version__ = ".*"$', f'__version__ = "{version}"', path.read_text(), flags=re.M))

    def breaks(self, module: str) -> None:
        path = self._package / module
        path.with_suffix(".whole").write_text(path.read_text())
        path.write_text('raise RuntimeError("half an installation")\n')

    def mended(self, module: str) -> None:
        path = self._package / module
        path.with_suffix(".whole").replace(path)


@contextmanager
def running(directory: Path, vendor: Upstream, installed: Installed) -> Iterator[Daemon]:
    environ = {"PYTHONPATH": str(installed.path)}
    with daemon(directory, configuration(vendor), "--workers", "2", environ=environ) as gateway:
        yield gateway


def upgraded(gateway: Daemon, version: str) -> None:
    """Parent and workers."""
    old = children(gateway.process.pid)
    gateway.signal(signal.SIGUSR2)
    gateway.wait_for(f"aiproxy {version} has taken over")
    for _ in range(2):
        gateway.wait_for("is replaced")
    until_gone(old)
    until(lambda: len(children(gateway.process.pid)), lambda count: count == 2)


def test_parent_and_workers_become_what_is_installed_and_no_stream_breaks(vendor: Upstream, tmp_path: Path) -> None:
    installed = Installed(tmp_path)
    with running(tmp_path, vendor, installed) as gateway:
        pid, old = gateway.process.pid, children(gateway.process.pid)
        with stream_across(gateway, vendor):
            installed.version("0.1.1+second")
            gateway.signal(signal.SIGUSR2)
            gateway.wait_for("aiproxy 0.1.1+second has taken over")
            for _ in range(2):
                gateway.wait_for("is replaced")
            until(lambda: set(children(pid)) & set(old), lambda left: len(left) == 1)  # the one with the stream
        until_gone(old)
        assert [names(gateway) for _ in range(5)] == [["m"]] * 5
        installed.version("0.1.2+third")
        upgraded(gateway, "0.1.2+third")
        assert gateway.process.poll() is None
        first, second = children(pid)
        os.kill(first, signal.SIGKILL)
        gateway.wait_for("is started again")
        until(lambda: children(pid), lambda now: len(now) == 2 and first not in now)
        assert second in children(pid)


def test_code_that_does_not_start_changes_nothing(vendor: Upstream, tmp_path: Path) -> None:
    installed = Installed(tmp_path)
    with running(tmp_path, vendor, installed) as gateway:
        old = sorted(children(gateway.process.pid))
        installed.version("0.1.1+second")
        installed.breaks("supervisor.py")
        gateway.signal(signal.SIGUSR2)
        gateway.wait_for("half an installation")
        gateway.wait_for("what is installed now doesn't start")
        assert sorted(children(gateway.process.pid)) == old
        assert names(gateway) == ["m"]
        installed.mended("supervisor.py")
        installed.breaks("service.py")  # which only workers import
        gateway.signal(signal.SIGUSR2)
        gateway.wait_for("aiproxy 0.1.1+second has taken over")
        for _ in range(2):
            gateway.wait_for("doesn't serve")
        assert sorted(children(gateway.process.pid)) == old
        assert [names(gateway) for _ in range(5)] == [["m"]] * 5
        installed.mended("service.py")
        upgraded(gateway, "0.1.1+second")
        assert names(gateway) == ["m"]


def test_workers_end_also_without_a_parent_that_took_over(vendor: Upstream, tmp_path: Path) -> None:
    (tmp_path / "aiproxy.yaml").write_text(configuration(vendor))
    options = ["--config", "aiproxy.yaml", "--port", "0", "--workers", "2"]
    gateway = Daemon([str(BIN / "twistd"), "-n", "--pidfile=", "aiproxy", *options], tmp_path, {})
    gateway.signal(signal.SIGUSR2)
    gateway.wait_for("has taken over")
    left = children(gateway.process.pid)
    assert len(left) >= 2
    gateway.process.kill()
    assert gateway.stop() == -signal.SIGKILL
    until_gone(left)


def test_a_daemon_keeps_its_pid_file_until_it_stops(vendor: Upstream, tmp_path: Path) -> None:
    (tmp_path / "aiproxy.yaml").write_text(configuration(vendor) + "logging: {format: json}\n")
    pidfile, log = tmp_path / "gateway.pid", tmp_path / "twistd.log"
    command = [str(BIN / "twistd"), f"--pidfile={pidfile}", "aiproxy", "--config", "aiproxy.yaml"]
    environ = {**os.environ, "HOME": str(tmp_path)}
    subprocess.run([*command, "--port=0", "--workers=2"], cwd=tmp_path, env=environ, check=True, timeout=PATIENCE)
    pid = int(until(lambda: pidfile.read_text() if pidfile.exists() else ""))
    try:
        until(lambda: log.exists() and "listens on" in log.read_text())
        os.kill(pid, signal.SIGUSR2)
        until(lambda: log.read_text().count("is replaced") == 2)
        assert pidfile.read_text() == str(pid)
    finally:
        os.kill(pid, signal.SIGTERM)
    until(lambda: not lives(pid))
    assert not pidfile.exists()


def test_a_configuration_that_went_bad_since_the_rehearsal_ends_nobody(vendor: Upstream, tmp_path: Path) -> None:
    path, pidfile, shared = tmp_path / "aiproxy.yaml", tmp_path / "p.pid", tmp_path / "shared"
    path.write_text(configuration(vendor) + "prot: 1\n")
    pidfile.write_text("1")
    shared.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        slots = tuple(LeftSlot(number, 1.0, None, ()) for number in (1, 2))
        left = Succession(listening.fileno(), None, str(shared), "k" * 64, str(pidfile), slots)
        process = subprocess.Popen(
            [sys.executable, "-m", "aiproxy", "--config", str(path), "--workers=2"],
            cwd=tmp_path,
            env={**os.environ, "HOME": str(tmp_path), VARIABLE: left.encoded()},
            pass_fds=[listening.fileno()],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout is not None
        try:
            for _ in range(2):  # it tries again
                while "`prot` is not a known key" not in (line := process.stdout.readline()):
                    assert line, "it ended"
            path.write_text(configuration(vendor))
            while "has taken over" not in (line := process.stdout.readline()):
                assert line, "it ended"
            until(lambda: len(children(process.pid)) == 2)
            with socket.create_connection(listening.getsockname(), timeout=PATIENCE) as client:
                client.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                assert client.recv(100).startswith(b"HTTP/1.1 200")
        finally:
            process.terminate()
            said = process.stdout.read()
            assert process.wait(PATIENCE) == 0, said
            process.stdout.close()
    assert not pidfile.exists()
    assert not shared.exists()
