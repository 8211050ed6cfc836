"""What a client's protocol and an upstream's can't do together, and why: part of the compatibility page, and the only
exceptions that the conformance tests know. What becomes of single fields of requests is in the codecs' own tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal, get_args

Aspect = Literal["filtered", "details", "embeddings", "tokens"]

ASPECTS: Mapping[Aspect, str] = {
    "filtered": "to tell an answer that was filtered or refused from one that ended well",
    "details": "to count cached tokens, and those of reasoning",
    "embeddings": "embeddings",
    "tokens": "embeddings of token ids instead of text",
}

assert tuple(ASPECTS) == get_args(Aspect)


@dataclass(frozen=True, slots=True)
class Cannot:
    """Globs of a client protocol and of an upstream's, by the name of their codec."""

    client: str
    upstream: str
    aspect: Aspect
    why: str


CANNOT = (
    Cannot("*", "ollama", "filtered", "An Ollama server has no word for it."),
    Cannot("ollama", "*", "filtered", "Ollama's clients know no word for it; they see the text, and `stop`."),
    Cannot("*", "kiro", "embeddings", "Kiro makes none: error 400, or another account."),
    Cannot("*", "kiro", "details", "Kiro doesn't count reasoning apart."),
    Cannot("*", "ollama", "details", "An Ollama server doesn't count them apart."),
    Cannot("ollama", "*", "details", "Ollama's answers have no place for them."),
    Cannot("*", "anthropic*", "embeddings", "Anthropic's API makes none: error 400, or another account."),
    Cannot("*", "openai-responses", "embeddings", "The Responses API alone makes none: error 400, or another account."),
    Cannot("openai-chat", "gemini", "tokens", "Google's tokenizer numbers them otherwise, and takes text only."),
    Cannot("openai-chat", "ollama", "tokens", "Each model's tokenizer numbers them otherwise; text only."),
)


def can(client: str, upstream: str, aspect: Aspect) -> bool:
    return not any(
        entry.aspect == aspect and fnmatchcase(client, entry.client) and fnmatchcase(upstream, entry.upstream)
        for entry in CANNOT
    )
