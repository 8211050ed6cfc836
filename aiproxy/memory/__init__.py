"""What the gateway remembers for its clients between calls: bytes by tenant and key, within limits.

What the bytes mean is their codec's affair, when they are asked for the gateway's."""

from aiproxy.memory.bounded import BoundedMemory, Limits
from aiproxy.memory.memory import Memory

__all__ = ["BoundedMemory", "Limits", "Memory"]
