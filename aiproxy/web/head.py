"""The head of an HTTP/1 request, read strictly: what two readers could take for two different requests is refused.

Pure. The rules are those of RFC 9112, in the stricter reading wherever it leaves a choice: a proxy in front of us may have
read the same bytes in the other one (request smuggling). Messages never repeat a header, which may hold a key.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from aiproxy.neutral.errors import ExpectationFailed, HeadersTooLarge, InvalidRequest, VersionNotSupported

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_REQUEST_LINE = re.compile(rb"(%s) ([\x21-\x7e]+) HTTP/([0-9]\.[0-9])" % _TOKEN)
_ABSOLUTE = re.compile(rb"https?://[^/?#]+", re.IGNORECASE)
_HEADER = re.compile(rb"(%s):[ \t]*+([^\x00-\x08\x0a-\x1f\x7f]*+)" % _TOKEN)
"""Possessive: 60,000 blanks before a forbidden byte would else cost seconds."""

_HOST = re.compile(rb"[A-Za-z0-9\-._~%!$&'()*+,;=:\[\]]*")
_LENGTH = re.compile(rb"[0-9]{1,20}")
"""Twenty digits hold every 64-bit number; int() of a million digits would take seconds."""

_DECIDING = frozenset((b"host", b"content-length", b"transfer-encoding", b"expect", b"connection"))


@dataclass(frozen=True, slots=True)
class RequestLine:
    """`target` is `/PATH[?QUERY]`, or `*`."""

    method: bytes
    target: bytes
    version: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """`length` is bytes of the body, None while unknown (chunked). Names of headers are in lower case."""

    headers: Sequence[tuple[bytes, bytes]] = field(repr=False)
    length: int | None
    keep_alive: bool
    expects_continue: bool


def read_request_line(line: bytes) -> RequestLine:
    found = _REQUEST_LINE.fullmatch(line)
    if found is None:
        raise InvalidRequest("The request line is malformed; it must be 'METHOD /path HTTP/1.1'.")
    method, target, version = found.groups()
    if version not in (b"1.1", b"1.0"):
        raise VersionNotSupported("This HTTP version is not spoken here; use HTTP/1.1, or HTTP/2 over TLS.")
    return RequestLine(method, read_target(method, target), b"HTTP/" + version)


def read_target(method: bytes, target: bytes) -> bytes:
    """The absolute form, which proxies send, loses its authority."""
    if target.startswith(b"/") or (target == b"*" and method == b"OPTIONS"):
        return target
    absolute = _ABSOLUTE.match(target)
    if absolute is None:
        raise InvalidRequest("The request's path must begin with '/'.")
    rest = target[absolute.end() :]
    return rest if rest.startswith(b"/") else b"/" + rest


def read_head(version: bytes, lines: Sequence[bytes], most: int) -> Head:
    """`lines` are the header lines without their ends; `most` is how many there may be."""
    if len(lines) > most:
        raise too_many_headers(most)
    headers = []
    deciding: dict[bytes, list[bytes]] = {}
    for number, line in enumerate(lines, 1):
        found = _HEADER.fullmatch(line)
        if found is None:
            raise InvalidRequest(
                f"Header line {number} is malformed; it must be 'name: value' on one line,"
                " without a blank before the colon or control characters."
            )
        name, value = found[1].lower(), found[2].rstrip(b" \t")
        headers.append((name, value))
        if name in _DECIDING:
            deciding.setdefault(name, []).append(value)
    current = version == b"HTTP/1.1"
    _check_host(deciding.get(b"host", []), required=current)
    return Head(
        headers=headers,
        length=_body_length(deciding, chunking=current),
        keep_alive=current and b"close" not in _tokens(deciding.get(b"connection", [])),
        expects_continue=current and expects_continue(deciding.get(b"expect", [])),
    )


def expects_continue(values: Sequence[bytes]) -> bool:
    if not values:
        return False
    if len(values) > 1 or values[0].lower() != b"100-continue":
        raise ExpectationFailed("The only expectation met here is 'Expect: 100-continue'; leave the header out.")
    return True


def too_many_headers(most: int) -> HeadersTooLarge:
    return HeadersTooLarge(f"The request has more than {most} headers (limits.header-count); send fewer.")


def head_too_large(most: int) -> HeadersTooLarge:
    return HeadersTooLarge(
        f"The request's headers exceed {most} bytes (limits.header-bytes); send fewer or shorter ones."
    )


def _check_host(values: Sequence[bytes], *, required: bool) -> None:
    if len(values) > 1 or (required and not values):
        raise InvalidRequest("A request must have exactly one Host header.")
    if values and not _HOST.fullmatch(values[0]):
        raise InvalidRequest("The Host header must be HOST[:PORT].")


def _body_length(deciding: dict[bytes, list[bytes]], *, chunking: bool) -> int | None:
    codings, lengths = deciding.get(b"transfer-encoding", []), deciding.get(b"content-length", [])
    if codings:
        if not chunking:
            raise InvalidRequest("HTTP/1.0 has no Transfer-Encoding; send a Content-Length.")
        if lengths:
            raise InvalidRequest("A request must not have both Content-Length and Transfer-Encoding; send one of them.")
        if len(codings) > 1 or codings[0].lower() != b"chunked":
            raise InvalidRequest("The only Transfer-Encoding understood is 'chunked'.")
        return None
    if not lengths:
        return 0
    if len(lengths) > 1 or not _LENGTH.fullmatch(lengths[0]):
        raise InvalidRequest("A request must have one Content-Length, a plain number of bytes.")
    return int(lengths[0])


def _tokens(values: Sequence[bytes]) -> set[bytes]:
    return {token.strip(b" \t").lower() for value in values for token in value.split(b",")}
