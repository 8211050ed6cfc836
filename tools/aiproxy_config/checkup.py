"""What `doctor` looks at besides the configuration's text: the machine that the gateway is to run on."""

import errno
import os
import resource
import socket
import ssl
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, requires, version
from itertools import pairwise
from pathlib import Path
from re import match

from aiproxy.config.listening_rules import try_listening
from aiproxy.config.problems import Severity
from aiproxy.config.schema import MEMORY, Settings, StoreType, Tls, is_state_file
from aiproxy.config.urls import is_loopback

FILES_BESIDE = 100
"""Open files besides connections: logs, state, watches, libraries."""

CLOCK_SECONDS = 60.0
"""A clock that is this wrong breaks signatures of requests and the lives of tokens."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`severity` None: all is well. `remedy` is what to do about it."""

    about: str
    severity: Severity | None
    words: str
    remedy: str = ""


def exposure(settings: Settings) -> Iterator[Finding]:
    where = f"{settings.host or 'every address'}, port {settings.port}"
    if is_loopback(settings.host):
        yield Finding("exposure", None, f"listens on {where}: this machine only")
    elif not settings.tls.enable:
        words = f"listens on {where}, without TLS: keys and prompts can be read on the way"
        yield Finding(
            "exposure", Severity.WARNING, words, "set `tls`, or listen on 127.0.0.1 behind a proxy that has it"
        )
    else:
        yield Finding("exposure", None, f"listens on {where}, with TLS, for {len(settings.api_keys)} client keys")


def permissions(settings: Settings, file: Path | None) -> Iterator[Finding]:
    auth = Path(settings.auth_dir or os.path.expanduser("~/.aiproxy/auth"))
    wanted = [(file, 0o077, "600")] if file else []
    if settings.store.type is StoreType.FILE and auth.is_dir():
        wanted += [(auth, 0o077, "700"), *((each, 0o077, "600") for each in sorted(auth.glob("*.json")))]
    if settings.tls.enable and settings.tls.key:
        wanted.append((Path(settings.tls.key), 0o007, "600"))
    open_to_others = 0
    for path, bits, mode in wanted:
        try:
            found = stat.S_IMODE(path.stat().st_mode)
        except OSError as error:
            yield Finding(
                "permissions",
                Severity.ERROR,
                f"{path} can't be looked at: {error.strerror}",
                "make it readable for the gateway",
            )
            continue
        if found & bits:
            open_to_others += 1
            yield Finding(
                "permissions", Severity.WARNING, f"others may read {path} (mode {found:04o})", f"chmod {mode} {path}"
            )
    state = settings.state_in_effect
    if state != MEMORY and is_state_file(state):
        folder = next((each for each in Path(state).absolute().parents if each.exists()), Path("/"))
        if not os.access(folder, os.W_OK):
            yield Finding("permissions", Severity.ERROR, f"{folder} can't be written, where `state` is to be", "give it to the gateway's user, or set `state`")  # fmt: skip
    if not open_to_others:
        yield Finding("permissions", None, "nobody else may read what holds secrets")


def chain(tls: Tls) -> Iterator[Finding]:
    """What `validate` doesn't look at: whether clients get from the certificate to an authority."""
    if not tls.enable:
        return
    from cryptography.x509 import load_pem_x509_certificates

    try:
        certificates = load_pem_x509_certificates(Path(tls.cert).read_bytes())
    except (OSError, ValueError):
        return  # `validate` has said so
    for one, following in pairwise(certificates):
        if one.issuer != following.subject:
            yield Finding("tls", Severity.WARNING, "the certificates in `tls.cert` are not in order", "put the server's first, then the one that signed it, and so on")  # fmt: skip
            return
    last = certificates[-1]
    if len(certificates) == 1 and last.issuer != last.subject:
        yield Finding("tls", Severity.WARNING, "`tls.cert` holds no chain: clients that don't know its signer refuse it", "use the file with the chain (certbot's fullchain.pem)")  # fmt: skip
    elif last.issuer == last.subject and len(certificates) == 1:
        yield Finding(
            "tls", Severity.WARNING, "the certificate is signed by itself", "clients must be told to trust it"
        )
    else:
        left = (last.not_valid_after_utc.timestamp() - time.time()) / 86400
        yield Finding("tls", None, f"the chain has {len(certificates)} certificates, its last ends in {left:.0f} days")


