"""Libraries' errors in our words."""

import errno
import re

import pytest
from OpenSSL import SSL
from twisted.internet import error as net
from twisted.internet.defer import CancelledError

from aiproxy.transports.connection import NotHttp
from aiproxy.transports.failures import why
from aiproxy.transports.handshakes import ProxyRefused

WORDS = [
    (net.DNSLookupError("hunter2"), "can't be resolved"),
    (net.ConnectionRefusedError(errno.ECONNREFUSED, "hunter2"), "connection refused"),
    (net.NoRouteError(errno.ENETUNREACH, "hunter2"), "the system said: Network is unreachable"),
    (net.TCPTimedOutError(errno.ETIMEDOUT, "hunter2"), "the system said: Connection timed out"),
    (net.ConnectError(string="hunter2"), "the system said: no connection"),
    (OSError(errno.EMFILE, "Too many open files"), "the system said: Too many open files"),
    (net.ConnectionLost("hunter2"), "it closed the connection"),
    (ProxyRefused("407, no"), "407, no"),
    (SSL.Error([("SSL routines", "", "certificate verify failed")]), "SSL_CERT_FILE"),
    (SSL.Error([("SSL routines", "", "wrong version number")]), "http://"),
    (SSL.Error([("SSL routines", "", "unsupported protocol")]), r"failed \(unsupported protocol\)"),
    (SSL.Error(), r"failed \(the connection broke\)"),
    (UnicodeError("hunter2"), "host name is impossible"),
    (NotHttp("hunter2"), "not sound HTTP"),
    (CancelledError(), "CancelledError"),
]


@pytest.mark.parametrize(("error", "words"), WORDS)
def test_words(error: Exception, words: str) -> None:
    assert re.search(words, why(error))
    assert "hunter2" not in why(error)
