"""Whom we trust when we speak TLS: the system's authorities, or those of `SSL_CERT_FILE` and `SSL_CERT_DIR`.

Host names are always verified and TLS 1.2 is the least (Twisted's default)."""

import os
from collections.abc import Mapping

from OpenSSL import SSL
from twisted.internet._sslverify import IOpenSSLTrustRoot
from twisted.internet.ssl import platformTrust
from twisted.web.client import BrowserLikePolicyForHTTPS, HostnameCachingHTTPSPolicy
from twisted.web.iweb import IPolicyForHTTPS
from zope.interface import implementer

CONTEXTS_KEPT = 64
"""Hosts. Each context holds its own copy of the authorities, about 1 MB and 10 ms to load; few users have more upstreams."""


@implementer(IOpenSSLTrustRoot)
class _Authorities:
    """PEM files instead of the system's."""

    def __init__(self, file: str, directory: str) -> None:
        self._file, self._directory = file or None, directory or None

    def _addCACertsToContext(self, context: SSL.Context) -> None:
        context.load_verify_locations(self._file, self._directory)


def tls_policy(environ: Mapping[str, str]) -> IPolicyForHTTPS:
    """Raises `ValueError`, naming the variable, when its certificates can't be read."""
    file, directory = environ.get("SSL_CERT_FILE", ""), environ.get("SSL_CERT_DIR", "")
    if not file and not directory:
        return HostnameCachingHTTPSPolicy(BrowserLikePolicyForHTTPS(platformTrust()), CONTEXTS_KEPT)
    if directory and not any(map(os.path.isdir, directory.split(os.pathsep))):  # OpenSSL would not mind
        raise ValueError(f"SSL_CERT_DIR: {directory} is not a directory")
    authorities = _Authorities(file, directory)
    try:
        authorities._addCACertsToContext(SSL.Context(SSL.TLS_METHOD))  # noqa: SLF001 # our own
    except SSL.Error as error:
        raise ValueError(f"SSL_CERT_FILE: no certificates could be read from {file}") from error
    return HostnameCachingHTTPSPolicy(BrowserLikePolicyForHTTPS(authorities), CONTEXTS_KEPT)
