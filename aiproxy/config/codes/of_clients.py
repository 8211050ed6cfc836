"""Codes about who may call."""

from collections.abc import Mapping

from aiproxy.config.codes.explanation import Explanation

OF_CLIENTS: Mapping[str, Explanation] = {
    "exposed-without-keys": Explanation(
        "The gateway would answer other machines without asking for a key. Add `api-keys`, or listen on 127.0.0.1.",
        'host: ""',
        'host: ""\napi-keys: ["${TEAM_KEY}"]',
    ),
    "duplicate-client-key": Explanation(
        "The same client key twice. Only one of the holders would be known.",
        "api-keys: [a-key-that-is-long-enough, a-key-that-is-long-enough]",
        "api-keys: [a-key-that-is-long-enough, another-key-that-is-long]",
    ),
    "duplicate-name": Explanation(
        "Two client keys, or two upstream accounts, have the same name; logs could not tell them apart.",
        "api-keys:\n  - {name: a, key: first-long-enough-key}\n  - {name: a, key: second-long-enough-key}",
        "api-keys:\n  - {name: a, key: first-long-enough-key}\n  - {name: b, key: second-long-enough-key}",
    ),
    "duplicate-account": Explanation(
        "The same key at the same upstream twice. It has one limit, and would be tried twice when it is reached.",
        "openai-api-key: [some-upstream-key, some-upstream-key]",
        "openai-api-key: [some-upstream-key, another-upstream-key]",
    ),
    "example-key": Explanation(
        "A key that was copied from an example. Everyone knows it. `aiproxy-config init` makes a random one.",
        "api-keys: [your-api-key-1]",
        'api-keys: ["${TEAM_KEY}"]',
    ),
    "short-key": Explanation(
        "A client key of fewer than 16 characters, or a management key of fewer than 12, can be guessed.",
        "api-keys: [opensesame]",
        "api-keys: [open-sesame-said-forty-thieves]",
    ),
    "long-key": Explanation(
        "A management key of more than 72 bytes: its hash (bcrypt) would cover only the beginning.",
        "remote-management:\n  secret-key: "
        "one-two-three-four-five-six-seven-eight-nine-ten-eleven-twelve-thirteen-fourteen",
        "remote-management:\n  secret-key: a-key-that-is-long-enough",
    ),
    "bad-date": Explanation(
        "A date is written `2099-12-31`, which counts to its end, or with a time: `2099-12-31T18:00`, in UTC unless it names "
        "a zone (`+01:00`).",
        "api-keys: [{key: a-client-key-of-some-length, expires: next year}]",
        "api-keys: [{key: a-client-key-of-some-length, expires: 2099-12-31}]",
    ),
    "expired-key": Explanation(
        "The key's `expires` is past: whoever calls with it is refused. Leave it out, or give it a later date.",
        "api-keys: [{key: a-client-key-of-some-length, expires: 2020-01-01}]",
        "api-keys: [{key: a-client-key-of-some-length, expires: 2099-12-31}]",
    ),
    "bad-key": Explanation(
        "A key travels in an HTTP header: one line of printable ASCII, without blanks.",
        'api-keys: ["two words"]',
        "api-keys: [two-words-without-blank]",
    ),
    "readable-secret": Explanation(
        "The file holds secrets in plain text, and everyone on this machine may read it. `chmod 600` it, or write "
        "`${NAME}` or `{file: PATH}` instead.",
        "# a file of mode 0644\napi-keys: [a-key-that-is-long-enough]",
        "# a file of mode 0600\napi-keys: [a-key-that-is-long-enough]",
    ),
}
