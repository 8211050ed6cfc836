"""Bodies as clients and upstreams send them, fields nobody knows included."""

import base64
from typing import Any

from hypothesis import strategies as st

Any_ = st.SearchStrategy[Any]

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
words = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=8)
ids = st.text("abcXYZ019_-", min_size=1, max_size=10)
said = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)

scalars = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | text
)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3), max_leaves=5
)
objects = st.dictionaries(words | st.just("snake_case"), anything, max_size=3)
messages = st.dictionaries(words, anything, max_size=3)
unknown = st.dictionaries(st.sampled_from(["xNew", "future"]), anything, max_size=2)


def record(required: dict[str, Any_], **optional: Any_) -> Any_:
    known = st.fixed_dictionaries(required, optional=optional)
    return st.builds(lambda more, found: {**more, **found}, unknown, known)


encoded = st.binary(max_size=9).map(lambda data: base64.b64encode(data).decode())
url_safe = st.binary(max_size=9).map(lambda data: base64.urlsafe_b64encode(data).decode())
media_types = st.sampled_from(["image/png", "audio/wav", "video/mp4", "application/pdf", "text/plain", "TEXT/csv", ""])
uris = st.sampled_from(
    [
        "https://generativelanguage.googleapis.com/v1beta/files/abc",
        "gs://bucket/film.mp4",
        "https://www.youtube.com/watch?v=1",
        "https://example.org/a.png",
        "",
    ]
)

blobs = record({"mimeType": media_types, "data": encoded | url_safe}, displayName=text | st.none())
files = record({"fileUri": uris}, mimeType=media_types | st.none())
responses = (
    objects
    | st.builds(lambda word: {"output": word}, text | objects)
    | st.builds(lambda word: {"error": word}, text)
    | st.builds(lambda name, word: {"name": name, "content": word}, words, text)
)
calls = record({"name": words}, id=ids | st.just("") | st.none(), args=objects | st.none())
results = record(
    {},
    name=words | st.none(),
    id=ids | st.none(),
    response=responses | st.none(),
    parts=st.lists(record({"inlineData": blobs}) | record({"fileData": files}), max_size=2),
)
extras: dict[str, Any_] = {
    "thoughtSignature": encoded | url_safe | st.sampled_from(["", "skip_thought_signature_validator", None]),
    "partMetadata": objects,
    "videoMetadata": st.just({"fps": 1}),
    "mediaResolution": st.just({"level": "MEDIA_RESOLUTION_LOW"}),
}
thoughts: Any_ = st.booleans() | st.none()
hosted = (
    record({"executableCode": record({"language": st.just("PYTHON"), "code": text})}, **extras)
    | record({"codeExecutionResult": record({"outcome": st.just("OUTCOME_OK")}, output=text)}, **extras)
    | record({"toolCall": record({"toolType": st.just("GOOGLE_SEARCH_WEB")}, args=objects, id=ids)}, **extras)
    | record({"toolResponse": record({}, id=ids, response=objects)}, **extras)
)
said_parts = record({"text": text}, thought=thoughts, **extras)
media = record({"inlineData": blobs}, **extras) | record({"fileData": files}, **extras)
call_parts = record({"functionCall": calls}, thought=thoughts, **extras)
result_parts = record({"functionResponse": results}, **extras)
odd_parts = unknown | record({"thoughtSignature": encoded}, thought=thoughts)

parts = said_parts | media | call_parts | result_parts | hosted | odd_parts
contents = record(
    {}, role=st.sampled_from(["user", "model", "function", None]), parts=st.lists(parts, max_size=3) | parts
)

