"""Answers that later requests refer to, for upstreams that keep none: what is kept of one, how a conversation is put in the
place of a reference to it, and what the endpoints tell of it.

Ids of answers that the gateway keeps can be told from an upstream's own: nobody looks for the one in the other's place.

What is kept of a turn has two parts: its items, which each later turn reads, and the rest of the response, compressed, which
only those read who fetch it. That rest repeats the request's tools and instructions, turn for turn."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from aiproxy.codecs.base import Answer
from aiproxy.codecs.codec import Storing
from aiproxy.codecs.json_bytes import dump, load_object
from aiproxy.codecs.openai_responses.items import COMPACTIONS
from aiproxy.codecs.openai_responses.write import spelled_out
from aiproxy.codecs.splice import read_object
from aiproxy.neutral.carried import Json
from aiproxy.neutral.errors import InvalidRequest

KEPT: Final = "resp_aipx_"
"""Begins the id of an answer that the gateway keeps."""

REFERENCE: Final = "previous_response_id"

_SEAM: Final = b"\n"
"""Between the parts of what is kept: compact JSON has no line breaks."""

_LISTED = 20
"""Items of one page of a response's input, as the API has it; at most a hundred."""


@dataclass(frozen=True, slots=True)
class _Turn:
    """The answer that this one continues, the items it was asked with, and its own."""

    previous: str | None
    input: Sequence[Json]
    output: Sequence[Json]


def keep(body: bytes, response: Mapping[str, Json]) -> bytes:
    """What is kept of an answer to the client's request `body`."""
    asked = read_object(body)
    turn = {"previous": _reference(asked), "input": _items(asked.get("input")), "output": response["output"]}
    rest = {key: value for key, value in response.items() if key != "output"}
    return dump(turn) + _SEAM + zlib.compress(dump(rest), zlib.Z_BEST_SPEED)


def _turn(kept: bytes) -> _Turn:
    return _Turn(**load_object(kept.partition(_SEAM)[0]))


def _response(kept: bytes) -> dict[str, Json]:
    turn, _, rest = kept.partition(_SEAM)
    return {**load_object(zlib.decompress(rest)), "output": load_object(turn)["output"]}


def wanted(body: bytes) -> bool:
    """Unless the client says no."""
    return b'"store"' not in body or read_object(body).get("store") is not False


def ours(response_id: str) -> bool:
    return response_id.startswith(KEPT)


def reference(body: bytes) -> str | None:
    """The answer that a request continues, whoever keeps it."""
    if b'"previous_response_id"' not in body:
        return None
    asked = read_object(body)
    found = _reference(asked)
    if found is not None and asked.get("conversation") is not None:
        raise InvalidRequest(
            "`previous_response_id` and `conversation` exclude each other: leave one out.", param=REFERENCE
        )
    return found


def upstreams(body: bytes) -> str | None:
    """The answer of an upstream's own that a request continues."""
    found = reference(body)
    return None if found is None or ours(found) else found


def previous(kept: bytes) -> str | None:
    """The answer that this one continues, as far as its conversation goes on from there: a compaction begins it anew."""
    turn = _turn(kept)
    return None if _compacted(turn) else turn.previous


def continued(body: bytes, turns: Sequence[bytes]) -> bytes:
    """The request with its conversation in place of the reference; `turns` are the kept answers, the first one first. Where
    that one continues an answer which its upstream keeps, so does the request."""
    asked = read_object(body)
    items: list[Json] = []
    for turn in map(_turn, turns):
        items += () if _compacted(turn) else turn.input
        items += turn.output
    said = {key: value for key, value in asked.items() if key != REFERENCE}
    if turns and (before := previous(turns[0])) is not None:
        said[REFERENCE] = before
    return dump({**said, "input": items + _items(asked.get("input"))})


def show(kept: bytes) -> Answer:
    return Answer(200, dump(_response(kept)))


def show_deleted(response_id: str) -> Answer:
    return Answer(200, dump({"id": response_id, "object": "response", "deleted": True}))


def list_input(response_id: str, turns: Sequence[bytes], query: Mapping[str, str]) -> Answer:
    """A page of the items an answer was asked with, those of its conversation before it included. Newest first, as the API
    has it.

    Raises `InvalidRequest` that names the query's parameter."""
    *earlier, last = map(_turn, turns)
    items = [item for turn in earlier for item in (*turn.input, *turn.output)] + [*last.input]
    listed = [_identified(item, response_id, place) for place, item in enumerate(items)]
    if _order(query) == "desc":
        listed.reverse()
    if (after := query.get("after")) is not None:
        places = [place for place, item in enumerate(listed) if item["id"] == after]
        if not places:
            raise InvalidRequest(f"`after`: no input item of this response has the id {after!r}.", param="after")
        listed = listed[places[0] + 1 :]
    limit = _limit(query)
    page = listed[:limit]
    return Answer(
        200,
        dump(
            {
                "object": "list",
                "data": page,
                "first_id": page[0]["id"] if page else None,
                "last_id": page[-1]["id"] if page else None,
                "has_more": len(listed) > limit,
            }
        ),
    )


def _reference(asked: Mapping[str, Any]) -> str | None:
    found = asked.get(REFERENCE)
    return found if isinstance(found, str) and found else None


def _items(found: Json) -> list[Json]:
    if isinstance(found, str):
        return [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": found}]}]
    return list(found) if isinstance(found, list) else []


def _compacted(turn: _Turn) -> bool:
    return any(item.get("type") in COMPACTIONS for item in turn.output)


def _identified(item: Json, response_id: str, place: int) -> dict[str, Json]:
    """Clients turn pages by ids; an item that came without one has one of its place."""
    told = spelled_out(item)
    if not isinstance(told.get("id"), str):
        told["id"] = "item_" + sha256(f"{response_id}.{place}".encode()).hexdigest()[:24]
    return told


def _order(query: Mapping[str, str]) -> str:
    found = query.get("order", "desc")
    if found not in ("asc", "desc"):
        raise InvalidRequest("`order` must be asc or desc.", param="order")
    return found


def _limit(query: Mapping[str, str]) -> int:
    found = query.get("limit", str(_LISTED))
    if not found.isascii() or not found.isdigit() or not 1 <= int(found) <= 100:
        raise InvalidRequest("`limit` must be a number from 1 to 100.", param="limit")
    return int(found)


STORING = Storing(wanted, reference, ours, upstreams, keep, previous, continued)
