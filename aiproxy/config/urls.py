"""What a URL in the configuration gives away and what is wrong with it. Texts in, texts out."""

from urllib.parse import SplitResult, unquote, urlsplit


def split(url: str) -> SplitResult | None:
    """The URL's parts, or None for text that is no URL."""
    try:
        parts = urlsplit(url)
        _ = parts.port, parts.hostname
    except ValueError:
        return None
    return parts


def passwords(text: str) -> tuple[str, ...]:
    """The password inside a URL, as written and as decoded; none in any other text."""
    if "@" not in text or "://" not in text:
        return ()
    # Not urlsplit: the text may be wrong as a URL and hold a password all the same.
    userinfo = text.partition("://")[2].rpartition("@")[0]
    password = userinfo.partition(":")[2]
    return tuple({password, unquote(password)} - {""})
