"""Thinking by tags: budgets and efforts out, spans of an answer's text back."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiproxy.codecs.codec import Incoming
from aiproxy.codecs.json_bytes import dump
from aiproxy.codecs.kiro.thinking import TaggedText, asked
from aiproxy.codecs.openai_chat import CODEC as OPENAI_CHAT
from aiproxy.codecs.report import Report
from aiproxy.neutral.request import ReasoningConfig
from tests.codecs.bench import SEALER


def enabled(budget: int) -> str:
    return f"<thinking_mode>enabled</thinking_mode><max_thinking_length>{budget}</max_thinking_length>"


def adaptive(effort: str) -> str:
    return f"<thinking_mode>adaptive</thinking_mode><thinking_effort>{effort}</thinking_effort>"


@pytest.mark.parametrize(
    ("config", "prefix"),
    [
        (ReasoningConfig(), ""),
        (ReasoningConfig("off"), ""),
        (ReasoningConfig(effort="none"), ""),
        (ReasoningConfig("manual", budget_tokens=500), enabled(1024)),
        (ReasoningConfig("manual", budget_tokens=5000), enabled(5000)),
        (ReasoningConfig("manual", budget_tokens=99999), enabled(24576)),
        (ReasoningConfig("manual"), enabled(20000)),
        (ReasoningConfig("adaptive"), adaptive("high")),
        (ReasoningConfig("adaptive", effort="low"), adaptive("low")),
        (ReasoningConfig(effort="medium"), adaptive("medium")),
        (ReasoningConfig(effort="minimal"), adaptive("low")),
        (ReasoningConfig(effort="max"), adaptive("high")),
        (ReasoningConfig("adaptive", budget_tokens=-1), adaptive("high")),
        (ReasoningConfig(visibility="summary"), adaptive("high")),
        (ReasoningConfig(visibility="hidden"), ""),
    ],
)
def test_how_thinking_is_asked_for(config: ReasoningConfig, prefix: str) -> None:
    assert asked(config, Report()) == prefix


@pytest.mark.parametrize(
    ("budget", "sent"),
    [(0, 20000), (-5, 20000), ("x", 20000), (500, 1024), (5000.9, 5000), (99999, 24576), (None, 20000)],
)
@pytest.mark.parametrize("place", ["extra_body", "merged"])
def test_budgets_of_openai_clients(budget: object, sent: int, place: str) -> None:
    extra = {"anthropic": {"thinking": {"type": " Enabled", "budget_tokens": budget}}}
    said = extra if place == "merged" else {"extra_body": extra}
    body = dump({"model": "m", "messages": [{"role": "user", "content": "hi"}], **said})
    request = OPENAI_CHAT.decode_request(Incoming(body), SEALER, Report())
    assert asked(request.reasoning, Report()) == enabled(sent)


@pytest.mark.parametrize(
    ("thinking", "prefix"),
    [
        ({"type": "adaptive", "effort": "Medium"}, adaptive("medium")),
        ({"type": "adaptive", "effort": "utmost"}, adaptive("high")),
        ({"type": "adaptive"}, adaptive("high")),
        ({"type": "disabled"}, ""),
        ({"type": "odd"}, ""),
        ({}, ""),
    ],
)
def test_efforts_of_openai_clients(thinking: object, prefix: str) -> None:
    said = {"extra_body": {"anthropic": {"thinking": thinking}}}
    body = dump({"model": "m", "messages": [{"role": "user", "content": "hi"}], **said})
    assert asked(OPENAI_CHAT.decode_request(Incoming(body), SEALER, Report()).reasoning, Report()) == prefix


def read(*chunks: str) -> list[tuple[str, str]]:
    """Neighbours of a kind as one."""
    tagged = TaggedText()
    found: list[tuple[str, str]] = []
    pieces = [piece for chunk in chunks for piece in tagged.feed(chunk)] + list(tagged.close())
    for kind, text in pieces:
        if found and found[-1][0] == kind:
            found[-1] = (kind, found[-1][1] + text)
        else:
            found.append((kind, text))
    return found


CASES = [
    ("<thinking>\nhm</thinking>\n\nYes.", [("thinking", "hm"), ("text", "Yes.")]),
    ("<thinking>\r\nhm</thinking>\r\n\r\nYes.", [("thinking", "hm"), ("text", "Yes.")]),
    ("  \n<thinking>hm</thinking>\n\nYes.", [("thinking", "hm"), ("text", "Yes.")]),
    ("Well <thinking>hm</thinking>\n\nYes.", [("text", "Well "), ("thinking", "hm"), ("text", "Yes.")]),
    ("<thinking>a </thinking> b</thinking>\n\nc", [("thinking", "a </thinking> b"), ("text", "c")]),
    ("<thinking>say '</thinking>'\n\nso</thinking>\n\nc", [("thinking", "say '</thinking>'\n\nso"), ("text", "c")]),
    ("The tag `<thinking>` opens.", [("text", "The tag `<thinking>` opens.")]),
    ("<thinking>hm</thinking>", [("thinking", "hm")]),
    ("<thinking>hm</thinking>\n", [("thinking", "hm")]),
    ("<thinking>hm", [("thinking", "hm")]),
    ("<thinking>hm</thin", [("thinking", "hm</thin")]),
    ("Just text.", [("text", "Just text.")]),
    ("a < b <think", [("text", "a < b <think")]),
    ("<thinking>x</thinking>\n\n<thinking>y</thinking>\n\nz", [("thinking", "x"), ("text", "<thinking>y</thinking>\n\nz")]),
    ("<thinking>x</thinking>\n\n\n\nz", [("thinking", "x"), ("text", "\n\nz")]),
    ("", []),
    (" \n ", []),
]  # fmt: skip


@pytest.mark.parametrize(("text", "pieces"), CASES)
def test_spans(text: str, pieces: list[tuple[str, str]]) -> None:
    assert read(text) == pieces
    assert read(*text) == pieces, "a character at a time"


@given(
    st.lists(st.sampled_from(["<thinking>", "</thinking>", "\n", "\r\n", '"', "`", "a", " ", "<", "/"]), max_size=14),
    st.data(),
)
def test_any_split_reads_alike(words: list[str], data: st.DataObject) -> None:
    text = "".join(words)
    places = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=5)) | {0, len(text)})
    assert read(*(text[start:end] for start, end in pairwise(places))) == read(text)