def clock(dates: list[tuple[str, float]]) -> Iterator[Finding]:
    """`dates` are what upstreams said, and when that was by our clock."""
    for date, here in dates:
        try:
            ahead = here - parsedate_to_datetime(date).timestamp()
        except ValueError:
            continue
        if abs(ahead) > CLOCK_SECONDS:
            how = "ahead" if ahead > 0 else "behind"
            yield Finding("clock", Severity.ERROR, f"this clock is {abs(ahead):.0f} s {how} of an upstream's", "switch on time synchronisation (timedatectl set-ntp true)")  # fmt: skip
        else:
            yield Finding("clock", None, f"agrees with an upstream's within {max(1.0, abs(ahead)):.0f} s")
        return


def open_files(settings: Settings) -> Iterator[Finding]:
    """A call has a connection on each side."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * settings.limits.connections + FILES_BESIDE
    if soft != resource.RLIM_INFINITY and soft < wanted:
        calls = max(0, (soft - FILES_BESIDE) // 2)
        words = f"the limit of {soft} open files is enough for about {calls} calls at a time; `limits.connections` says {settings.limits.connections}"
        raised = f"LimitNOFILE={wanted} in the unit, or `ulimit -n {wanted}`"
        more = "" if hard == resource.RLIM_INFINITY or hard >= wanted else f" (the hard limit is {hard})"
        yield Finding("open files", Severity.WARNING, words, raised + more)
    else:
        yield Finding("open files", None, f"up to {soft}")


def port(settings: Settings) -> Iterator[Finding]:
    try:
        try_listening(settings.host, settings.port)
    except OSError as error:
        yield _not_bound(settings, error)
    else:
        yield Finding("port", None, f"{settings.port} is free" if settings.port else "any free one")


def _not_bound(settings: Settings, error: OSError) -> Finding:
    match error.errno:
        case errno.EADDRINUSE if _is_ours(settings):
            return Finding("port", None, f"{settings.port} is used by an aiproxy that runs")
        case errno.EADDRINUSE:
            return Finding("port", Severity.ERROR, f"{settings.port} is used by another program", f"stop it (`ss -ltnp 'sport = :{settings.port}'` names it), or set `port`")  # fmt: skip
        case errno.EACCES:
            return Finding("port", Severity.ERROR, f"{settings.port} is not for this user", "set AmbientCapabilities=CAP_NET_BIND_SERVICE, or a port above 1023")  # fmt: skip
    return Finding("port", Severity.ERROR, f"can't listen on {settings.host or 'every address'}: {(error.strerror or 'an unknown name').lower()}", "set `host` to an address of this machine")  # fmt: skip


def _is_ours(settings: Settings) -> bool:
    """Whether what listens there says so, as aiproxy does to anybody."""
    try:
        with closing(socket.create_connection((settings.host or "127.0.0.1", settings.port), 2)) as raw:
            spoken = raw
            if settings.tls.enable:
                context = ssl.create_default_context()
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                spoken = context.wrap_socket(raw)
            spoken.sendall(b"GET /version HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
            heard = b""
            while b"aiproxy" not in heard and len(heard) < 4096 and (more := spoken.recv(4096)):
                heard += more
            return b"aiproxy" in heard
    except OSError:
        return False


def versions() -> Iterator[Finding]:
    missing = []
    for requirement in requires("aiproxy") or []:
        name = match(r"[\w.-]+", requirement)
        if "extra ==" not in requirement and name is not None:
            try:
                version(name[0])
            except PackageNotFoundError:
                missing.append(name[0])
    if missing:
        yield Finding("versions", Severity.ERROR, f"packages are missing: {', '.join(missing)}", "pip install --upgrade aiproxy")  # fmt: skip
    words = f"aiproxy {version('aiproxy')}, Python {sys.version.split()[0]}, Twisted {version('twisted')}, {ssl.OPENSSL_VERSION}"
    yield Finding("versions", None, words)
