"""Hypothesis strategies for Ollama's bodies: all that is documented, and fields nobody knows."""

from typing import Any

from hypothesis import strategies as st

names = st.text("abcxyz_", min_size=1, max_size=8)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
said = texts.filter(bool)
numbers = st.floats(-4, 4) | st.integers(0, 9)
counts = st.integers(0, 10**6)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=4,
)
objects = st.dictionaries(texts, json_values, max_size=3)
small = st.recursive(
    st.none() | st.booleans() | st.integers(0, 99) | texts, lambda inner: st.lists(inner, max_size=2), max_leaves=3
)
unknown = st.dictionaries(st.sampled_from(["x_new", "~tilde", "y.dotted"]), small, max_size=2)
schemas = st.sampled_from(
    [
        {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
        {"type": "object", "properties": {}},
        {"$defs": {"N": {"type": "integer"}}, "type": "object", "properties": {"n": {"$ref": "#/$defs/N"}}},
    ]
)
base64 = st.sampled_from(
    ["iVBORw0KGgoAAAANSUhEUg==", "/9j/4AAQSkZJRg==", "UklGRiQAAABXQVZFZm10IA==", "JVBERi0xLjcK", "", "AAAA"]
) | st.just("data:image/png;base64,iVBORw0KGgo=")


def fields(
    required: dict[str, st.SearchStrategy[Any]], optional: dict[str, st.SearchStrategy[Any]]
) -> st.SearchStrategy[dict[str, Any]]:
    """An object with those keys, perhaps null where they are optional, and unknown ones."""
    known = st.fixed_dictionaries(required, optional={key: st.none() | value for key, value in optional.items()})
    return st.builds(lambda found, more: {**more, **found}, known, unknown)


call_functions = fields({"name": names}, {"index": st.integers(0, 3), "arguments": objects | st.just('{"a": 1}')})
calls = fields({"function": call_functions}, {"id": texts, "type": st.just("function")})
messages = fields(
    {"role": st.sampled_from(["system", "user", "assistant", "tool", "Assistant", "USER"])},
    {
        "content": texts,
        "thinking": texts,
        "images": st.lists(base64, max_size=2),
        "tool_calls": st.lists(calls, max_size=2),
        "tool_name": texts,
        "tool_call_id": texts,
    },
)
tool_functions = fields({"name": names}, {"description": texts, "parameters": schemas, "strict": st.booleans()})
tools = fields({"function": tool_functions}, {"type": st.just("function") | texts})
options = st.fixed_dictionaries(
    {},
    optional={
        "temperature": numbers,
        "top_p": numbers,
        "top_k": st.integers(0, 99),
        "min_p": numbers,
        "repeat_penalty": numbers,
        "presence_penalty": numbers,
        "frequency_penalty": numbers,
        "seed": st.integers(-1, 99),
        "num_predict": st.integers(-2, 99),
        "stop": texts | st.lists(texts, max_size=2),
        "num_ctx": counts,
        "mirostat": st.integers(0, 2),
        "typical_p": numbers,
        "use_mmap": st.booleans(),
        "x_new": small,
    },
)
common: dict[str, st.SearchStrategy[Any]] = {
    "stream": st.booleans(),
    "format": st.sampled_from(["", "json", {"type": "object", "properties": {}}]),
    "options": options,
    "keep_alive": st.sampled_from([0, -1, "5m"]),
    "think": st.booleans() | st.sampled_from(["low", "medium", "high", "max"]),
    "logprobs": st.booleans(),
    "top_logprobs": st.integers(0, 20),
    "truncate": st.booleans(),
    "template": texts,
    "raw": st.booleans(),
    "context": st.lists(counts, max_size=2),
    "options.mirostat": small,
}
chat_requests = fields(
    {"model": names},
    {**common, "messages": st.lists(messages, max_size=4), "tools": st.lists(tools, max_size=2), "system": texts},
)
generate_requests = fields(
    {"model": names},
    {**common, "prompt": texts, "system": texts, "suffix": texts, "images": st.lists(base64, max_size=2)},
)

answer_calls = fields(
    {"id": said, "function": fields({"name": names, "index": st.integers(0, 3)}, {"arguments": objects})}, {}
)
logprobs = st.lists(
    st.fixed_dictionaries(
        {"token": said, "logprob": st.floats(-9, 0)}, optional={"bytes": st.lists(st.integers(0, 255), max_size=3)}
    ),
    min_size=1,
    max_size=2,
)
ends: dict[str, st.SearchStrategy[Any]] = {
    "done_reason": st.sampled_from(["stop", "length", "load", "unheard_of"]),
    "total_duration": counts,
    "load_duration": counts,
    "prompt_eval_count": counts,
    "prompt_eval_duration": counts,
    "eval_count": counts,
    "eval_duration": counts,
}
head: dict[str, st.SearchStrategy[Any]] = {
    "model": st.just("m"),
    "created_at": st.sampled_from(["2026-01-02T03:04:05.123456789Z", "2025-05-04T17:37:44.706015396-07:00"]),
    "done": st.just(True),
}
answers = st.builds(
    lambda body, end: {**end, **body},
    fields(
        {
            **head,
            "message": fields(
                {"role": st.just("assistant"), "content": texts},
                {
                    "thinking": texts,
                    "tool_calls": st.lists(answer_calls, max_size=2, unique_by=lambda call: call["id"]),
                },
            ),
        },
        {},
    ),
    st.fixed_dictionaries({}, optional=ends),
)
"""Whole chat answers."""
