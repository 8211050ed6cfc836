"""Rules on `tracing`: an address that can be posted to, headers that are some, and the package that encodes."""

import re
from collections.abc import Iterator
from importlib.util import find_spec
from urllib.parse import urlsplit

from aiproxy.config.problems import Finding, Severity
from aiproxy.config.schema import TracingSettings

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


def tracing_problems(settings: TracingSettings) -> Iterator[Finding]:
    if settings.otlp_endpoint:
        if not _is_address(settings.otlp_endpoint):
            message = "is not a collector's address: `http://HOST:PORT` or `https://…`, a login under `headers`"
            yield Severity.ERROR, "bad-tracing", message, "tracing.otlp-endpoint"
        elif find_spec("opentelemetry") is None or find_spec("opentelemetry.proto") is None:
            message = "tracing needs an extra: `pip install 'aiproxy[otel]'`"
            yield Severity.ERROR, "bad-tracing", message, "tracing.otlp-endpoint"
    for name, secret in settings.headers.items():
        value = secret.reveal()
        if not _NAME.fullmatch(name) or not value.isprintable() or not value.isascii():
            message = "is no header: a name, and a value of printable ASCII"
            yield Severity.ERROR, "bad-tracing", message, f"tracing.headers.{name}"


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        login = parts.username is not None
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and not login
    except ValueError:
        return False
