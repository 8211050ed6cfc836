"""What the demo says, and how it counts: a token is up to twelve characters of a word, with the blanks before them."""

import re
from collections.abc import Sequence

from aiproxy.providers.demo.script import Kind, Script

STORY = (
    "A client knocked at a door and asked for a model. The gateway looked at its accounts, lent it one that was "
    "rested, and passed each word on as it came. When the account grew tired, another one took its place, and the "
    "client never noticed."
)

_TOKEN = re.compile(r"\s*\S{1,12}|\s+")


def tokens(text: str) -> list[str]:
    """Joined they are the text again."""
    return _TOKEN.findall(text)


def say(script: Script, heard: str) -> str:
    """The whole text of an answer to `heard`."""
    said = heard if script.kind is Kind.ECHO else STORY
    if script.words is None:
        return said
    pieces = tokens(said) or ["demo"]
    rounds = -(-script.words // len(pieces))
    repeated = [*pieces, *([f" {pieces[0].lstrip()}", *pieces[1:]] * (rounds - 1))]
    return "".join(repeated[: script.words])


def cut_at(text: str, stops: Sequence[str]) -> str:
    """The text up to the first stop sequence in it."""
    places = [place for stop in stops if (place := text.find(stop)) >= 0]
    return text[: min(places)] if places else text
