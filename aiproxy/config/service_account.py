"""What a Google service account's JSON says, and what is wrong with one. Text in, a value or a sentence out.

Source: Google Cloud, service account keys; the wrapped form is CLIProxyAPI's (`type: vertex`)."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiproxy.config.urls import is_private
from aiproxy.secrets import Secret

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

TOKEN_URL = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
"""Where a file says nothing."""


class Unusable(ValueError):
    """The sentence says what is wrong, after "this"; never with what stands there."""


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """`key` is PEM, `key_id` Google's name of it. `location` is what a wrapped file says, else ""."""

    email: str
    project: str
    key: Secret
    key_id: str
    token_url: str
    location: str = ""

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """The lines of the key: a part of one is as secret as the whole."""
        return tuple(Secret(line) for line in self.key.reveal().splitlines()[1:-1])


def read_service_account(text: str) -> ServiceAccount:
    """Raises `Unusable`."""
    try:
        found = json.loads(text)
    except ValueError:
        raise Unusable("is not JSON; a file is named by `{file: PATH}`") from None
    if not isinstance(found, dict):
        raise Unusable("is JSON, but no service account's")
    wrapped = found.get("service_account")
    account = wrapped if isinstance(wrapped, dict) else found
    if account.get("type", "service_account") != "service_account":
        raise Unusable("is a login of another kind: its `type` must be `service_account`")
    if missing := [name for name in ("client_email", "private_key") if not _text(account, name)]:
        raise Unusable(f"has no {' and no '.join(f'`{name}`' for name in missing)}")
    token_url = _text(account, "token_uri") or TOKEN_URL
    if not is_private(token_url):
        raise Unusable("has a `token_uri` that is no https address")
    key = Secret(repaired(account["private_key"]))
    private_key(key)
    return ServiceAccount(
        email=account["client_email"],
        project=_text(account, "project_id") or _text(found, "project_id"),
        key=key,
        key_id=_text(account, "private_key_id"),
        token_url=token_url,
        location=_text(found, "location"),
    )


def private_key(pem: Secret) -> "RSAPrivateKey":
    """PKCS#8 or PKCS#1. Raises `Unusable`."""
    # Imported here: it costs a tenth of the tool's time, and most configurations have no service account.
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem.reveal().encode(), password=None)
    except TypeError:
        raise Unusable("has an encrypted `private_key`; a service can't ask for its password") from None
    except (ValueError, UnsupportedAlgorithm):
        raise Unusable("has a `private_key` that is no PEM private key") from None
    if not isinstance(key, RSAPrivateKey):
        raise Unusable("has a `private_key` that is not RSA; Google takes no other")
    return key


_PEM = re.compile(r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----(.*?)-----END \1-----", re.DOTALL)
_NO_KEY = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|\\[rn]|[^A-Za-z0-9+/=]")
"""Between the marks: a terminal's colours, line breaks that were escaped once too often, and what isn't base64."""


def repaired(text: str) -> str:
    """The PEM in this text with the line breaks that terminals, editors and environment variables take away."""
    found = _PEM.search(text)
    if found is None:
        return text
    body = _NO_KEY.sub("", found[2])
    lines = (body[start : start + 64] for start in range(0, len(body), 64))
    return "\n".join((f"-----BEGIN {found[1]}-----", *lines, f"-----END {found[1]}-----", ""))


def _text(mapping: Mapping[str, Any], name: str) -> str:
    value = mapping.get(name)
    return value if isinstance(value, str) else ""
