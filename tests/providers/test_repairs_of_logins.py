"""What each back end of logins makes of a body: a table, each row applied once and then to what it gave."""

import copy
from typing import Any

import pytest

from aiproxy.providers import antigravity_repairs as antigravity
from aiproxy.providers import codex_repairs as codex
from aiproxy.providers import iflow, kimi_repairs, qwen
from aiproxy.providers.base import Repair
from aiproxy.providers.code_assist_repairs import join_turns, leave_out_empty_texts
from aiproxy.providers.copilot import who_asks

HI = {"role": "user", "parts": [{"text": "hi"}]}
CALLED = {"role": "assistant", "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f"}}]}
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False}


def enveloped(model: str = "claude-sonnet-4-6", **request: Any) -> dict[str, Any]:
    return {"model": model, "request": request}


def budget(tokens: int, most: int | None = None) -> dict[str, Any]:
    limit = {} if most is None else {"maxOutputTokens": most}
    return enveloped(generationConfig={**limit, "thinkingConfig": {"thinkingBudget": tokens, "includeThoughts": True}})


def declared(**calling: Any) -> dict[str, Any]:
    config = {"toolConfig": {"functionCallingConfig": calling}} if calling else {}
    return {"tools": [{"functionDeclarations": [{"name": "f"}]}], **config}


def chat(*messages: dict[str, Any]) -> dict[str, Any]:
    return {"messages": list(messages)}


def developer(text: str) -> dict[str, Any]:
    return {"role": "developer", "content": text}


