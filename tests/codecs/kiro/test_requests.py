"""What is asked of Kiro: the conversation under its rules."""

import json
from typing import Any

import pytest

from aiproxy.codecs.codec import Exchange
from aiproxy.codecs.kiro import CODEC
from aiproxy.codecs.kiro.conversation import CONTINUE, LEFT_OUT, MOST_IMAGES, RESULTS, SILENCE
from aiproxy.codecs.kiro.tools import MOST_DESCRIPTION
from aiproxy.codecs.report import Report
from aiproxy.neutral.carried import OpaqueState
from aiproxy.neutral.errors import InvalidRequest, Unsupported
from aiproxy.neutral.media import InlineSource, UrlSource
from aiproxy.neutral.parts import ImagePart, Part, ReasoningPart, TextPart, ToolCallPart, ToolResultPart
from aiproxy.neutral.request import GenerateRequest, ReasoningConfig, SamplingParams, Turn
from aiproxy.neutral.tools import FunctionTool, ToolChoice
from tests.codecs.bench import FOREIGN, SEALER

MODEL = "claude-sonnet-4.5"
LONG = "x" * 65
NAMED = {"modelId": MODEL, "origin": "AI_EDITOR"}
PNG = ImagePart(source=InlineSource("image/png", "iVBOR"))


def state(*turns: Turn, report: Report | None = None, **more: Any) -> dict[str, Any]:
    request = GenerateRequest(MODEL, turns, **more)
    body = CODEC.encode_request(Exchange(request, SEALER, "req", FOREIGN, report=report or Report())).body
    found: dict[str, Any] = json.loads(body)["conversationState"]
    return found


def user(*said: str | Part) -> Turn:
    return Turn("user", tuple(TextPart(each) if isinstance(each, str) else each for each in said))


def model(*said: str | Part) -> Turn:
    return Turn("assistant", tuple(TextPart(each) if isinstance(each, str) else each for each in said))


def system(text: str) -> Turn:
    return Turn("system", (TextPart(text),))


def asked(text: str, **more: Any) -> dict[str, Any]:
    return {"userInputMessage": {"content": text, **NAMED, **more}}


def answered(text: str, **more: Any) -> dict[str, Any]:
    return {"assistantResponseMessage": {"content": text, **more}}


CALL = ToolCallPart("t1", "look", '{"n": 12345678901234567890123}')
USE = {"toolUseId": "t1", "name": "look", "input": {"n": 12345678901234567890123}}
RESULT = ToolResultPart("t1", (TextPart("saw"),))


def gave(text: str, status: str = "success") -> dict[str, Any]:
    return {"toolUseId": "t1", "status": status, "content": [{"text": text}]}


@pytest.mark.parametrize(
    ("turns", "history", "current"),
    [
        ([user("hi")], None, asked("hi")),
        ([system("Be kind."), user("hi")], None, asked("Be kind.\n\nhi")),
        ([system("Be kind."), user("hi"), model("yes"), user("so?")],
         [asked("Be kind.\n\nhi"), answered("yes")], asked("so?")),
        ([system("Be kind."), model("yes"), user("so?")], [asked("Be kind."), answered("yes")], asked("so?")),
        ([model("yes"), user("so?")], [asked(CONTINUE), answered("yes")], asked("so?")),
        ([user("hi"), model("We")], [asked("hi"), answered("We")], asked(CONTINUE)),
        ([user("a"), user("b")], None, asked("ab")),
        ([user("hi"), model("yes"), system("Hurry."), user("so?")],
         [asked("hi"), answered("yes")], asked("<system-reminder>\nHurry.\n</system-reminder>so?")),
        ([user("hi"), model(ReasoningPart(text="hm"), "yes"), user("so?")],
         [asked("hi"), answered("<thinking>hm</thinking>\n\nyes")], asked("so?")),
        ([user("hi"), model(ReasoningPart(text="hm", opaque=(OpaqueState("kiro", "thinking_signature", "s"),)), "yes"), user("so?")],
         [asked("hi"), answered("yes", reasoningContent={"reasoningText": {"text": "hm", "signature": "s"}})], asked("so?")),
        ([system("Be kind.")], None, asked("Be kind.")),
    ],
)  # fmt: skip
def test_conversations(turns: list[Turn], history: list[Any] | None, current: dict[str, Any]) -> None:
    found = state(*turns)
    assert found.get("history") == history
    assert found["currentMessage"] == current


def test_results_follow_their_calls_once_and_tools_are_declared() -> None:
    doubled = Turn(
        "tool", (RESULT, ToolResultPart("t1", (TextPart("again"),)), ToolResultPart("t9", (TextPart("whose?"),)))
    )
    found = state(user("hi"), model(CALL), doubled)
    assert found["history"][1] == answered(SILENCE, toolUses=[USE])
    context = found["currentMessage"]["userInputMessage"]["userInputMessageContext"]
    assert len(context["toolResults"]) == 1
    assert [each["toolSpecification"]["name"] for each in context["tools"]] == ["look"], "the history calls it"
    assert "whose?" in found["currentMessage"]["userInputMessage"]["content"]


