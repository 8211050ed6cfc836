"""Hypothesis strategies: requests, answers and their streams in this protocol, from faithful to strange."""

from typing import Any

from hypothesis import strategies as st

short = st.text('abé\u2028 "\\{}~:', max_size=6)
names = st.text("abcXYZ_-019", min_size=1, max_size=8)
ids = st.text("abc012_", min_size=1, max_size=4)
numbers = st.integers(-5, 2**62) | st.floats(-4, 4, allow_nan=False)

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | numbers | short,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names | st.just("~raw"), inner, max_size=3),
    max_leaves=6,
)
unknown = st.dictionaries(
    st.sampled_from(["x_vendor", "~raw", "~content", "~came", "metadata_"]), json_values, max_size=2
)


def objects(required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with these fields, and now and then one nobody knows."""
    known = st.fixed_dictionaries(required, optional=optional)
    return st.tuples(unknown, known).map(lambda both: {**both[0], **both[1]})


def typed(kind: str, required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    return objects({"type": st.just(kind), **required}, optional)


cache = {
    "prompt_cache_breakpoint": st.sampled_from([{"mode": "explicit"}, {"mode": "explicit", "ttl": "30m"}, {"x": 1}])
}
urls = st.sampled_from(
    ["https://x/y.png", "data:image/png;base64,AAAA", "data:,a%20b", "data:;base64,iVBORw0KGgo=", "DATA:x/y;base64,AA"]
)
annotations = st.lists(
    typed("url_citation", {"url": short, "title": short, "start_index": st.integers(0, 9)}, {"end_index": numbers})
    | typed("file_citation", {"file_id": short, "index": st.integers(0, 9)}, {"filename": short}),
    max_size=2,
)
logprobs = st.lists(
    st.fixed_dictionaries(
        {"token": short, "logprob": st.floats(-9, 0)},
        optional={"bytes": st.lists(st.integers(0, 255), max_size=3) | st.none(), "top_logprobs": st.just([])},
    ),
    max_size=2,
)
texts = typed("input_text", {"text": short}, cache)
output_texts = typed("output_text", {"text": short, "annotations": annotations}, {"logprobs": logprobs | st.none()})
images = typed(
    "input_image", {"image_url": urls}, {"detail": short | st.none(), "file_id": st.none(), **cache}
) | typed("input_image", {"file_id": ids}, {"image_url": st.none()})
files = st.one_of(
    typed("input_file", {"file_data": urls | st.just("JVBERi0=")}, {"filename": short}),
    typed("input_file", {"file_url": short}, {"detail": short}),
    typed("input_file", {"file_id": ids}, {"filename": st.none()}),
)
sounds = typed(
    "input_audio",
    {"input_audio": objects({"data": st.just("AAAA"), "format": st.sampled_from(["mp3", "wav", "ogg"])}, {})},
    {},
)
refusals = typed("refusal", {"refusal": short}, {})
parts = texts | images | files | sounds | refusals | output_texts | typed("video", {}, {"url": short})
contents = short | st.lists(parts, max_size=3)

common = {"id": ids | st.none(), "status": st.sampled_from(["completed", "incomplete", None])}
messages = objects(
    {"role": st.sampled_from(["user", "assistant", "system", "developer"])},
    {
        "type": st.just("message"),
        "content": contents | st.none(),
        "phase": st.sampled_from(["commentary", "final_answer", None]),
        **common,
    },
)
summaries = st.lists(typed("summary_text", {"text": short}, {}), max_size=2)
thoughts = typed(
    "reasoning",
    {},
    {
        "summary": summaries,
        "content": st.none() | st.lists(typed("reasoning_text", {"text": short}, {}), max_size=2),
        "encrypted_content": st.none() | st.sampled_from(["", "gAAA"]),
        **common,
    },
)
namespaces = {"namespace": names | st.none(), "caller": json_values}
calls = typed("function_call", {"call_id": ids, "name": names, "arguments": short}, {**common, **namespaces}) | typed(
    "custom_tool_call", {"call_id": ids, "name": names, "input": short}, {"id": ids, **namespaces}
)
results = typed(
    "function_call_output",
    {"output": contents | json_values.filter(lambda value: not isinstance(value, list))},
    {"call_id": ids | st.none(), "name": names, **common},
) | typed("custom_tool_call_output", {"call_id": ids, "output": contents}, {"id": ids})
hosted = st.sampled_from(["web_search_call", "mcp_call", "image_generation_call"]).flatmap(
    lambda kind: typed(kind, {"id": ids}, {"action": json_values, "status": short})
)
aside = st.one_of(
    st.sampled_from(["computer_call", "item_reference", "mcp_list_tools", "later_item", "compaction_trigger"]).flatmap(
        lambda kind: typed(kind, {}, {"id": ids, "x": json_values})
    ),
    typed("compaction", {"encrypted_content": st.just("gAAA")}, {"id": ids | st.none()}),
    typed("compaction_summary", {"encrypted_content": st.just("gAAA")}, {}),
)
schemas = st.dictionaries(names, json_values, max_size=2)
functions = typed(
    "function",
    {"name": names},
    {
        "description": short | st.none(),
        "parameters": schemas | st.none(),
        "strict": st.booleans() | st.none(),
        "defer_loading": st.booleans(),
    },
)
customs = typed(
    "custom",
    {"name": names},
    {
        "description": short,
        "format": st.sampled_from(
            [{"type": "text"}, {"type": "grammar", "syntax": "lark", "definition": "x"}, None, 1]
        ),
    },
)
hosted_tools = st.sampled_from(["web_search", "web_search_preview", "code_interpreter", "mcp", "later"]).flatmap(
    lambda kind: typed(kind, {}, {"filters": json_values, "user_location": json_values})
)
tools = st.one_of(
    functions,
    customs,
    hosted_tools,
    typed("namespace", {"name": names, "tools": st.lists(functions | customs | hosted_tools, max_size=2)}, {}),
)
items = st.one_of(
    messages,
    thoughts,
    calls,
    results,
    hosted,
    aside,
    typed("additional_tools", {"tools": st.lists(tools, max_size=2)}, {}),
)
choices = st.one_of(
    st.sampled_from(["auto", "none", "required", None]),
    typed("function", {"name": names}, {}),
    typed("custom", {"name": names}, {}),
    typed("mcp", {"server_label": short}, {}),
    typed("allowed_tools", {"mode": st.just("auto"), "tools": st.lists(json_values, max_size=2)}, {}),
)
formats = st.one_of(
    typed("text", {}, {}),
    typed("json_object", {}, {}),
    typed(
        "json_schema", {"name": names, "schema": schemas}, {"strict": st.booleans() | st.none(), "description": short}
    ),
    typed("later", {}, {}),
    st.none(),
)
requests = objects(
    {"model": names},
    {
        "input": short | st.lists(items, max_size=5) | st.none(),
        "instructions": short | st.none(),
        "tools": st.lists(tools, max_size=3) | st.none(),
        "tool_choice": choices,
        "parallel_tool_calls": st.booleans() | st.none(),
        "text": objects({}, {"format": formats, "verbosity": short}),
        "reasoning": objects(
            {},
            {
                "effort": st.sampled_from(["none", "low", "max", "ultra", None]),
                "summary": st.sampled_from(["auto", "detailed", "later", None]),
                "context": short,
            },
        )
        | st.none(),
        "include": st.lists(
            st.sampled_from(["reasoning.encrypted_content", "message.output_text.logprobs"]), max_size=2
        ),
        "max_output_tokens": st.integers(0, 9) | st.just(5.0) | st.none(),
        "temperature": numbers | st.none(),
        "top_p": numbers,
        "top_logprobs": st.integers(0, 99),
        "stream": st.booleans() | st.none(),
        "store": st.booleans(),
        "background": st.booleans(),
        "previous_response_id": ids | st.none(),
        "conversation": ids | objects({"id": ids}, {}) | st.none(),
        "metadata": st.dictionaries(names, short, max_size=2) | st.none(),
        "user": short | st.none(),
        "safety_identifier": short,
        "prompt_cache_key": short,
        "prompt_cache_options": objects({}, {"mode": short, "ttl": short}),
        "service_tier": short,
        "truncation": short,
        "context_management": json_values,
        "prompt": json_values,
        "client_metadata": json_values,
    },
)

output_messages = typed(
    "message",
    {
        "id": ids,
        "role": st.just("assistant"),
        "status": st.sampled_from(["completed", "incomplete"]),
        "content": st.lists(output_texts | refusals, max_size=2),
    },
    {"phase": st.just("commentary")},
)
output_thoughts = typed(
    "reasoning",
    {"id": ids, "summary": summaries},
    {
        "content": st.lists(typed("reasoning_text", {"text": short}, {}), max_size=1),
        "encrypted_content": st.sampled_from(["", "gAAA"]) | st.none(),
        "status": st.just("completed"),
    },
)
output_items = st.one_of(
    output_messages,
    output_thoughts,
    typed("function_call", {"id": ids, "call_id": ids, "name": names, "arguments": short}, {"namespace": names}),
    typed("custom_tool_call", {"id": ids, "call_id": ids, "name": names, "input": short}, {}),
    hosted,
    typed("compaction", {"id": ids, "encrypted_content": st.just("gAAA")}, {}),
    typed("computer_call", {"id": ids}, {"action": json_values}),
)


def distinct(output: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """With ids that occur once, as every answer has them."""
    for place, item in enumerate(output):
        item["id"] = f"id_{place}"
        if "call_id" in item:
            item["call_id"] = f"call_{place}"
    return output


counts = st.integers(0, 1000)
usages = st.builds(
    lambda fresh, read, written, visible, reasoning: {
        "input_tokens": fresh + read + written,
        "input_tokens_details": {"cached_tokens": read, "cache_write_tokens": written},
        "output_tokens": visible + reasoning,
        "output_tokens_details": {"reasoning_tokens": reasoning},
        "total_tokens": fresh + read + written + visible + reasoning,
    },
    *[counts] * 5,
)
answers = objects(
    {
        "id": ids.map(lambda found: f"resp_{found}"),
        "object": st.just("response"),
        "created_at": st.integers(1, 2**31) | st.just(1790000000.5),
        "model": st.just("gpt-test"),
        "output": st.lists(output_items, max_size=4).map(distinct),
        "error": st.none(),
    },
    {
        "status": st.just("completed"),
        "usage": usages | objects({"input_tokens": counts}, {"output_tokens": counts}) | st.none(),
        "service_tier": short | st.none(),
        "tools": st.lists(json_values, max_size=1),
        "instructions": short | st.none(),
        "incomplete_details": st.none(),
    },
) | objects(
    {
        "id": st.just("resp_1"),
        "model": st.just("gpt-test"),
        "created_at": st.just(1),
        "output": st.lists(output_items, max_size=2).map(distinct),
        "status": st.just("incomplete"),
        "incomplete_details": st.sampled_from(
            [{"reason": "max_output_tokens"}, {"reason": "content_filter"}, {"reason": "steered"}, None]
        ),
    },
    {},
)
