"""Whether the certificate and key of `tls` can be served, today and in two weeks."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiproxy.config.problems import Finding, Severity
from aiproxy.config.read import reason
from aiproxy.config.schema import Tls

RENEWAL = timedelta(days=14)
"""Public certificates live 90 days and are renewed at 30; one that has 14 left has missed its renewal."""


def certificate_problems(tls: Tls) -> Iterator[Finding]:
    if not tls.enable:
        return
    missing = [f"`{name}`" for name, value in (("cert", tls.cert), ("key", tls.key)) if not value]
    if missing:
        yield Severity.ERROR, "tls-incomplete", f"TLS is enabled without {' and '.join(missing)}", "tls"
        return
    contents = []
    for name, value in (("cert", tls.cert), ("key", tls.key)):
        try:
            contents.append(Path(value).read_bytes())
        except (OSError, ValueError) as error:
            yield Severity.ERROR, "unreadable-file", f"this file can't be read: {reason(error)}", f"tls.{name}"
    if len(contents) == 2:
        yield from _pair(*contents)


def _pair(certificate_pem: bytes, key_pem: bytes) -> Iterator[Finding]:
    # Imported here: it costs a tenth of the tool's time, and most configurations have no certificate.
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
    from cryptography.x509 import load_pem_x509_certificates

    certificate = key = None
    try:
        certificate = load_pem_x509_certificates(certificate_pem)[0]
    except (ValueError, UnsupportedAlgorithm):
        yield Severity.ERROR, "tls-unusable", "this file holds no PEM certificate", "tls.cert"
    try:
        key = load_pem_private_key(key_pem, password=None)
    except TypeError:
        yield Severity.ERROR, "tls-unusable", "this key is encrypted; a service can't ask for its password", "tls.key"
    except (ValueError, UnsupportedAlgorithm):
        yield Severity.ERROR, "tls-unusable", "this file holds no PEM private key", "tls.key"
    if certificate is None:
        return
    if key is not None:
        form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        if certificate.public_key().public_bytes(*form) != key.public_key().public_bytes(*form):
            yield Severity.ERROR, "tls-unusable", "this key does not belong to the certificate", "tls.key"
    now = datetime.now(UTC)
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if end < now:
        yield Severity.ERROR, "tls-expired", f"this certificate ended on {end:%Y-%m-%d}", "tls.cert"
    elif begin > now:
        yield Severity.ERROR, "tls-expired", f"this certificate begins on {begin:%Y-%m-%d}", "tls.cert"
    elif end - now < RENEWAL:
        yield Severity.WARNING, "tls-expiring", f"this certificate ends on {end:%Y-%m-%d}", "tls.cert"
