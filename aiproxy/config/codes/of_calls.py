"""Codes about what becomes of a call: what is changed in it, and what happens when it fails."""

from collections.abc import Mapping

from aiproxy.config.codes.explanation import Explanation

OF_CALLS: Mapping[str, Explanation] = {
    # What is changed in requests
    "bad-json-path": Explanation(
        "A path into a JSON body is made of names and numbers with dots between them: `generationConfig.topK`, `stop.0`, "
        '`messages.-1` (append), `messages.#.name` (every element), `tools.#(type=="web_search")` (the first that matches, '
        "with `#` after it all of them). A dot that belongs to a name is written `\\.`.",
        "payload:\n  filter:\n    - {models: [gpt-*], params: [metadata..user]}",
        "payload:\n  filter:\n    - {models: [gpt-*], params: [metadata.user]}",
    ),
    "bad-json": Explanation(
        "`default-raw` and `override-raw` take JSON; this text is none.",
        'payload:\n  override-raw:\n    - {models: [gpt-*], params: {stop: "[1"}}',
        'payload:\n  override-raw:\n    - {models: [gpt-*], params: {stop: "[1]"}}',
    ),
    "prompt-twice": Explanation(
        "A system prompt comes from `file` or from `text`, not from both.",
        "# prompt.txt is there\nsystem-prompt: {file: prompt.txt, text: Be brief.}",
        "system-prompt: {text: Be brief.}",
    ),
    # Fallbacks and failures
    "unknown-fallback": Explanation(
        "A provider that doesn't exist, or a model that no account offers, is to stand in for another.",
        "openai-api-key:\n  - {api-key: some-upstream-key, models: [gpt-5.4]}\nmodel-fallback: {gpt-5.4: [gpt-6]}",
        "openai-api-key:\n  - {api-key: some-upstream-key, models: [gpt-5.4, gpt-6]}\nmodel-fallback: {gpt-5.4: [gpt-6]}",
    ),
    "fallback-loop": Explanation(
        "What stands in for a provider or a model leads back to it, over one link or several.",
        "provider-fallback-chain: {openai: [claude], claude: [openai]}",
        "openai-api-key: [some-upstream-key]\nclaude-api-key: [another-upstream-key]\nprovider-fallback-chain: {openai: [claude]}",
    ),
    "idle-fallback": Explanation(
        "What is to stand in never can: the provider lists no model that the other one has, or nobody offers the model that "
        "is to be stood in for.",
        "openai-api-key:\n  - {api-key: some-upstream-key, models: [gpt-5.4]}\nmodel-fallback: {gpt-6: [gpt-5.4]}",
        "openai-api-key:\n  - {api-key: some-upstream-key, models: [gpt-5.4, gpt-6]}\nmodel-fallback: {gpt-6: [gpt-5.4]}",
    ),
    "bad-pattern": Explanation(
        "`match-regexr` holds regular expressions in Python's spelling.",
        'request-scoped-errors:\n  - {status: 400, match-regexr: ["("], action: continue}',
        'request-scoped-errors:\n  - {status: 400, match-regexr: ["[(]"], action: continue}',
    ),
    "rule-for-everything": Explanation(
        "A rule on failures names neither a status nor words, so that it fits them all.",
        "request-scoped-errors:\n  - {action: continue}",
        "request-scoped-errors:\n  - {status: 400, action: continue}",
    ),
}
