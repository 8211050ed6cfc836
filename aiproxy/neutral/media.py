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
