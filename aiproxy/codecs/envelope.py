"""Opaque state of one vendor in a slot of another's protocol: signed, so that only what we sealed comes back in.

`aipx1.<base64url JSON>.<32 hex of HMAC-SHA256>`. The MAC covers the tenant too: one tenant's state is foreign to another."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import get_args

from aiproxy.neutral.carried import Json, OpaqueKind, OpaqueState
from aiproxy.secrets import Secret

PREFIX = "aipx1."

_MARKS = (PREFIX.encode(), base64.b64encode(PREFIX.encode()).rstrip(b"="))
"""How an envelope begins, plain or in a slot that must be base64."""

MAC_HEX = 32
"""Hex digits of the MAC kept: 128 bits, the least that is taken as unforgeable."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """`calls` holds signatures by the index of the tool call they belong to (Gemini), `text` what the state stands for
    where the vendor wants it back in clear (a reasoning text, a compaction's summary)."""

    state: OpaqueState
    calls: tuple[tuple[int, str], ...] = ()
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Sealer:
    """Seals and opens for one tenant."""

    key: Secret
    tenant: str = ""

    def seal(self, envelope: Envelope) -> str:
        state = envelope.state
        content: dict[str, Json] = {"v": 1, "vendor": state.vendor, "kind": state.kind, "data": state.data}
        optional = {"model": state.model, "route": state.scope, "item_id": state.item_id, "text": envelope.text}
        content |= {key: value for key, value in optional.items() if value is not None}
        if envelope.calls:
            content["calls"] = [{"i": index, "sig": signature} for index, signature in envelope.calls]
        packed = json.dumps(content, separators=(",", ":")).encode()
        body = base64.urlsafe_b64encode(packed).decode().rstrip("=")
        return f"{PREFIX}{body}.{self._mac(body)}"

    def open(self, text: str) -> Envelope | None:
        """None: not ours, another tenant's, or tampered with. `is_envelope` tells these from a vendor's native value."""
        body, dot, mac = text.removeprefix(PREFIX).rpartition(".")
        if not (
            is_envelope(text)
            and dot
            and hmac.compare_digest(mac.encode("utf-8", "surrogatepass"), self._mac(body).encode())
        ):
            return None
        content = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        kind: OpaqueKind = content["kind"]
        if content["v"] != 1 or kind not in get_args(OpaqueKind):
            return None
        state = OpaqueState(
            content["vendor"], kind, content["data"], content.get("item_id"), content.get("model"), content.get("route")
        )
        calls = tuple((call["i"], call["sig"]) for call in content.get("calls", ()))
        return Envelope(state, calls, content.get("text"))

    def _mac(self, body: str) -> str:
        tenant = self.tenant.encode()
        message = len(tenant).to_bytes(4, "big") + tenant + body.encode("utf-8", "surrogatepass")
        return hmac.new(self.key.reveal().encode(), message, hashlib.sha256).hexdigest()[:MAC_HEX]


def may_hold_envelope(body: bytes) -> bool:
    return any(mark in body for mark in _MARKS)


def is_envelope(text: str) -> bool:
    """Whether a slot's value claims to be ours. Anything else is native to the protocol the slot belongs to."""
    return text.startswith(PREFIX)


def in_base64(sealed: str) -> str:
    """For slots that must be standard base64 of bytes (Gemini's `thoughtSignature`)."""
    return base64.b64encode(sealed.encode()).decode()


def from_base64(slot: str) -> str:
    """The text inside such a slot where it is an envelope of ours, else the slot's own value."""
    try:
        inner = base64.b64decode(slot, validate=True).decode("ascii")
    except ValueError:
        return slot
    return inner if is_envelope(inner) else slot