@pytest.mark.parametrize(
    ("repair", "came", "goes"),
    [
        (leave_out_empty_texts, enveloped(contents=[HI, {"role": "model", "parts": [{"text": ""}]}]), enveloped(contents=[HI])),
        (leave_out_empty_texts, enveloped(contents=[{"parts": [{"text": ""}, {"text": "a"}]}]), enveloped(contents=[{"parts": [{"text": "a"}]}])),
        (leave_out_empty_texts, enveloped(contents=[{"parts": [{"text": ""}]}]), None),
        (join_turns, enveloped(contents=[HI, {"role": "model", "parts": [{"text": "a"}]}, {"role": "model", "parts": [{"text": "b"}]}, HI, HI]),
         enveloped(contents=[HI, {"role": "model", "parts": [{"text": "a"}, {"text": "b"}]}, HI, HI])),
        (join_turns, enveloped(contents=[HI]), None),
        (antigravity.leave_out_safety, enveloped(safetySettings=[]), enveloped()),
        (antigravity.begin_with_user, enveloped(contents=[{"role": "model", "parts": []}]),
         enveloped(contents=[{"role": "user", "parts": [{"text": " "}]}, {"role": "model", "parts": []}])),
        (antigravity.begin_with_user, enveloped(contents=[HI]), None),
        (antigravity.use_plain_schemas,
         enveloped(tools=[{"functionDeclarations": [{"name": "f", "parametersJsonSchema": SCHEMA}]}]),
         enveloped(tools=[{"functionDeclarations": [
             {"name": "f", "parameters": {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}}}]}])),
        (antigravity.call_with_validation, enveloped(**declared()), enveloped(**declared(mode="VALIDATED"))),
        (antigravity.call_with_validation, enveloped(**declared(mode="AUTO")), enveloped(**declared(mode="VALIDATED"))),
        (antigravity.call_with_validation, enveloped(**declared(mode="NONE")), None),
        (antigravity.call_with_validation, enveloped("gemini-3-flash", **declared()), None),
        (antigravity.call_with_validation, enveloped(), None),
        (antigravity.think_within_output, budget(5000, 4000), budget(3999, 4000)),
        (antigravity.think_within_output, budget(5000, 9000), None),
        (antigravity.think_within_output, budget(-1, 9000), None),
        (antigravity.think_within_output, budget(500), enveloped(generationConfig={})),
        (antigravity.think_within_output, budget(5000, 1000), enveloped(generationConfig={"maxOutputTokens": 1000})),
        (antigravity.name_session, enveloped(contents=[HI]),
         enveloped(contents=[HI], sessionId="-1099796703622425494")),
        (antigravity.name_session, enveloped(contents=[HI], sessionId="mine"), None),
        (antigravity.name_session, enveloped(contents=[]), None),
        (codex.ask_for_stream, {}, {"stream": True, "store": False, "include": ["reasoning.encrypted_content"]}),
        (codex.give_instructions, {}, {"instructions": ""}),
        (codex.give_instructions, {"instructions": None}, {"instructions": ""}),
        (codex.give_instructions, {"instructions": "Be kind."}, None),
        (codex.list_input, {"input": "hi"},
         {"input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}]}),
        (codex.call_in_parallel, {"tools": [{}]}, {"tools": [{}], "parallel_tool_calls": True}),
        (codex.call_in_parallel, {"tools": [{}], "parallel_tool_calls": False}, None),
        (codex.call_in_parallel, {"parallel_tool_calls": True}, {}),
        (codex.speak_as_developer, {"input": [{"role": "system", "content": "x"}, {"role": "user", "content": "y"}]},
         {"input": [developer("x"), {"role": "user", "content": "y"}]}),
        (codex.name_web_search, {"tools": [{"type": "web_search_preview_2025_03_11"}], "tool_choice": {"type": "web_search_preview"}},
         {"tools": [{"type": "web_search"}], "tool_choice": {"type": "web_search"}}),
        (codex.name_web_search, {"tools": [{"type": "function", "name": "web_search_preview"}], "tool_choice": "auto"}, None),
        (codex.leave_out_breakpoints, {"input": [{"role": "user", "content": [{"text": "x", "prompt_cache_breakpoint": True}]}]},
         {"input": [{"role": "user", "content": [{"text": "x"}]}]}),
        (codex.leave_out_foreign_ids, {"input": [{"type": "reasoning", "id": "rs_1"}, {"type": "reasoning", "id": "x"},
                                                 {"role": "user", "id": "msg_" + "1" * 61}]},
         {"input": [{"type": "reasoning", "id": "rs_1"}, {"type": "reasoning"}, {"role": "user"}]}),
        (qwen.one_system_message, chat({"role": "user", "content": "hi"}),
         chat({"role": "system", "content": [{"type": "text", "text": "", "cache_control": qwen.CACHED}]},
              {"role": "user", "content": "hi"})),
        (qwen.one_system_message,
         chat({"role": "system", "content": "a"}, {"role": "user", "content": "hi"}, developer("b")),
         chat({"role": "system", "content": [{"type": "text", "text": "a", "cache_control": qwen.CACHED},
                                             {"type": "text", "text": "b"}]}, {"role": "user", "content": "hi"})),
        (iflow.switch_thinking, {"model": "glm-4.6", "reasoning_effort": "low"},
         {"model": "glm-4.6", "chat_template_kwargs": {"enable_thinking": True, "clear_thinking": False}}),
        (iflow.switch_thinking, {"model": "GLM-4.6", "reasoning_effort": "none"},
         {"model": "GLM-4.6", "chat_template_kwargs": {"enable_thinking": False}}),
        (iflow.switch_thinking, {"model": "minimax-m2", "thinking": {"type": "enabled"}},
         {"model": "minimax-m2", "reasoning_split": True}),
        (iflow.switch_thinking, {"model": "kimi-k2", "reasoning_effort": "high"}, {"model": "kimi-k2"}),
        (iflow.switch_thinking, {"model": "glm-4.6"}, None),
        (iflow.leave_out_no_tools, {"tools": []}, {}),
        (kimi_repairs.name_model, {"model": "Kimi-K2.5[1m]"}, {"model": "k2.5"}),
        (kimi_repairs.name_model, {"model": "kimi-k2.7-code-highspeed"}, {"model": "kimi-for-coding-highspeed"}),
        (kimi_repairs.name_model, {"model": "for-coding"}, {"model": "kimi-for-coding"}),
        (kimi_repairs.name_model, {"model": "kimi-for-coding"}, None),
        (kimi_repairs.fill_call_ids, chat(CALLED, {"role": "tool", "content": "r"}),
         chat(CALLED, {"role": "tool", "content": "r", "tool_call_id": "c1"})),
        (kimi_repairs.fill_call_ids, chat(CALLED, {"role": "tool", "tool_call_id": "c1"}, {"role": "tool"}), None),
        (kimi_repairs.keep_reasoning, chat(CALLED),
         chat({**CALLED, "reasoning_content": kimi_repairs.UNAVAILABLE})),
        (kimi_repairs.keep_reasoning, chat({**CALLED, "content": "Let me see."}),
         chat({**CALLED, "content": "Let me see.", "reasoning_content": "Let me see."})),
        (kimi_repairs.keep_reasoning, chat({**CALLED, "reasoning_content": "hm"}, CALLED),
         chat({**CALLED, "reasoning_content": "hm"}, {**CALLED, "reasoning_content": "hm"})),
        (kimi_repairs.leave_out_silent_turns, chat({"role": "assistant", "content": ""}, CALLED), chat(CALLED)),
        (kimi_repairs.say_thinking, {"reasoning_effort": "high"}, {"thinking": {"type": "enabled", "effort": "high"}}),
        (kimi_repairs.say_thinking, {"reasoning_effort": "none"}, {"thinking": {"type": "disabled"}}),
        (kimi_repairs.say_thinking, {"thinking": {"type": "disabled"}}, None),
    ],
)  # fmt: skip
def test_what_is_said_differently(repair: Repair, came: dict[str, Any], goes: dict[str, Any] | None) -> None:
    body = copy.deepcopy(came)
    assert repair(body) is (goes is not None)
    assert body == (came if goes is None else goes)
    assert repair(body) is False, "what was repaired ails no more"


@pytest.mark.parametrize("repair", [*codex.REPAIRS, qwen.one_system_message, iflow.switch_thinking, kimi_repairs.keep_reasoning,
                                    kimi_repairs.fill_call_ids, kimi_repairs.leave_out_silent_turns, antigravity.name_session, join_turns, leave_out_empty_texts,
                                    antigravity.use_plain_schemas, antigravity.call_with_validation])  # fmt: skip
@pytest.mark.parametrize("odd", [None, 7, "text", [1, None, "x", []], {"a": 1}])
def test_what_makes_no_sense_is_left_to_the_upstream(repair: Repair, odd: Any) -> None:
    names = ("request", "input", "tools", "tool_choice", "messages", "include", "instructions", "thinking", "contents")
    repair(dict.fromkeys(names, odd))
    repair({"request": dict.fromkeys(names, odd)})


def test_what_codex_never_takes() -> None:
    body = {"temperature": 1, "user": "u", "model": "m", "service_tier": "flex", "truncation": "auto"}
    assert set(codex.refused(body)) == {"temperature", "user", "service_tier", "truncation"}
    assert not list(codex.refused({"service_tier": "priority", "reasoning": {}, "text": {}}))


def test_what_antigravity_never_takes() -> None:
    config = {"maxOutputTokens": 9}
    assert list(antigravity.never_taken(enveloped("gemini-3-flash", generationConfig=config))) == [
        "request.generationConfig.maxOutputTokens"
    ]
    assert not list(antigravity.never_taken(enveloped(generationConfig=config)))


@pytest.mark.parametrize(
    ("last", "told"),
    [
        ({"role": "user", "content": "hi"}, {"x-initiator": "user"}),
        ({"role": "tool", "content": "r"}, {"x-initiator": "agent"}),
        (
            {"role": "user", "content": [{"type": "image_url"}]},
            {"x-initiator": "user", "copilot-vision-request": "true"},
        ),
    ],
)
def test_copilot_is_told_who_asks(last: dict[str, Any], told: dict[str, str]) -> None:
    said = dict(who_asks(chat({"role": "user", "content": "first"}, last)))
    assert len(said.pop("x-request-id")) == 36
    assert said == told
