"""What libraries' errors mean, in words for the user. Never an error's own text, which may quote headers or URLs."""

import os

from OpenSSL import SSL
from service_identity import VerificationError
from twisted.internet import error as net
from twisted.internet.defer import CancelledError

from aiproxy.transports.connection import NotHttp
from aiproxy.transports.handshakes import ProxyRefused

CONNECT_ERRORS = (
    net.ConnectError,
    net.ConnectionClosed,
    net.ConnectingCancelledError,
    CancelledError,
    OSError,
    SSL.Error,
    ValueError,
    VerificationError,
    ProxyRefused,
)
"""What connecting can raise. `ValueError` is a host name that can't be one; DNS errors are `OSError`s."""


def why(error: BaseException) -> str:
    """The end of a sentence, without its full stop."""
    match error:
        case ProxyRefused():
            return str(error)
        case net.DNSLookupError():
            return "its name can't be resolved; check it, or the DNS"
        case net.ConnectionRefusedError():
            return "connection refused; check that it runs there"
        case net.ConnectError():
            return f"the system said: {os.strerror(error.osError) if error.osError else 'no connection'}"
        case VerificationError():
            return "its TLS certificate is for another name; check the host"
        case SSL.Error():
            return _tls(error)
        case net.ConnectionClosed():
            return "it closed the connection"
        case OSError():
            return f"the system said: {error.strerror or 'no connection'}"
        case NotHttp():
            return "its answer is not sound HTTP; check that an HTTP server is there"
        case ValueError():
            return "its host name is impossible; check it"
        case _:
            return type(error).__name__


def _tls(error: SSL.Error) -> str:
    words = (
        " ".join(str(entry[-1]) for entry in error.args[0]) if error.args and isinstance(error.args[0], list) else ""
    )
    if "certificate verify failed" in words:
        return "its TLS certificate is not trusted; set SSL_CERT_FILE if it has an authority of its own"
    if "wrong version number" in words or "record layer failure" in words:
        return "it does not speak TLS there; perhaps the address wants http://"
    return f"the handshake failed ({words or 'the connection broke'})"
