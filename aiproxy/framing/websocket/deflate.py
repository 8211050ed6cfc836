"""permessage-deflate (RFC 7692) that stops inflating at a message's limit, and its negotiation on either side."""

import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from wsproto.extensions import PerMessageDeflate
from wsproto.frame_protocol import CloseReason, FrameDecoder, FrameProtocol, Opcode, RsvBits

NAME: Final = "permessage-deflate"

WORTH_DEFLATING: Final = 1024
"""Bytes of a message. Most stream events are smaller: they would gain a hundred bytes and cost a compressor each."""

OFFER: Final = f"{NAME}; client_max_window_bits"
"""What our client asks for."""

_WINDOW = re.compile(r"[0-9]{1,2}")
_FLAGS = ("server_no_context_takeover", "client_no_context_takeover")
_BITS = ("server_max_window_bits", "client_max_window_bits")


class GuardedDeflate(PerMessageDeflate):
    """`most` is bytes of one message, inflated."""

    def __init__(self, most: int, parameters: Mapping[str, str]) -> None:
        """`parameters` are what both sides agreed on."""
        super().__init__(
            client_no_context_takeover="client_no_context_takeover" in parameters,
            client_max_window_bits=int(parameters.get("client_max_window_bits", 15)),
            server_no_context_takeover="server_no_context_takeover" in parameters,
            server_max_window_bits=int(parameters.get("server_max_window_bits", 15)),
        )
        self._enabled = True
        self._most = most
        self._grown = 0

    def frame_inbound_header(
        self, proto: FrameDecoder | FrameProtocol, opcode: Opcode, rsv: RsvBits, payload_length: int
    ) -> CloseReason | RsvBits:
        if not opcode.iscontrol():
            return super().frame_inbound_header(proto, opcode, rsv, payload_length)
        self._inbound_is_compressible = False  # wsproto would forget that the message around it is compressed
        return CloseReason.PROTOCOL_ERROR if rsv.rsv1 else RsvBits(True, False, False)

    def frame_inbound_payload_data(
        self,
        proto: FrameDecoder | FrameProtocol,  # noqa: ARG002 - wsproto's signature
        data: bytes,
    ) -> bytes | CloseReason:
        if not self._inbound_compressed or not self._inbound_is_compressible or self._decompressor is None:
            return data
        try:
            grown = self._decompressor.decompress(data, self._most - self._grown + 1)
        except zlib.error:
            return CloseReason.INVALID_FRAME_PAYLOAD_DATA
        self._grown += len(grown)
        return CloseReason.MESSAGE_TOO_BIG if self._grown > self._most else grown

    def frame_inbound_complete(self, proto: FrameDecoder | FrameProtocol, fin: bool) -> bytes | CloseReason | None:
        if not self._inbound_is_compressible:
            return None
        if fin:
            self._grown = 0
        return super().frame_inbound_complete(proto, fin)

    def frame_outbound(
        self, proto: FrameDecoder | FrameProtocol, opcode: Opcode, rsv: RsvBits, data: bytes, fin: bool
    ) -> tuple[RsvBits, bytes]:
        """We send each message as one frame."""
        if len(data) < WORTH_DEFLATING:
            return rsv, data
        return super().frame_outbound(proto, opcode, rsv, data, fin)


def accepted(offers: Sequence[str], most: int) -> tuple[str, GuardedDeflate] | None:
    """The header values of a client → our answer to the first offer we can take. Neither side keeps its window from one message to
    the next: an idle socket then costs no compressor, which is 300 kB."""
    for offer in _entries(offers):
        name, parameters = _parameters(offer)
        bits = parameters.get("server_max_window_bits") if parameters is not None else None
        if name != NAME or parameters is None or bits == "8" or bits == "":
            continue
        agreed = {"server_no_context_takeover": "", "client_no_context_takeover": ""}
        if bits is not None:
            agreed["server_max_window_bits"] = bits
        told = "; ".join([NAME, *(f"{key}={value}" if value else key for key, value in agreed.items())])
        return told, GuardedDeflate(most, agreed)
    return None


def agreed_by_server(answers: Sequence[str], most: int) -> GuardedDeflate | None:
    """A server's header values → what it accepted of our offer; None for nothing.

    Raises `ValueError` for what was not offered."""
    entries = list(_entries(answers))
    if not entries:
        return None
    name, parameters = _parameters(entries[0])
    if (
        len(entries) > 1
        or name != NAME
        or parameters is None
        or "8" in parameters.values()
        or "" in (parameters.get(bits, "15") for bits in _BITS)
    ):
        raise ValueError("the server chose an extension that was not offered")
    return GuardedDeflate(most, parameters)


def _entries(values: Sequence[str]) -> Iterator[str]:
    return (entry.strip() for value in values for entry in value.split(",") if entry.strip())


def _parameters(entry: str) -> tuple[str, dict[str, str] | None]:
    """An entry's name and parameters; None for ones that RFC 7692 doesn't know, or that are there twice or out of range."""
    name, *rest = (part.strip() for part in entry.split(";"))
    found: dict[str, str] = {}
    for part in rest:
        key, equals, value = part.partition("=")
        key, value = key.strip(), value.strip().strip('"')
        if key in found or key not in (*_FLAGS, *_BITS):
            return name, None
        if key in _FLAGS and equals:
            return name, None
        if key in _BITS and equals and not (_WINDOW.fullmatch(value) and 8 <= int(value) <= 15 and value[0] != "0"):
            return name, None
        found[key] = value
    return name, found
