"""generateAssistantResponse, as Kiro's back end speaks it: strict about the conversation, frames in binary, thinking by tags.

Source: provider sheet kiro; the service's model in aws/amazon-q-developer-cli for what it validates."""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from aiproxy.framing.event_stream import EventStreamMessage, encode_message
from tests.rig.upstream import Received
from tests.vendors.scenarios import Answer, Failure
from tests.vendors.vendor import Asked, Vendor, dumps, halves

WISH = re.compile(r"<thinking_mode>(?P<mode>enabled|adaptive)</thinking_mode><(\w+)>\w+</\2>\n*")
THOUGHT = re.compile(r"<thinking>(.*?)</thinking>\n\n", re.DOTALL)
NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_-]{0,63}")
FILLERS = ("Continue", "Tool results provided.")


def asked(received: Received) -> Asked:
    assert received.path == "/generateAssistantResponse", received.path
    assert received.headers["authorization"].startswith("Bearer ")
    assert received.headers["user-agent"].startswith("aiproxy/")
    state = received.json["conversationState"]
    assert state["chatTriggerType"] == "MANUAL"
    assert len(state["conversationId"]) == 36
    history = state.get("history", [])
    assert history or "history" not in state, "an empty list"
    current = state["currentMessage"]["userInputMessage"]
    users, models = _alternating([*history, state["currentMessage"]])
    tools = {each["name"]: each["inputSchema"]["json"] for each in _tools(current)}
    _check_calls([*history, state["currentMessage"]], set(tools))
    texts, instructions, thinks = _understood([user["content"] for user in users])
    thoughts = [found for model in models for found in THOUGHT.findall(model["content"])]
    said = [THOUGHT.sub("", model["content"]).strip() for model in models]
    return Asked(
        current["modelId"],
        True,
        texts,
        instructions,
        tools,
        tuple(
            (result["toolUseId"], "".join(piece["text"] for piece in result["content"]))
            for user in users
            for result in user.get("userInputMessageContext", {}).get("toolResults", ())
        ),
        tuple(filter(None, said)),
        tuple(thoughts),
        tuple(base64.b64decode(image["source"]["bytes"]) for user in users for image in user.get("images", ())),
        prompted=thinks,
    )


def _alternating(messages: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The user's messages and the model's. Raises as the service refuses."""
    kinds = ["userInputMessage" if "userInputMessage" in each else "assistantResponseMessage" for each in messages]
    assert kinds == [
        "userInputMessage" if place % 2 == 0 else "assistantResponseMessage" for place in range(len(kinds))
    ]
    users = [each["userInputMessage"] for each in messages if "userInputMessage" in each]
    models = [each["assistantResponseMessage"] for each in messages if "assistantResponseMessage" in each]
    for user in users:
        assert user["origin"] == "AI_EDITOR"
        assert user["modelId"] == users[-1]["modelId"]
    for each in (*users, *models):
        assert each["content"], "Improperly formed request."
    return users, models


def _tools(current: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for tool in current.get("userInputMessageContext", {}).get("tools", ()):
        specified = tool["toolSpecification"]
        assert NAME.fullmatch(specified["name"])
        assert specified["description"]
        yield specified


def _check_calls(messages: list[dict[str, Any]], declared: set[str]) -> None:
    waiting: list[str] = []
    for each in messages:
        if (user := each.get("userInputMessage")) is not None:
            results = [result["toolUseId"] for result in user.get("userInputMessageContext", {}).get("toolResults", ())]
            assert sorted(results) == sorted(waiting), "Improperly formed request."
        else:
            uses = each["assistantResponseMessage"].get("toolUses", [])
            assert {use["name"] for use in uses} <= declared, "Improperly formed request."
            assert all(isinstance(use["input"], dict) for use in uses)
            waiting = [use["toolUseId"] for use in uses]


def _understood(contents: list[str]) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
    """What a model makes of it: the wish to think, instructions before the first blank line, what the user says."""
    first, *rest = contents
    wish = WISH.match(first)
    bare = first[wish.end() :] if wish else first
    instructions, blank, text = bare.partition("\n\n")
    texts = [text if blank else instructions, *rest]
    return (
        tuple(text for text in texts if text not in FILLERS),
        (instructions,) if blank else (),
        wish is not None,
    )


def _frame(event: str, payload: object) -> bytes:
    headers = {":event-type": event, ":content-type": "application/json", ":message-type": "event"}
    return encode_message(EventStreamMessage(dict(headers), dumps(payload)))


def events(_request: Asked, answer: Answer) -> list[bytes]:
    found = [_frame("messageMetadataEvent", {"conversationId": "c", "utteranceId": "u"})]
    if answer.thought:
        pieces = [*answer.thought.pieces, "</thinking>\n\n"]
        found += [_frame("assistantResponseEvent", {"content": "<thinking>"})]
        found += [_frame("assistantResponseEvent", {"content": piece}) for piece in pieces]
    found += [_frame("assistantResponseEvent", {"content": piece}) for piece in answer.pieces]
    for call in answer.calls:
        one, two = halves(json.dumps(call.arguments, ensure_ascii=False))
        named = {"toolUseId": call.id, "name": call.name}
        found += [_frame("toolUseEvent", {**named, "input": piece}) for piece in (one, two)]
        found.append(_frame("toolUseEvent", {**named, "stop": True}))
    counts = answer.counts
    used = {
        "uncachedInputTokens": counts.input - counts.cached,
        "cacheReadInputTokens": counts.cached,
        "outputTokens": counts.output,
    }
    found.append(_frame("meteringEvent", {"unit": "credit", "usage": 0.0273}))
    return [*found, _frame("metadataEvent", {"tokenUsage": used})]


def whole(request: Asked, answer: Answer) -> bytes:
    raise AssertionError(f"answers are always streams: {request} {answer}")


def error(failure: Failure) -> tuple[Mapping[str, str], bytes]:
    headers = {} if failure.retry_after is None else {"retry-after": str(failure.retry_after)}
    return headers, dumps({"message": failure.message, "reason": None})


def broken(message: str) -> bytes:
    headers = {
        ":exception-type": "InternalServerException",
        ":content-type": "application/json",
        ":message-type": "exception",
    }
    return encode_message(EventStreamMessage(dict(headers), dumps({"message": message})))


KIRO = Vendor("kiro", "application/vnd.amazon.eventstream", asked, whole, events, error, broken)
