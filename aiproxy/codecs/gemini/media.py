"""Images, sounds, films and documents: `inlineData` and `fileData`. What kind of part they are, their media type says.

Source: Gemini API reference, Blob and FileData; the Python SDK writes base64 in the URL-safe alphabet."""

import base64
import binascii
import mimetypes
import re
from collections.abc import Mapping

from aiproxy.codecs.fields import restore
from aiproxy.codecs.gemini.names import NAME, VENDOR
from aiproxy.codecs.gemini.reading import member, text, without
from aiproxy.neutral.carried import Extensions, Json
from aiproxy.neutral.media import FileIdSource, InlineSource, Source, TextSource, UrlSource
from aiproxy.neutral.parts import AudioPart, DocumentPart, ImagePart, VideoPart

MediaPart = ImagePart | AudioPart | VideoPart | DocumentPart

URL_SAFE = "~urlSafe"
"""The note that base64 came in the URL-safe alphabet."""

_YOUTUBE = re.compile(r"https?://(?:www\.|m\.)?(?:youtube\.com|youtu\.be)/", re.IGNORECASE)
_FILES_API = re.compile(r"https://generativelanguage\.googleapis\.com/", re.IGNORECASE)

_TO_STANDARD = str.maketrans("-_", "+/")
_TO_URL_SAFE = str.maketrans("+/", "-_")


def decode_inline(part: Mapping[str, Json]) -> MediaPart:
    blob = member(part, "inlineData", "parts[]")
    media_type, data = text(blob, "mimeType", "inlineData"), text(blob, "data", "inlineData")
    own = without(part, "inlineData", "thoughtSignature")
    if "-" in data or "_" in data:
        data = data.translate(_TO_STANDARD)
        own[URL_SAFE] = True
    source = _text_of(media_type, data) or InlineSource(media_type, data)
    filename = blob.get("displayName") if _is_document(media_type) else None
    if rest := without(blob, "mimeType", "data", *(("displayName",) if isinstance(filename, str) else ())):
        own["inlineData"] = rest
    return _part(source, media_type, filename if isinstance(filename, str) else None, {NAME: own} if own else {})


def decode_file(part: Mapping[str, Json]) -> MediaPart:
    found = member(part, "fileData", "parts[]")
    uri, media_type = text(found, "fileUri", "fileData"), found.get("mimeType")
    known = media_type if isinstance(media_type, str) else None
    source: Source = UrlSource(uri, known)
    if not uri.startswith(("http://", "https://")) or _FILES_API.match(uri):
        source = FileIdSource(VENDOR, uri, known)
    own = without(part, "fileData", "thoughtSignature")
    if rest := without(found, "fileUri", *(("mimeType",) if known is not None else ())):
        own["fileData"] = rest
    guessed = known or ("video/*" if _YOUTUBE.match(uri) else mimetypes.guess_type(uri)[0]) or ""
    return _part(source, guessed, None, {NAME: own} if own else {})


def encode_media(part: MediaPart) -> dict[str, Json]:
    """`inlineData` or `fileData`; a file id must be Google's. What rode along in the part is put back by the caller."""
    found: dict[str, Json]
    match part.source:
        case InlineSource(media_type, data):
            found = {"inlineData": {"mimeType": media_type, "data": data}}
        case TextSource(said, media_type):
            encoded = base64.b64encode(said.encode("utf-8", "surrogatepass")).decode()
            found = {"inlineData": {"mimeType": media_type, "data": encoded}}
        case UrlSource(uri, known) | FileIdSource(_, uri, known):
            found = {"fileData": {"fileUri": uri}}
            if known is not None:
                found["fileData"]["mimeType"] = known
    if isinstance(part, DocumentPart) and part.filename is not None and "inlineData" in found:
        found["inlineData"]["displayName"] = part.filename
    if URL_SAFE in part.extensions.get(NAME, {}):
        found["inlineData"]["data"] = found["inlineData"]["data"].translate(_TO_URL_SAFE)
    return found


def restored_media(part: MediaPart) -> dict[str, Json]:
    found = encode_media(part)
    restore(part.extensions, NAME, found)
    return found


def guessed_type(part: MediaPart) -> str | None:
    """The media type of a URL without one, by its ending: Google wants one for most."""
    if isinstance(part.source, UrlSource) and part.source.media_type is None and not _YOUTUBE.match(part.source.url):
        path = part.source.url.partition("?")[0]
        fallback = {ImagePart: "image/jpeg", AudioPart: "audio/mpeg", VideoPart: "video/mp4"}
        return mimetypes.guess_type(path)[0] or fallback.get(type(part), "application/pdf")
    return None


def _part(source: Source, media_type: str, filename: str | None, extensions: Extensions) -> MediaPart:
    match media_type.lower().partition("/")[0]:
        case "image":
            return ImagePart(source, extensions=extensions)
        case "audio":
            return AudioPart(source, extensions=extensions)
        case "video":
            return VideoPart(source, extensions=extensions)
        case _:
            return DocumentPart(source, filename, extensions=extensions)


def _is_document(media_type: str) -> bool:
    return media_type.lower().partition("/")[0] not in ("image", "audio", "video")


def _text_of(media_type: str, data: str) -> TextSource | None:
    """A text document in clear, where that loses nothing: other vendors take it as text."""
    if not media_type.lower().startswith("text/"):
        return None
    try:
        decoded = base64.b64decode(data, validate=True)
        said = decoded.decode()
    except (binascii.Error, ValueError):
        return None
    return TextSource(said, media_type) if base64.b64encode(decoded).decode() == data else None
