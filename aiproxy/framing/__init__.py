"""Bytes ↔ frames, incremental and pure: any split of the bytes gives the same frames. What a frame means is a codec's affair.

Every framer has the shape of `Framer`; every framing is a module of its own. A framer that raised is done for."""

from aiproxy.framing.frames import MAX_FRAME_BYTES, Frame, Framer

__all__ = ["MAX_FRAME_BYTES", "Frame", "Framer"]
