"""Amazon's request signature, version 4: one pure function. Source: AWS IAM user guide, "Create a signed AWS API request"."""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from urllib.parse import quote

from aiproxy.secrets import Secret

_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class AwsKey:
    id: str
    secret: Secret
    session_token: Secret | None = None


def signed(
    method: str,
    host: str,
    path: str,
    query: Sequence[tuple[str, str]],
    headers: Mapping[str, str],
    body: bytes,
    *,
    key: AwsKey,
    region: str,
    service: str,
    now: datetime,
) -> Mapping[str, str]:
    """The headers to send with the request, `host` and those given included. `path` is decoded; `now` is in UTC.

    For S3 the path is encoded once; other services want `path` encoded already."""
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    digest = sha256(body).hexdigest()
    sent = {name.lower(): " ".join(value.split()) for name, value in headers.items()}
    sent |= {"host": host, "x-amz-date": stamp}
    if service == "s3":
        sent["x-amz-content-sha256"] = digest
    if key.session_token:
        sent["x-amz-security-token"] = key.session_token.reveal()
    names = sorted(sent)
    canonical = "\n".join(
        (
            method,
            encoded_path(path),
            encoded_query(query),
            *(f"{name}:{sent[name]}" for name in names),
            "",
            ";".join(names),
            digest,
        )
    )
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    to_sign = "\n".join((_ALGORITHM, stamp, scope, sha256(canonical.encode()).hexdigest()))
    derived = f"AWS4{key.secret.reveal()}".encode()
    for part in scope.split("/"):
        derived = hmac.digest(derived, part.encode(), "sha256")
    signature = hmac.digest(derived, to_sign.encode(), "sha256").hex()
    credential = f"{_ALGORITHM} Credential={key.id}/{scope}"
    sent["authorization"] = f"{credential}, SignedHeaders={';'.join(names)}, Signature={signature}"
    return sent


def encoded_path(path: str) -> str:
    return quote(path, safe="/-_.~")


def encoded_query(query: Sequence[tuple[str, str]]) -> str:
    """Sorted, as it is signed; sent so too."""
    return "&".join(f"{name}={value}" for name, value in sorted((_quoted(n), _quoted(v)) for n, v in query))


def _quoted(text: str) -> str:
    return quote(text, safe="-_.~")
