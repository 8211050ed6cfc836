"""Files of a form (`multipart/form-data`, RFC 7578), from a body that is in memory. Pure."""

from email.parser import BytesParser
from email.policy import HTTP
from typing import NamedTuple


class Part(NamedTuple):
    """`file` is the name that the client gives a file, "" for a field."""

    name: str
    file: str
    body: bytes


def parts(content_type: str, content: bytes) -> list[Part]:
    """Raises `ValueError` for a body that is no such form."""
    if not content_type.lower().startswith("multipart/form-data"):
        raise ValueError("the body is no multipart/form-data")
    head = f"content-type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    message = BytesParser(policy=HTTP).parsebytes(head + content)
    if not message.is_multipart():
        raise ValueError("the form has no parts, or no boundary")
    found = []
    for part in message.iter_parts():
        body = part.get_payload(decode=True)
        assert isinstance(body, bytes)
        name = str(part.get_param("name", "", "content-disposition") or "")
        found.append(Part(name, part.get_filename() or "", body))
    return found
