"""Rules on keys: those that clients show, and what any key must be to be sent in a header."""

import re
from collections.abc import Iterator
from time import time

from aiproxy.clients import moment
from aiproxy.config.problems import Finding, Severity
from aiproxy.config.schema import Settings
from aiproxy.secrets import Secret

SHORTEST_CLIENT_KEY = 16
"""Characters. Sixteen random ones can't be tried out over a network."""

_PLACEHOLDER = re.compile(
    r"(sk-)?(your|insert|replace|enter|put)[-_ ].{0,40}(key|token|secret|here|me|this)([-_ ]?[0-9]{1,3})?"
    r"|(sk-)?(x{3,}|\.{3}|…|\*{3,})|sk-1234|change[-_ ]?me|<.*>|\{.*\}",
    re.IGNORECASE,
)
"""Keys of examples: `your-api-key-1`, `sk-your-key-here`, `changeme`, `sk-xxxxxxxx`, `<key>`, LiteLLM's `sk-1234`."""


def client_problems(settings: Settings) -> Iterator[Finding]:
    holders: dict[str, int] = {}
    for index, client in enumerate(settings.api_keys):
        path = f"api-keys[{index}].key"
        key = client.key.reveal()
        if not key:
            continue
        yield from key_problems(client.key, path)
        if key in holders:
            message = f"this is the key of api-keys[{holders[key]}] again"
            yield Severity.ERROR, "duplicate-client-key", message, path
        holders.setdefault(key, index)
        yield from expiry_problems(client.expires, f"api-keys[{index}].expires")
        if len(key) < SHORTEST_CLIENT_KEY and not _PLACEHOLDER.fullmatch(key):
            message = f"a client key shorter than {SHORTEST_CLIENT_KEY} characters can be guessed"
            yield Severity.WARNING, "short-key", message, path


def expiry_problems(text: str, path: str) -> Iterator[Finding]:
    if not text:
        return
    try:
        ends = moment(text)
    except ValueError:
        message = f"`{path}` wants a date or a time, as `2099-12-31` or `2099-12-31T18:00+01:00`"
        yield Severity.ERROR, "bad-date", message, path
    else:
        if ends <= time():
            yield Severity.WARNING, "expired-key", "this key has expired; nobody can call with it", path


def key_problems(key: Secret, path: str) -> Iterator[Finding]:
    text = key.reveal()
    if _PLACEHOLDER.fullmatch(text):
        yield Severity.ERROR, "example-key", "this key stands in examples; everyone knows it", path
    elif not re.fullmatch(r"[!-~]+", text):
        yield Severity.ERROR, "bad-key", "a key is one line of printable ASCII without blanks", path
