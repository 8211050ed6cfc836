"""Where the bytes of an image, a sound, a film or a document come from."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class UrlSource:
    url: str
    media_type: str | None = None


@dataclass(frozen=True, slots=True)
class InlineSource:
    """`data` is standard base64 text, as all five protocols have it: megabytes are not decoded only to be encoded again."""

    media_type: str
    data: str


LARGE = 65_536
"""Characters of base64 from which on it is worth while to have them once only."""


class ExcerptSource(InlineSource):
    """The same as a part of something larger that is held anyway: its megabytes are there once, and a second time only while
    somebody writes them."""

    __slots__ = ("place", "whole")
    whole: bytes | str
    place: slice

    def __init__(self, media_type: str, whole: bytes | str, place: slice) -> None:
        object.__setattr__(self, "media_type", media_type)
        object.__setattr__(self, "whole", whole)
        object.__setattr__(self, "place", place)

    @property
    def data(self) -> str:
        whole = self.whole
        return whole[self.place] if isinstance(whole, str) else str(memoryview(whole)[self.place], "ascii")


@dataclass(frozen=True, slots=True)
class FileIdSource:
    """A file already uploaded to `vendor`; no other vendor can resolve `id`."""

    vendor: str
    id: str
    media_type: str | None = None


@dataclass(frozen=True, slots=True)
class TextSource:
    """A document that is plain text."""

    text: str
    media_type: str = "text/plain"


Source: TypeAlias = UrlSource | InlineSource | FileIdSource | TextSource
