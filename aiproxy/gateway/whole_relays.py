"""Answers in one piece: relayed, collected from a stream and translated, or made from the upstream's whole body."""

from collections.abc import Callable

from aiproxy.codecs.base import Answer
from aiproxy.gateway.lanes import Source, check_answer_size
from aiproxy.gateway.relay import LINGER_SECONDS, Relay, Setting
from aiproxy.neutral.collect import Collector
from aiproxy.neutral.errors import GatewayError, UpstreamFailed, UpstreamTruncated
from aiproxy.neutral.events import UsageUpdated
from aiproxy.neutral.response import GenerateResponse
from aiproxy.neutral.usage import Usage

WHOLE_BYTES = 1 << 20
"""Most bytes of a relayed answer that isn't a stream that are held back until it is complete."""


class WholeRelay(Relay):
    """The relay lane of an answer in one piece. Past the limit it flows through, and a cut can only be told by cutting;
    one that is to be changed (`rename`) is held until it is complete."""

    def __init__(self, setting: Setting, rename: Callable[[bytes], bytes] | None = None) -> None:
        super().__init__(setting)
        self._rename = rename
        self._held: list[bytes] = []
        self._size = 0
        self._usage: Usage | None = None

    @property
    def usage(self) -> Usage | None:
        return self._usage

    def received(self, data: bytes) -> None:
        if self.committed:
            self._setting.sink.write(data)
            return
        self._held.append(data)
        self._size += len(data)
        if self._rename is not None:
            check_answer_size(self._size)
        elif self._size > WHOLE_BYTES:
            self.commit({})
            self._setting.sink.write(b"".join(self._held))
            self._held.clear()

    def closed(self, *, clean: bool) -> None:
        if not clean:
            raise UpstreamTruncated("The upstream's answer broke off before its end.")
        if not self.committed:
            body = b"".join(self._held)
            self._usage = self._setting.call.wire.observe(body).usage
            if self._rename is not None:
                body = self._rename(body)
            self.commit({"content-length": str(len(body))})
            self._setting.sink.write(body)
        self.finish()

    def tell(self, error: GatewayError) -> None:  # noqa: ARG002 - a JSON body has no place for an error
        self._setting.sink.abort()


class CollectRelay(Relay):
    """The translate lane of a client that wants its answer in one piece: events are collected and written at once."""

    def __init__(self, setting: Setting, source: Source, encode: Callable[[GenerateResponse], Answer]) -> None:
        super().__init__(setting)
        self._source = source
        self._encode = encode
        self._collector = Collector()
        self._usage: Usage | None = None

    @property
    def usage(self) -> Usage | None:
        return self._usage

    def received(self, data: bytes) -> None:
        for event in self._source.feed(data):
            if isinstance(event, UsageUpdated):
                self._usage = event.usage
            self._collector.feed(event)
        if self._source.ended:
            self._close(clean=False)
            self._abort()
        elif self._collector.complete:
            self.wait_at_most(LINGER_SECONDS)

    def closed(self, *, clean: bool) -> None:
        if not self._collector.complete:
            for event in self._source.close(clean=clean):
                self._collector.feed(event)
        response = self._collector.response
        self._usage = response.usage or self._usage
        self.answer(self._encode(response))

    def stalled(self) -> None:
        if self._collector.complete:
            self._close(clean=False)
            self._abort()
        else:
            super().stalled()

    def tell(self, error: GatewayError) -> None:  # noqa: ARG002 - nothing is committed before the whole is there
        self._setting.sink.abort()


class AnswerRelay(Relay):
    """An answer that is made from the upstream's whole body of at most `limit` bytes: a token count, embeddings."""

    def __init__(self, setting: Setting, render: Callable[[bytes], tuple[Answer, Usage | None]], limit: int) -> None:
        super().__init__(setting)
        self._render = render
        self._limit = limit
        self._body = bytearray()
        self._usage: Usage | None = None

    @property
    def usage(self) -> Usage | None:
        return self._usage

    def received(self, data: bytes) -> None:
        self._body += data
        if len(self._body) > self._limit:
            raise UpstreamFailed("The upstream's answer is too large for what was asked.")

    def closed(self, *, clean: bool) -> None:
        if not clean:
            raise UpstreamTruncated("The upstream's answer broke off before its end.")
        answer, self._usage = self._render(bytes(self._body))
        self.answer(answer)

    def tell(self, error: GatewayError) -> None:  # noqa: ARG002 - nothing is committed before the whole is there
        self._setting.sink.abort()
