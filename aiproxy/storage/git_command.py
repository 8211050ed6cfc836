"""The git binary, kept to what we mean: no prompt, no hook, no credential in an argument, an end to every command.

The binary and not a library, because it is what operators look into a repository with, and because it brings their SSH
configuration, known hosts, proxies and certificates.
"""

import base64
import os
import signal
import subprocess
from collections.abc import Sequence
from hashlib import sha1
from pathlib import Path
from urllib.parse import urlsplit

from aiproxy.secrets import Secret
from aiproxy.storage.store import Unavailable

COMMAND_SECONDS = 60.0
"""Ten thousand documents are fetched in a few seconds; this long means that nothing moves."""

_SSH = "ssh -o BatchMode=yes -o ConnectTimeout=10 -o ServerAliveInterval=15"


class Rejected(Exception):
    """Someone else pushed first."""


class Git:
    """Commands in one bare repository, with one remote. Raises `Unavailable` from each."""

    def __init__(self, directory: Path, url: str, username: str, token: Secret) -> None:
        self.url = url
        self._directory = directory
        self._environ = _environment(url, username, token)

    def run(self, *arguments: str, given: bytes = b"") -> bytes:
        done = self._done(arguments, given)
        if done.returncode != 0:
            raise self._unavailable(done.stderr)
        return done.stdout

    def _done(self, arguments: Sequence[str], given: bytes) -> subprocess.CompletedProcess[bytes]:
        try:
            with subprocess.Popen(  # noqa: S603 - arguments of ours; names and addresses were checked
                ["git", *arguments],  # noqa: S607 - the one that the operator's PATH names
                cwd=self._directory,
                env=self._environ,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                process_group=0,
            ) as process:
                try:
                    output, said = process.communicate(given, COMMAND_SECONDS)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)  # what it started, ssh for one, hangs with it
                    raise Unavailable(f"git:{self.url} gave no answer within {COMMAND_SECONDS:g} s.") from None
                return subprocess.CompletedProcess(arguments, process.returncode, output, said)
        except FileNotFoundError:
            raise Unavailable("The store `git` needs the program git: install it, then start again.") from None
        except OSError as error:
            raise Unavailable(f"git can't be run in {self._directory}: {error.strerror}.") from error

    def head(self, ref: str) -> str | None:
        done = self._done(("rev-parse", "--verify", "--quiet", ref), b"")
        return done.stdout.decode().strip() or None

    def default_branch(self) -> str:
        """Empty for a repository without a commit, unless it says what its first branch is to be."""
        for line in self.run("ls-remote", "--symref", self.url, "HEAD").decode().splitlines():
            if line.startswith("ref: refs/heads/"):
                return line.removeprefix("ref: refs/heads/").split("\t")[0]
        return ""

    def fetch(self, refspec: str) -> bool:
        """Whether the branch is there."""
        done = self._done(("fetch", "--quiet", "--no-tags", self.url, refspec), b"")
        if done.returncode != 0 and b"couldn't find remote ref" not in done.stderr:
            raise self._unavailable(done.stderr)
        return done.returncode == 0

    def push(self, ours: str, theirs: str) -> None:
        """A fast-forward, or `Rejected`."""
        done = self._done(("push", "--porcelain", self.url, f"{ours}:{theirs}"), b"")
        if done.returncode != 0:
            said = done.stdout + done.stderr
            if any(words in said for words in _SECOND):
                raise Rejected
            raise self._unavailable(said)

    def _unavailable(self, said: bytes) -> Unavailable:
        """Without the addresses in it: a port or a repository's name may look like a reason."""
        return Unavailable(f"git:{self.url} {reason(said.decode(errors='replace').replace(self.url, ''))}")

    def fast_import(self, stream: bytes) -> None:
        """Into our own repository: `--force` lets our reference move, and has nothing to do with pushing."""
        self.run("fast-import", "--quiet", "--force", given=stream)

    def sizes(self, names: Sequence[str]) -> list[int]:
        """In bytes, of files that are there."""
        found = self.run("cat-file", "--batch-check=%(objectsize)", given="\n".join(names).encode()) if names else b""
        return [int(size) for size in found.split()]

    def blobs(self, names: Sequence[str]) -> list[bytes]:
        if not names:
            return []
        found, bodies, at = self.run("cat-file", "--batch", given="\n".join(names).encode()), [], 0
        for _ in names:
            end = found.index(b"\n", at)
            size = int(found[at:end].split()[2])
            bodies.append(found[end + 1 : end + 1 + size])
            at = end + 1 + size + 1
        return bodies


def blob_name(body: bytes) -> str:
    """What git calls a file of this content."""
    return sha1(b"blob %d\0" % len(body) + body, usedforsecurity=False).hexdigest()


_SECOND = (
    b"[rejected]",
    b"non-fast-forward",
    b"fetch first",
    b"failed to update ref",
    b"cannot lock ref",
    b"incorrect old value",
)
"""What a remote says when its branch is no longer where our commit begins."""


def _environment(url: str, username: str, token: Secret) -> dict[str, str]:
    """The token goes in a header by way of the environment: arguments are for everyone on this machine to see."""
    settings = {
        "core.hooksPath": os.devnull,
        "gc.autoDetach": "false",
        "maintenance.autoDetach": "false",
        "http.lowSpeedLimit": "1",
        "http.lowSpeedTime": "20",
        "http.followRedirects": "false",
        "credential.helper": "",
    }
    if authorities := os.environ.get("SSL_CERT_FILE"):  # as everything else here that speaks TLS takes it
        settings["http.sslCAInfo"] = authorities
    if token and urlsplit(url).scheme in ("http", "https"):
        pair = f"{username or 'git'}:{token.reveal()}".encode()
        settings[f"http.{url}.extraHeader"] = f"Authorization: Basic {base64.b64encode(pair).decode()}"
    numbered = {"GIT_CONFIG_COUNT": str(len(settings))}
    for index, (name, value) in enumerate(settings.items()):
        numbered |= {f"GIT_CONFIG_KEY_{index}": name, f"GIT_CONFIG_VALUE_{index}": value}
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name == "GIT_SSH_COMMAND"
    }
    return {
        "GIT_SSH_COMMAND": _SSH,
        **kept,
        **numbered,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": "file:http:https:ssh",
        "LC_ALL": "C",
    }


_SAID = (
    (
        ("authentication failed", "could not read username", "permission denied (", "error: 403", "error: 401"),
        "refused the credentials.",
    ),
    (
        ("repository not found", "' not found", "does not appear to be a git repository", "error: 404"),
        "is no git repository.",
    ),
    (("no space left", "quota", "insufficient"), "is full."),
    (
        ("read-only", "permission denied", "insufficient permission", "unable to create", "hook declined"),
        "is read-only.",
    ),
    (("certificate verif", "certificate problem"), "has a certificate that can't be trusted: set SSL_CERT_FILE."),
    (("too slow", "timed out", "operation too slow"), "is too slow."),
    (
        ("could not resolve", "unable to access", "connection refused", "could not read from remote", "hung up"),
        "can't be reached.",
    ),
)


def reason(said: str) -> str:
    """Never git's own text: it shows addresses, and a server may put anything into it."""
    lower = said.lower()
    for hints, words in _SAID:
        if any(hint in lower for hint in hints):
            return words
    return "failed for a reason of its own: `aiproxy-config store check`, then try by git itself."
