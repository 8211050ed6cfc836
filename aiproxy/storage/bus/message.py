"""One message and its bytes. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

LARGEST_MESSAGE = 7000
"""Bytes, of what is told to everybody. PostgreSQL carries just under 8000 in a notification."""

WireKey = tuple[str, str]
"""Topic and key: of two messages with the same, only the later one matters."""


class Topic(StrEnum):
    COOLDOWN = "cooldown"
    TOKEN = "token"  # noqa: S105 - a topic
    COUNTER = "counter"
    KEYS = "keys"
    CONFIGURATION = "configuration"
    LOCKOUT = "lockout"
    WATCHING = "watching"
    EVENTS = "events"
    QUESTION = "question"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True)
class Message:
    """What is so now, of `key` (an account, a client, …): never what has changed by how much, so that one that is lost or
    heard twice does no harm once the next is heard.

    `at` orders the messages of one key, whoever sent them: seconds since the epoch by the sender's clock, but later than
    everything the sender had heard before. `origin` is the sender."""

    topic: Topic
    key: str
    body: Mapping[str, Any]
    at: float
    origin: str

    @property
    def wire_key(self) -> WireKey:
        return self.topic.value, self.key

    @property
    def order(self) -> tuple[float, str]:
        return self.at, self.origin


def encode(message: Message, most: int = LARGEST_MESSAGE) -> bytes:
    """Raises `ValueError` for one that is too large to be carried."""
    data = orjson.dumps([message.topic.value, message.key, message.at, message.origin, dict(message.body)])
    if len(data) > most:
        raise ValueError(f"a message of {len(data)} bytes; {most} can be carried")
    return data


def decode(data: bytes) -> Message | None:
    """None for what is no message: of another version, or of another program on the same channel."""
    try:
        topic, key, at, origin, body = orjson.loads(data)
        if isinstance(key, str) and isinstance(at, float) and isinstance(origin, str) and isinstance(body, dict):
            return Message(Topic(topic), key, body, at, origin)
    except (ValueError, TypeError):
        pass
    return None
