"""Compressed request bodies: read as they were meant, bounded by what they hold, refused by name where nobody reads them."""

import gzip
import zlib

import pytest

from tests.web.serving import Service, edge, request

SAID = b'{"model": "m"}' * 100


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(SAID, mtime=0)),
        ("X-GZip", gzip.compress(SAID, mtime=0)),
        ("deflate", zlib.compress(SAID)),
        ("identity", SAID),
    ],
)
@edge
async def test_a_compressed_body_is_read_in_any_pieces(encoding: str, body: bytes) -> None:
    async with Service() as service:
        client = await service.connect()
        asked = request("POST", "/", body, content_encoding=encoding)
        assert (await client.ask(asked)).body == b"/ " + SAID
        client.send(*(asked[place : place + 7] for place in range(0, len(asked), 7)))
        assert (await client.answer()).body == b"/ " + SAID


@edge
async def test_an_encoding_that_nobody_reads_is_415_before_the_body() -> None:
    async with Service() as service:
        for encoding in ("zstd", "br", "gzip, gzip"):
            client = await service.connect()
            head = request("POST", "/p", content_encoding=encoding, expect="100-continue", transfer_encoding="chunked")
            answer = await client.ask(head)
            assert (answer.status, answer.headers["accept-encoding"]) == (415, "gzip, deflate")
            assert repr(encoding) in answer.error["error"]
        assert service.echo.requests == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (SAID, "damaged"),
        (gzip.compress(SAID, mtime=0)[:-5], "too early"),
        (gzip.compress(SAID, mtime=0) + b"more", "behind its end"),
    ],
)
@edge
async def test_what_is_not_what_it_says_is_400(body: bytes, words: str) -> None:
    async with Service() as service:
        answer = await (await service.connect()).ask(request("POST", "/p", body, content_encoding="gzip"))
        assert (answer.status, answer.error["path"]) == (400, "/p")
        assert words in answer.error["error"]


@edge
async def test_a_bomb_is_413_by_what_it_holds() -> None:
    async with Service(request_body_mb=1) as service:
        client = await service.connect()
        at_most, more = (gzip.compress(bytes(1048576 + extra)) for extra in (0, 1))
        assert (await client.ask(request("POST", "/p", at_most, content_encoding="gzip"))).status == 200
        answer = await client.ask(request("POST", "/p", more, content_encoding="gzip"))
        assert (answer.status, answer.error["kind"]) == (413, "too_large")


@edge
async def test_no_body_needs_no_unpacking() -> None:
    async with Service() as service:
        assert (await (await service.connect()).ask(request("GET", "/p", content_encoding="gzip"))).status == 200
