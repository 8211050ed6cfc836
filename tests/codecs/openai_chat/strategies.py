"""Hypothesis strategies: requests and chunks of this protocol, from faithful to strange."""

from typing import Any

from hypothesis import strategies as st

short = st.text('abé\u2028 "\\{}~:', max_size=6)
names = st.text("abcXYZ_-019", min_size=1, max_size=8)
numbers = st.integers(-5, 2**62) | st.floats(-4, 4, allow_nan=False)

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | numbers | short,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names | st.just("~raw"), inner, max_size=3),
    max_leaves=6,
)
unknown = st.dictionaries(st.sampled_from(["x_vendor", "~raw", "~content", "metadata_"]), json_values, max_size=2)


def objects(required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with these fields, and now and then one nobody knows."""
    known = st.fixed_dictionaries(required, optional=optional)
    return st.tuples(unknown, known).map(lambda both: {**both[0], **both[1]})


cache = {"cache_control": st.just({"type": "ephemeral", "ttl": "1h"}), "prompt_cache_breakpoint": json_values}
text_parts = objects({"type": st.just("text"), "text": short}, cache)
urls = st.sampled_from(
    ["https://x/y.png", "data:image/png;base64,AAAA", "data:,a%20b", "data:;base64,iVBORw0KGgo=", "DATA:x/y;base64,AA"]
)
images = objects(
    {"type": st.just("image_url"), "image_url": urls | objects({"url": urls}, {"detail": short | st.none()})}, cache
)
sounds = objects(
    {
        "type": st.just("input_audio"),
        "input_audio": objects(
            {"data": st.sampled_from(["AAAA", "data:audio/wav;base64,AA", "https://a"])},
            {"format": short | st.just("wav") | st.just("mp3")},
        ),
    },
    {},
)
files = objects(
    {
        "type": st.just("file"),
        "file": objects(
            {},
            {
                "file_data": urls | short.filter(lambda text: "," in text or ":" not in text),
                "file_id": names,
                "filename": short,
            },
        ),
    },
    {},
)
others = objects(
    {"type": st.sampled_from(["video_url", "refusal", "thinking", "document"])},
    {"refusal": short, "video_url": st.just({"url": "https://v"}), "thinking": json_values},
)
contents = st.none() | short | st.lists(text_parts | images | sounds | files | others, max_size=3)

details = st.lists(
    objects(
        {"type": st.sampled_from(["reasoning.text", "reasoning.summary", "reasoning.encrypted", "other"])},
        {
            "text": short,
            "signature": short,
            "summary": short,
            "data": short,
            "index": numbers,
            "id": names,
            "format": short,
        },
    ),
    max_size=3,
)
reasoning = {
    "reasoning_content": short | st.none(),
    "reasoning": short | json_values,
    "reasoning_details": details | json_values,
    "thinking_blocks": st.lists(
        objects(
            {"type": st.sampled_from(["thinking", "redacted_thinking"])},
            {"thinking": short, "signature": short, "data": short},
        ),
        max_size=2,
    ),
}
extra = st.just({"google": {"thought_signature": "c2ln"}}) | json_values
functions = objects({"name": names}, {"arguments": short | json_values, "extra": json_values})
calls = objects({}, {"id": names | st.none() | st.just("")}).flatmap(
    lambda head: st.one_of(
        objects(
            {"type": st.just("function"), "function": functions}, {"extra_content": extra, "index": st.integers(0, 3)}
        ),
        objects({"type": st.just("custom"), "custom": objects({"name": names, "input": short}, {})}, {}),
        objects({"function": functions}, {}),
    ).map(lambda call: {**head, **call})
)
messages = st.one_of(
    objects(
        {"role": st.sampled_from(["user", "system", "developer"]), "content": contents}, {"name": names | st.none()}
    ),
    objects(
        {"role": st.just("assistant")},
        {
            "content": contents,
            "name": names,
            "refusal": short | st.none(),
            "tool_calls": st.lists(calls, max_size=3) | st.none(),
            "function_call": functions | st.none(),
            "extra_content": extra,
            "audio": st.just({"id": "a"}),
            **reasoning,
        },
    ),
    objects({"role": st.just("tool"), "tool_call_id": names | st.just(""), "name": names}, {"content": contents}),
    objects({"role": st.just("function"), "name": names}, {"content": contents}),
)
schemas = st.dictionaries(names, json_values, max_size=2)
tools = st.one_of(
    objects(
        {
            "type": st.just("function"),
            "function": objects(
                {"name": names},
                {
                    "description": short | st.none(),
                    "parameters": schemas | st.none(),
                    "strict": st.booleans() | st.none(),
                },
            ),
        },
        cache,
    ),
    objects(
        {
            "type": st.just("custom"),
            "custom": objects(
                {"name": names},
                {
                    "description": short,
                    "format": st.just({"type": "grammar", "grammar": {"syntax": "lark", "definition": "x"}})
                    | json_values,
                },
            ),
        },
        {},
    ),
    objects({"type": st.sampled_from(["web_search", "mcp", "code_interpreter"])}, {"user_location": json_values}),
    objects({"function": objects({"name": names}, {})}, {}),
)
choices = st.one_of(
    st.sampled_from(["auto", "none", "required", "any", "maybe"]),
    st.fixed_dictionaries({"type": st.just("function"), "function": objects({"name": names}, {})}),
    st.fixed_dictionaries({"type": st.just("custom"), "custom": objects({"name": names}, {})}),
    st.fixed_dictionaries(
        {
            "type": st.just("allowed_tools"),
            "allowed_tools": st.fixed_dictionaries(
                {
                    "mode": st.sampled_from(["auto", "required"]),
                    "tools": st.lists(
                        st.just({"type": "function", "function": {"name": "a"}}) | json_values, max_size=2
                    ),
                }
            ),
        }
    ),
    json_values,
)
common = {
    "temperature": numbers | st.none(),
    "top_p": numbers,
    "n": st.integers(0, 4),
    "seed": st.integers(-(2**63), 2**64 - 1),
    "stop": short | st.lists(short, max_size=3) | st.none(),
    "logit_bias": st.dictionaries(names, st.integers(-100, 100), max_size=2),
    "max_tokens": st.integers(0, 9) | st.just(5.0),
    "stream": st.booleans() | st.none(),
    "stream_options": json_values,
    "user": short,
    "frequency_penalty": numbers,
}
requests = objects(
    {"model": names, "messages": st.lists(messages, min_size=1, max_size=4)},
    {
        **common,
        "max_completion_tokens": st.integers(0, 9),
        "logprobs": st.booleans(),
        "top_logprobs": st.integers(0, 99),
        "tools": st.lists(tools, max_size=3) | st.none(),
        "functions": st.lists(objects({"name": names}, {"description": short, "parameters": schemas}), max_size=2),
        "tool_choice": choices,
        "function_call": st.sampled_from(["auto", "none"]) | functions,
        "parallel_tool_calls": st.booleans() | st.none(),
        "response_format": objects(
            {"type": st.sampled_from(["text", "json_object", "json_schema", "grammar"])},
            {
                "json_schema": objects(
                    {},
                    {
                        "name": names,
                        "schema": schemas | st.none(),
                        "strict": st.booleans() | st.none(),
                        "description": short,
                    },
                )
            },
        ),
        "reasoning_effort": st.sampled_from(["none", "low", "xhigh", "ultra", None]),
        "reasoning": json_values | st.just({"effort": "high", "exclude": True}),
        "thinking": json_values | st.sampled_from([{"type": "enabled", "budget_tokens": 9}, {"type": "disabled"}]),
        "enable_thinking": st.booleans(),
        "top_k": numbers,
        "modalities": json_values | st.just(["text", "audio"]),
        "audio": json_values | st.just({"format": "wav", "voice": "alloy"}),
        "web_search_options": json_values | schemas,
        "prompt_cache_options": json_values | st.just({"mode": "explicit", "ttl": "30m", "x": 1}),
        "metadata": st.dictionaries(names, short, max_size=2),
        "service_tier": short,
        "store": st.booleans(),
    },
)
completions = objects(
    {"model": names},
    {
        **common,
        "prompt": short | st.lists(short, min_size=1, max_size=1) | st.none(),
        "logprobs": st.integers(0, 5) | st.none(),
        "echo": st.booleans() | st.none(),
        "best_of": st.integers(1, 3),
        "suffix": short | st.none(),
    },
)

fragments = objects(
    {},
    {
        "index": st.integers(0, 2) | json_values,
        "id": names | json_values,
        "type": st.sampled_from(["function", "custom"]),
        "function": objects({}, {"name": names | json_values, "arguments": short | json_values}) | json_values,
        "custom": objects({}, {"name": names, "input": short}) | json_values,
        "extra_content": extra,
    },
)
logprobs = st.fixed_dictionaries(
    {},
    optional={
        "content": st.lists(
            st.fixed_dictionaries(
                {"token": short, "logprob": st.floats(-9, 0)},
                optional={"bytes": st.none() | st.lists(st.integers(0, 255), max_size=2), "top_logprobs": json_values},
            ),
            max_size=2,
        )
        | json_values,
        "refusal": json_values,
        "tokens": json_values,
    },
)
deltas = objects(
    {},
    {
        "role": st.just("assistant"),
        "content": contents | json_values,
        "refusal": short | json_values,
        "tool_calls": st.lists(fragments, max_size=2) | json_values,
        "function_call": objects({}, {"name": names, "arguments": short}) | json_values,
        "audio": objects({}, {"id": names, "data": short, "transcript": short, "expires_at": numbers}) | json_values,
        "images": st.lists(images, max_size=2) | json_values,
        "annotations": st.lists(
            st.just({"type": "url_citation", "url_citation": {"url": "u", "start_index": 0, "end_index": 1}})
            | json_values,
            max_size=2,
        )
        | json_values,
        "extra_content": extra,
        **reasoning,
    },
)
stream_choices = objects(
    {},
    {
        "index": st.integers(0, 2) | json_values,
        "delta": deltas | json_values,
        "message": deltas,
        "text": short | json_values,
        "finish_reason": st.sampled_from(["stop", "length", "tool_calls", "eos", "", None]) | json_values,
        "logprobs": logprobs | json_values,
    },
)
usages = st.dictionaries(
    st.sampled_from(
        [
            "prompt_tokens",
            "completion_tokens",
            "total_tokens",
            "prompt_tokens_details",
            "completion_tokens_details",
            "cached_tokens",
        ]
    ),
    st.integers(-1, 99)
    | st.dictionaries(st.sampled_from(["cached_tokens", "reasoning_tokens", "audio_tokens"]), numbers, max_size=2)
    | json_values,
    max_size=4,
)
chunks = objects(
    {},
    {
        "id": names | json_values,
        "model": names | json_values,
        "created": numbers | json_values,
        "choices": st.lists(stream_choices | json_values, max_size=2) | json_values,
        "usage": usages | json_values,
        "service_tier": json_values,
        "system_fingerprint": short,
        "error": st.none(),
    },
)
