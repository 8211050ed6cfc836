"""What a client protocol and a vendor can't do together, and why. Everything else must hold."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

Aspect = Literal["filtered", "details"]
"""`filtered`: to tell an answer that was filtered or refused from one that ended well. `details`: to count cached tokens, and
those of reasoning."""


@dataclass(frozen=True, slots=True)
class Cannot:
    """Globs of a client protocol and a vendor."""

    client: str
    vendor: str
    aspect: Aspect
    why: str


CANNOT = (
    Cannot("*", "ollama", "filtered", "An Ollama server has no word for it."),
    Cannot("ollama", "*", "filtered", "Ollama's clients know no word for it; they see the text, and `stop`."),
    Cannot("*", "ollama", "details", "An Ollama server doesn't count them apart."),
    Cannot("ollama", "*", "details", "Ollama's answers have no place for them."),
)


def can(client: str, vendor: str, aspect: Aspect) -> bool:
    return not any(
        entry.aspect == aspect and fnmatchcase(client, entry.client) and fnmatchcase(vendor, entry.vendor)
        for entry in CANNOT
    )
