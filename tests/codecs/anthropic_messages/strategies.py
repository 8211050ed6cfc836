"""Bodies as clients and upstreams send them, fields nobody knows included."""

from typing import Any

from hypothesis import strategies as st

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
words = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=8)
ids = st.text("abcXYZ019_-", min_size=1, max_size=10)
said = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)

scalars = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | text
)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3), max_leaves=5
)
objects = st.dictionaries(words, anything, max_size=3)
unknown = st.dictionaries(st.sampled_from(["x_new", "future", "~content", "~block", "~"]), anything, max_size=2)

cache_controls = st.sampled_from(
    [{"type": "ephemeral"}, {"type": "ephemeral", "ttl": "1h"}, {"type": "ephemeral", "x": 1}, {"type": "later"}, None]
)


def record(required: dict[str, st.SearchStrategy[Any]], **optional: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    known = st.fixed_dictionaries(required, optional=optional)
    return st.builds(lambda more, found: {**more, **found}, unknown, known)


def block(kind: str, /, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Fields named with a last `_` are optional."""
    required = {name: value for name, value in fields.items() if not name.endswith("_")}
    optional = {name.removesuffix("_"): value for name, value in fields.items() if name.endswith("_")}
    return record({"type": st.just(kind), **required}, **optional)


citations = (
    block("char_location", document_index=st.integers(0, 3), document_title_=text | st.none(), cited_text=text)
    | block("web_search_result_location", url=text, title_=text | st.none(), encrypted_index=text, cited_text=text)
    | block("x_location", anywhere=anything)
)

sources = (
    block("base64", media_type=st.just("image/png"), data=text) | block("url", url=text) | block("file", file_id=text)
)
document_sources = sources | block("text", media_type=st.just("text/plain"), data=text)

texts = block("text", text=text, cache_control_=cache_controls, citations_=st.none() | st.lists(citations, max_size=2))
images = block("image", source=sources, cache_control_=cache_controls)
documents = block(
    "document",
    source=document_sources | block("content", content=text | st.lists(block("text", text=text), max_size=2)),
    title_=text | st.none(),
    context_=text | st.none(),
    citations_=st.none() | st.fixed_dictionaries({"enabled": st.booleans()}),
    cache_control_=cache_controls,
)
search_results = block("search_result", source=text, title=text, content=st.lists(block("text", text=text), max_size=2))
thinking = block("thinking", thinking=text, signature_=text) | block("redacted_thinking", data=text)
tool_uses = block("tool_use", id=ids, name=words, input=objects, caller_=anything, cache_control_=cache_controls)
hosted = block("server_tool_use", id=ids, name=st.sampled_from(["web_search", "later"]), input=objects) | block(
    "web_search_tool_result", tool_use_id=ids, content=anything
)
future = block("x_block", anything_=anything) | block("container_upload", file_id=text)

tool_results = block(
    "tool_result",
    tool_use_id=ids,
    content_=text | st.none() | st.lists(texts | images | documents | future, max_size=3),
    is_error_=st.booleans() | st.none(),
    cache_control_=cache_controls,
)

user_messages = record(
    {
        "role": st.just("user"),
        "content": text | st.lists(texts | images | documents | search_results | tool_results | future, max_size=4),
    }
)
assistant_messages = record(
    {
        "role": st.just("assistant"),
        "content": text | st.lists(texts | thinking | tool_uses | hosted | future | block("compaction", content_=text)),
    }
)
system_messages = record({"role": st.just("system"), "content": text | st.lists(texts, max_size=2)})

tools = record(
    {"name": words},
    type=st.sampled_from(["custom", None]),
    description=text | st.none(),
    input_schema=objects | st.none(),
    strict=st.booleans() | st.none(),
    defer_loading=st.booleans(),
    cache_control=cache_controls,
) | block(
    "web_search_20250305", name=st.just("web_search"), max_uses_=st.integers(1, 9), allowed_domains_=st.lists(text)
)

tool_choices = (
    block("auto", disable_parallel_tool_use_=st.booleans() | st.none())
    | block("any")
    | block("none")
    | block("tool", name=words)
)

requests = record(
    {
        "model": words,
        "max_tokens": st.integers(0, 2**53),
        "messages": st.lists(user_messages | assistant_messages | system_messages, max_size=5),
    },
    system=text | st.none() | st.lists(texts, max_size=2),
    stream=st.booleans() | st.none(),
    stop_sequences=st.none() | st.lists(text, max_size=3),
    temperature=st.none() | st.floats(0, 1),
    top_p=st.none() | st.floats(0, 1),
    top_k=st.none() | st.integers(0, 500),
    tools=st.none() | st.lists(tools, max_size=3),
    tool_choice=st.none() | tool_choices,
    thinking=st.none()
    | block("adaptive", display_=st.sampled_from(["omitted", "summarized", "updates", None]))
    | block("enabled", budget_tokens=st.integers(0, 99999), display_=st.sampled_from(["omitted"]))
    | block("disabled")
    | block("between_tools")
    | block("x_thinking"),
    output_config=st.none()
    | record(
        {},
        effort=st.sampled_from(["low", "medium", "high", "xhigh", "max", "later", None]),
        format=st.none() | block("json_schema", schema=objects, name_=text) | block("later"),
    ),
    output_format=st.none() | block("json_schema", schema=objects),
    metadata=st.none() | record({}, user_id=text | st.none()),
    service_tier=st.sampled_from(["auto", "standard_only", "later", None]),
    speed=st.sampled_from(["standard", "fast", None]),
    cache_control=cache_controls,
    context_management=anything,
    container=anything,
)

usages = record(
    {"input_tokens": st.integers(0, 10**6), "output_tokens": st.integers(0, 10**6)},
    cache_read_input_tokens=st.none() | st.integers(0, 10**6),
    cache_creation_input_tokens=st.none() | st.integers(0, 10**6),
    output_tokens_details=st.none() | st.fixed_dictionaries({"thinking_tokens": st.integers(0, 10**6)}),
    server_tool_use=st.none() | st.fixed_dictionaries({"web_search_requests": st.integers(0, 9)}),
    service_tier=st.sampled_from(["standard", "priority", "batch", None]),
)

answers = record(
    {
        "id": ids,
        "type": st.just("message"),
        "role": st.just("assistant"),
        "model": st.just("claude-test"),
        "content": st.lists(
            block("text", text=said, citations_=st.none() | st.lists(citations, max_size=2))
            | block("thinking", thinking=text, signature=text)
            | block("redacted_thinking", data=said)
            | block("tool_use", id=ids, name=words, input=objects, caller_=anything)
            | hosted
            | future,
            max_size=5,
        ),
        "stop_reason": st.sampled_from(["end_turn", "max_tokens", "stop_sequence", "pause_turn", "refusal", "later"]),
        "stop_sequence": st.none() | text,
        "usage": usages,
    },
    stop_details=st.none() | objects,
    container=anything,
)