def test_a_failed_tool_says_so_and_its_picture_goes_beside_it() -> None:
    result = ToolResultPart("t1", (TextPart("broke"), PNG), is_error=True)
    message = state(user("hi"), model(CALL), Turn("tool", (result,)))["currentMessage"]["userInputMessage"]
    assert message["content"] == RESULTS
    assert message["userInputMessageContext"]["toolResults"] == [gave("broke", "error")]
    assert message["images"] == [{"format": "png", "source": {"bytes": "iVBOR"}}]


def test_a_call_that_nobody_answered_gets_a_result() -> None:
    found = state(user("hi"), model(CALL), user("never mind"))
    message = found["currentMessage"]["userInputMessage"]
    assert message["content"] == "never mind"
    assert message["userInputMessageContext"]["toolResults"][0]["status"] == "error"


def test_images_the_latest_stay() -> None:
    report = Report()
    found = state(user("old", PNG), model("ok"), user("new", *[PNG] * MOST_IMAGES), report=report)
    assert len(found["currentMessage"]["userInputMessage"]["images"]) == MOST_IMAGES
    assert found["history"][0] == asked(f"old{LEFT_OUT}")
    assert report.warnings == ("drop:part.image.inline",)


@pytest.mark.parametrize("source", [UrlSource("https://a/b.png"), InlineSource("image/tiff", "x")])
def test_images_that_it_cannot_take(source: Any) -> None:
    with pytest.raises(Unsupported):
        state(user("see", ImagePart(source=source)))


def test_tools() -> None:
    report = Report()
    tools = (
        FunctionTool(LONG, "é" * MOST_DESCRIPTION, {"type": "object", "properties": {"a": {"type": "string"}}}),
        FunctionTool("bare"),
    )
    found = state(user("hi"), tools=tools, report=report)
    first, second = (
        each["toolSpecification"]
        for each in found["currentMessage"]["userInputMessage"]["userInputMessageContext"]["tools"]
    )
    assert len(first["name"]) == 64
    assert len(first["description"].encode()) <= MOST_DESCRIPTION
    assert first["inputSchema"]["json"]["properties"] == {"a": {"type": "string"}}
    assert second == {
        "name": "bare",
        "description": "bare",
        "inputSchema": {"json": {"type": "object", "properties": {}}},
    }
    assert report.warnings == ("clamp:tool.function",)


@pytest.mark.parametrize(
    ("mode", "names", "sent"), [("none", (), []), ("named", ("b",), ["b"]), ("required", (), ["a", "b"])]
)
def test_choices_are_made_by_what_is_offered(mode: Any, names: tuple[str, ...], sent: list[str]) -> None:
    tools = (FunctionTool("a"), FunctionTool("b"))
    found = state(user("hi"), tools=tools, tool_choice=ToolChoice(mode, names=names))
    context = found["currentMessage"]["userInputMessage"].get("userInputMessageContext", {})
    assert [each["toolSpecification"]["name"] for each in context.get("tools", [])] == sent


def test_thinking_stands_before_the_instructions_unless_they_ask_themselves() -> None:
    thinks = ReasoningConfig("manual", budget_tokens=2000)
    wish = "<thinking_mode>enabled</thinking_mode><max_thinking_length>2000</max_thinking_length>"
    assert state(system("Be kind."), user("hi"), reasoning=thinks)["currentMessage"] == asked(f"{wish}\nBe kind.\n\nhi")
    assert state(user("hi"), reasoning=thinks)["currentMessage"] == asked(f"{wish}\n\nhi")
    own = "<thinking_mode>interleaved</thinking_mode>"
    assert state(system(own), user("hi"), reasoning=thinks)["currentMessage"] == asked(f"{own}\n\nhi")


def test_what_there_is_no_word_for_is_told() -> None:
    report = Report()
    state(user("hi"), sampling=SamplingParams(temperature=0.5, max_output_tokens=5, stop=("x",)), report=report)
    assert set(report.warnings) == {
        "drop:sampling.temperature",
        "drop:sampling.max_output_tokens",
        "emulate:sampling.stop",
    }


def test_a_request_that_says_nothing_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        state()


def test_a_conversation_has_an_id_of_its_own() -> None:
    request = GenerateRequest(MODEL, (user("hi"),))
    bodies = {CODEC.encode_request(Exchange(request, SEALER, "req", seed=seed)).body for seed in ("1", "1", "2")}
    assert len(bodies) == 2
