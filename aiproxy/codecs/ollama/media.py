"""`images`: base64 without a media type, which is read from the bytes. Ollama takes sound in the same list."""

from aiproxy.codecs.data_urls import parse, sniffed
from aiproxy.codecs.ollama.notes import WRITTEN, note, riding
from aiproxy.neutral.carried import Json
from aiproxy.neutral.media import InlineSource
from aiproxy.neutral.parts import AudioPart, DocumentPart, ImagePart, Part, VideoPart

UNKNOWN = "image/jpeg"
"""The media type of bytes nobody recognises: upstreams look at the bytes again."""


def read_media(written: Json) -> ImagePart | AudioPart | VideoPart | DocumentPart:
    """Raises `ValueError` for what can't be base64. Data URLs are taken too."""
    if not isinstance(written, str):
        raise ValueError("must be a base64 string")
    source = parse(written)
    extensions = riding({}, (), {WRITTEN: written} if source else {})
    if source is None:
        if "://" in written[:_SCHEME]:
            raise ValueError("must be base64: a URL is not fetched")
        source = InlineSource(sniffed(written) or UNKNOWN, written)
    match source.media_type.partition("/")[0]:
        case "audio":
            return AudioPart(source, extensions=extensions)
        case "video":
            return VideoPart(source, extensions=extensions)
        case "application":
            return DocumentPart(source, extensions=extensions)
        case _:
            return ImagePart(source, extensions=extensions)


_SCHEME = 16
"""Characters within which a URL has its colon; base64 has none."""


def write_media(part: Part) -> str | None:
    """As it came, or the bare base64 of what came from elsewhere. None for what isn't inline."""
    if not isinstance(part, ImagePart | AudioPart | VideoPart | DocumentPart):
        return None
    if (written := note(part.extensions, WRITTEN)) is not None:
        return str(written)
    return part.source.data if isinstance(part.source, InlineSource) else None
