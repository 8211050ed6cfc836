"""Our own side of TLS: the certificate we serve with, read again when its files change."""

import os
from collections.abc import Callable

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificates
from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator, IReactorTime
from twisted.internet.ssl import CertificateOptions, TLSVersion
from twisted.protocols.tls import TLSMemoryBIOProtocol
from zope.interface import implementer

CHECK_SECONDS = 2.0
"""At most this often a new connection looks whether the files changed: a renewal is served within seconds, and a flood of
connections costs no more than two `stat` calls in that time."""

_Signature = tuple[tuple[int, int, int], ...]


class BadCertificate(ValueError):
    """The files can't be served with; the message names them and says why."""


@implementer(IOpenSSLServerConnectionCreator)
class ServerTls:
    """TLS 1.2 and newer with Twisted's choice of ciphers. Which protocols ALPN offers is the factory's
    `acceptableProtocols`. Established connections keep the certificate they began with.

    A pair that can't be read or doesn't match leaves the old one in service and is told to `warn`, once a change."""

    def __init__(self, cert_path: str, key_path: str, clock: IReactorTime, warn: Callable[[str], None]) -> None:
        """Raises `BadCertificate`."""
        self._paths = (cert_path, key_path)
        self._clock = clock
        self._warn = warn
        self._tried = self._signature()
        self._context = _load(cert_path, key_path)
        self._looked = clock.seconds()

    def serverConnectionForTLS(self, _: TLSMemoryBIOProtocol) -> SSL.Connection:
        if self._clock.seconds() - self._looked >= CHECK_SECONDS:
            self._looked = self._clock.seconds()
            if self._signature() != self._tried:
                self.reload()
        return SSL.Connection(self._context, None)

    def reload(self) -> None:
        """Read the files now, changed or not."""
        self._tried = self._signature()
        try:
            self._context = _load(*self._paths)
        except BadCertificate as error:
            self._warn(f"{error} Still serving the previous certificate.")

    def _signature(self) -> _Signature:
        """Taken before reading, so that a write in between is seen next time. Empty for what can't be looked at."""
        found = []
        for path in self._paths:
            try:
                stat = os.stat(path)
            except OSError:
                continue
            found.append((stat.st_ino, stat.st_mtime_ns, stat.st_size))
        return tuple(found)


def _load(cert_path: str, key_path: str) -> SSL.Context:
    try:
        chain = load_pem_x509_certificates(_read(cert_path))
    except ValueError as error:
        raise BadCertificate(f"{cert_path}: holds no PEM certificate that can be read.") from error
    try:
        key = load_pem_private_key(_read(key_path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:  # TypeError: it wants a passphrase
        raise BadCertificate(f"{key_path}: holds no PEM private key that can be read without a passphrase.") from error
    context = CertificateOptions(raiseMinimumTo=TLSVersion.TLSv1_2).getContext()
    context.use_certificate(chain[0])
    for certificate in chain[1:]:
        context.add_extra_chain_cert(certificate)
    try:
        context.use_privatekey(key)  # type: ignore[arg-type] # kinds it doesn't know raise TypeError
        context.check_privatekey()
    except (SSL.Error, TypeError) as error:
        raise BadCertificate(f"{key_path} is not the key of the certificate in {cert_path}.") from error
    return context


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise BadCertificate(f"{path}: {error.strerror}.") from error