schemas = st.sampled_from(
    [
        {"type": "OBJECT", "properties": {"a_b": {"type": "STRING", "nullable": True}}},
        {"type": "object", "properties": {"a": {"type": ["string", "null"]}}, "required": ["a"]},
        {"anyOf": [{"type": "STRING"}, {"type": "integer"}]},
        {},
        None,
    ]
)
declarations = record(
    {"name": words},
    description=text | st.none(),
    parameters=schemas,
    parametersJsonSchema=schemas,
    behavior=st.just("BLOCKING"),
    response=schemas,
)
tools = record(
    {},
    functionDeclarations=st.lists(declarations, max_size=2) | st.none(),
    googleSearch=st.just({}) | st.none(),
    codeExecution=st.just({}),
)
tool_configs = record(
    {},
    functionCallingConfig=record(
        {},
        mode=st.sampled_from(["AUTO", "any", "NONE", "VALIDATED", "MODE_UNSPECIFIED", "", None]),
        allowedFunctionNames=st.lists(words, max_size=2) | st.none(),
        streamFunctionCallArguments=st.booleans(),
    )
    | st.none(),
    retrievalConfig=messages,
)
thinking = record(
    {},
    includeThoughts=st.booleans() | st.none(),
    thinkingBudget=st.sampled_from([-1, 0, 1024, None]),
    thinkingLevel=st.sampled_from(["LOW", "high", "THINKING_LEVEL_UNSPECIFIED", "XHIGH", None]),
)
numbers = st.integers(0, 5) | st.floats(0, 5) | st.none()
generation = record(
    {},
    temperature=numbers,
    topP=numbers,
    topK=st.integers(0, 50) | st.none(),
    maxOutputTokens=st.integers(1, 2**40),
    candidateCount=st.integers(1, 8),
    stopSequences=st.lists(text, max_size=7) | st.none(),
    seed=st.integers(-(2**40), 2**40),
    presencePenalty=numbers,
    frequencyPenalty=numbers,
    responseLogprobs=st.booleans(),
    logprobs=st.integers(0, 20),
    responseMimeType=st.sampled_from(["application/json", "text/plain", "text/x.enum", None]),
    responseSchema=schemas,
    responseJsonSchema=schemas,
    responseModalities=st.lists(st.sampled_from(["TEXT", "IMAGE", "audio"]), max_size=2) | st.none(),
    speechConfig=messages | st.none(),
    mediaResolution=st.just("MEDIA_RESOLUTION_LOW"),
    thinkingConfig=thinking | st.none(),
)
requests = record(
    {},
    contents=st.lists(contents, max_size=4) | contents | st.none(),
    systemInstruction=record({}, role=text, parts=st.lists(said_parts, max_size=2) | said_parts) | st.none(),
    tools=st.lists(tools, max_size=3) | st.none(),
    toolConfig=tool_configs | st.none(),
    generationConfig=generation | st.none(),
    safetySettings=st.lists(messages, max_size=1) | st.none(),
    cachedContent=text,
    serviceTier=st.sampled_from(["flex", "standard", "unspecified", "priority", "later", None]),
    labels=st.dictionaries(words, text, max_size=2),
)

counts = st.integers(0, 2**40)
usages = record(
    {"promptTokenCount": counts},
    cachedContentTokenCount=counts,
    candidatesTokenCount=counts,
    thoughtsTokenCount=counts,
    toolUsePromptTokenCount=counts,
    totalTokenCount=counts,
    promptTokensDetails=st.lists(
        record({}, modality=st.sampled_from(["TEXT", "AUDIO"]), tokenCount=counts), max_size=2
    ),
)
finishes = st.sampled_from(
    [
        "STOP",
        "MAX_TOKENS",
        "SAFETY",
        "RECITATION",
        "OTHER",
        "MALFORMED_FUNCTION_CALL",
        "CONTINUATION",
        "LATER",
        "NO_IMAGE",
    ]
)
grounding = st.just(
    {
        "webSearchQueries": ["q"],
        "groundingChunks": [{"web": {"uri": "https://a.example", "title": "A"}}],
        "groundingSupports": [{"segment": {"endIndex": 2, "text": "ab"}, "groundingChunkIndices": [0, 7]}],
    }
)
logprobs = st.just(
    {
        "chosenCandidates": [{"token": "a", "logProbability": -0.5, "tokenId": 3}],
        "topCandidates": [{"candidates": [{"token": "a", "logProbability": -0.5}]}],
    }
) | st.just({"chosenCandidates": [{"token": "a", "logProbability": -0.25}]})
answer_calls = record({"functionCall": record({"name": words, "args": objects}, id=ids)}, **extras)
answer_parts = said_parts | media | answer_calls | hosted
answer_contents = st.builds(
    lambda more, items: {**more, "role": "model", **({"parts": items} if items else {})},
    unknown,
    st.lists(answer_parts, max_size=3),
)
candidates = record(
    {"finishReason": finishes},
    content=answer_contents,
    safetyRatings=st.lists(objects, max_size=1),
    groundingMetadata=grounding,
    logprobsResult=logprobs,
    finishMessage=text,
)


def _numbered(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**candidate, "index": index} for index, candidate in enumerate(found)]


answers = record(
    {
        "candidates": st.lists(candidates, min_size=1, max_size=2).map(_numbered),
        "modelVersion": st.just("gemini-test"),
        "responseId": ids,
    },
    usageMetadata=usages,
    createTime=st.sampled_from(["2026-11-21T10:00:00.123456789Z", "yesterday"]),
)
blocked = st.builds(
    lambda reason, name: {
        "promptFeedback": {"blockReason": reason},
        "modelVersion": "gemini-test",
        "responseId": name,
    },
    st.sampled_from(["SAFETY", "OTHER", "JAILBREAK"]),
    ids,
)
