"""The operator's system prompt in neutral requests, and through every codec in its own protocol."""

import json
from typing import Any

import pytest

from aiproxy.codecs import anthropic_messages, gemini, ollama, openai_chat, openai_responses
from aiproxy.codecs.codec import Codec, Exchange, Incoming
from aiproxy.codecs.envelope import Sealer
from aiproxy.codecs.report import Report
from aiproxy.neutral.parts import TextPart
from aiproxy.neutral.request import GenerateRequest, Turn
from aiproxy.rewriting.system_prompt import SystemPrompt
from aiproxy.secrets import Secret

OURS = "Ours."


def said(role: Any, *texts: str) -> Turn:
    return Turn(role, tuple(TextPart(text) for text in texts))


USER = said("user", "hello")


@pytest.mark.parametrize(
    ("prompt", "before", "after"),
    [
        (SystemPrompt(OURS), [USER], [said("system", OURS), USER]),
        (SystemPrompt(OURS), [said("system", "Theirs."), USER], [said("system", "Theirs.\nOurs."), USER]),
        (SystemPrompt(OURS), [said("system", "A", "B"), USER], [said("system", "A", "B\nOurs."), USER]),
        (
            SystemPrompt(OURS),
            [said("system", "A"), said("developer", "B"), USER, said("system", "C")],
            [said("system", "A"), said("developer", "B\nOurs."), USER, said("system", "C")],
        ),
        (SystemPrompt(OURS), [Turn("system"), USER], [said("system", OURS), Turn("system"), USER]),
        (SystemPrompt(OURS, overwrite=True), [USER], [said("system", OURS), USER]),
        (
            SystemPrompt(OURS, overwrite=True),
            [said("system", "A"), USER, said("developer", "B")],
            [said("system", OURS), USER],
        ),
        (
            SystemPrompt(replacements=[("A", "B"), ("B", "CC")]),
            [said("system", "A B"), said("user", "A")],
            [said("system", "CC CC"), said("user", "A")],
        ),
        (SystemPrompt("A prompt.", replacements=[("A", "The")]), [USER], [said("system", "The prompt."), USER]),
        (SystemPrompt(overwrite=True), [said("system", "A"), USER], [said("system", "A"), USER]),
        (SystemPrompt(), [said("system", "A"), USER], [said("system", "A"), USER]),
    ],
)
def test_what_becomes_of_the_turns(prompt: SystemPrompt, before: list[Turn], after: list[Turn]) -> None:
    assert prompt.applied(GenerateRequest("m", tuple(before)), {}).turns == tuple(after)


def test_overwriting_twice_is_overwriting_once() -> None:
    prompt = SystemPrompt(OURS, overwrite=True, replacements=[("Theirs", "Yours")])
    once = prompt.applied(GenerateRequest("m", (said("system", "Theirs."), USER)), {})
    assert prompt.applied(once, {}) == once


HELLO = [{"role": "user", "content": "hello"}]
BLOCKS = [{"type": "text", "text": "Theirs.", "cache_control": {"type": "ephemeral"}}]
OUR_BLOCKS = [{"type": "text", "text": OURS}]
CONTENTS = [{"role": "user", "parts": [{"text": "hello"}]}]


@pytest.mark.parametrize(
    ("codec", "body", "appended", "overwritten"),
    [
        (
            openai_chat.CODEC,
            {"messages": HELLO},
            {"messages": [{"role": "system", "content": OURS}, *HELLO]},
            {"messages": [{"role": "system", "content": OURS}, *HELLO]},
        ),
        (
            openai_chat.CODEC,
            {"messages": [{"role": "developer", "content": "Theirs.", "name": "n"}, *HELLO], "unknown": 1},
            {"messages": [{"role": "developer", "content": "Theirs.\nOurs.", "name": "n"}, *HELLO], "unknown": 1},
            {"messages": [{"role": "system", "content": OURS}, *HELLO], "unknown": 1},
        ),
        (
            openai_responses.CODEC,
            {"input": "hello"},
            {"input": "hello", "instructions": OURS},
            {"input": "hello", "instructions": OURS},
        ),
        (
            openai_responses.CODEC,
            {"instructions": "Theirs.", "input": HELLO},
            {"instructions": "Theirs.\nOurs.", "input": HELLO},
            {"instructions": OURS, "input": HELLO},
        ),
        (
            anthropic_messages.CODEC,
            {"max_tokens": 9, "messages": HELLO},
            {"max_tokens": 9, "messages": HELLO, "system": OUR_BLOCKS},
            {"max_tokens": 9, "messages": HELLO, "system": OUR_BLOCKS},
        ),
        (
            anthropic_messages.CODEC,
            {"max_tokens": 9, "messages": HELLO, "system": BLOCKS},
            {"max_tokens": 9, "messages": HELLO, "system": [{**BLOCKS[0], "text": "Theirs.\nOurs."}]},
            {"max_tokens": 9, "messages": HELLO, "system": OUR_BLOCKS},
        ),
        (
            gemini.CODEC,
            {"contents": CONTENTS},
            {"contents": CONTENTS, "systemInstruction": {"parts": [{"text": OURS}]}},
            {"contents": CONTENTS, "systemInstruction": {"parts": [{"text": OURS}]}},
        ),
        (
            gemini.CODEC,
            {"contents": CONTENTS, "systemInstruction": {"parts": [{"text": "Theirs."}]}},
            {"contents": CONTENTS, "systemInstruction": {"parts": [{"text": "Theirs.\nOurs."}]}},
            {"contents": CONTENTS, "systemInstruction": {"parts": [{"text": OURS}]}},
        ),
        (
            ollama.CODEC,
            {"messages": [{"role": "system", "content": "Theirs."}, *HELLO], "keep_alive": "5m"},
            {"messages": [{"role": "system", "content": "Theirs.\nOurs."}, *HELLO], "keep_alive": "5m"},
            {"messages": [{"role": "system", "content": OURS}, *HELLO], "keep_alive": "5m"},
        ),
    ],
)
def test_it_stands_where_the_protocol_has_it(codec: Codec, body: Any, appended: Any, overwritten: Any) -> None:
    named = {} if codec is gemini.CODEC else {"model": "m"}
    for prompt, expected in ((SystemPrompt(OURS), appended), (SystemPrompt(OURS, overwrite=True), overwritten)):
        sealer = Sealer(Secret("a sealing key"))
        incoming = Incoming(json.dumps({**named, **body}).encode(), model="m" if codec is gemini.CODEC else None)
        request = prompt.applied(codec.decode_request(incoming, sealer, Report()), codec.prompt_place)
        report = Report(strict=True)
        sent = codec.encode_request(Exchange(request, sealer, "req_1", codec.fields.codec, report=report))
        assert json.loads(sent.body) == {**named, **expected}
        assert not report.warnings
