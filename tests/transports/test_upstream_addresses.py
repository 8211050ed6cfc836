"""URLs of upstreams and proxies, read into parts or refused in words that don't repeat them."""

import pytest

from aiproxy.neutral.errors import UpstreamFailed
from aiproxy.transports.addresses import ProxyKind, parse_proxy, parse_target

TARGETS = [
    # URL, secure, host, port, path, Host header
    ("https://api.openai.com/v1/models", True, "api.openai.com", 443, b"/v1/models", "api.openai.com"),
    ("http://127.0.0.1:11434/v1", False, "127.0.0.1", 11434, b"/v1", "127.0.0.1:11434"),
    ("http://h", False, "h", 80, b"/", "h"),
    ("https://H.example:443/a?b=c&d=%20#frag", True, "h.example", 443, b"/a?b=c&d=%20", "h.example"),
    ("https://h:80/", True, "h", 80, b"/", "h:80"),
    ("https://[::1]:8443/v1", True, "::1", 8443, b"/v1", "[::1]:8443"),
    ("http://[2001:db8::2]/", False, "2001:db8::2", 80, b"/", "[2001:db8::2]"),
    ("https://bücher.example/ü", True, "xn--bcher-kva.example", 443, b"/%C3%BC", "xn--bcher-kva.example"),
    (
        "https://h/models/a:streamGenerateContent?alt=sse",
        True,
        "h",
        443,
        b"/models/a:streamGenerateContent?alt=sse",
        "h",
    ),
]


@pytest.mark.parametrize(("url", "secure", "host", "port", "path", "header"), TARGETS)
def test_target(url: str, secure: bool, host: str, port: int, path: bytes, header: str) -> None:
    target = parse_target(url)
    assert (target.secure, target.host, target.port, target.path) == (secure, host, port, path)
    assert target.host_header == header


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hunter2",
        "//hunter2",
        "ftp://hunter2/",
        "https:///hunter2",
        "https://hunter2@h/",
        "https://user:hunter2@h/",
        "https://h:hunter2/",
        "https://h/hunter2\n",
        "https://h/a hunter2",
        "https://[::1/hunter2",
        "https://h\udc80unter2/",
    ],
)
def test_bad_target(url: str) -> None:
    with pytest.raises(UpstreamFailed) as failed:
        parse_target(url)
    assert "hunter2" not in str(failed.value)
    assert "`" in str(failed.value)  # it names the setting to change


PROXIES = [
    # URL, kind, host, port, user, password
    ("http://proxy", ProxyKind.HTTP, "proxy", 80, "", ""),
    ("https://proxy", ProxyKind.HTTPS, "proxy", 443, "", ""),
    ("socks5://proxy/", ProxyKind.SOCKS5, "proxy", 1080, "", ""),
    ("socks5h://u:p@[::1]:9", ProxyKind.SOCKS5H, "::1", 9, "u", "p"),
    ("http://a%40b:p%3Aq%2f@h:3128", ProxyKind.HTTP, "h", 3128, "a@b", "p:q/"),
]


@pytest.mark.parametrize(("url", "kind", "host", "port", "user", "password"), PROXIES)
def test_proxy(url: str, kind: ProxyKind, host: str, port: int, user: str, password: str) -> None:
    proxy = parse_proxy(url)
    assert (proxy.kind, proxy.host, proxy.port, proxy.user) == (kind, host, port, user)
    assert proxy.password.reveal() == password
    assert user == "" or f"{password}@" not in repr(proxy)


@pytest.mark.parametrize(
    "url",
    [
        "hunter2",
        "socks4://hunter2",
        "http://u:hunter2@",
        "http://u:hunter2@h:x",
        "http://u:hunter2@h:70000",
        "http://h/hunter2",
        "http://h?hunter2",
        "http://u:hunter2@h i",
    ],
)
def test_bad_proxy(url: str) -> None:
    with pytest.raises(UpstreamFailed) as failed:
        parse_proxy(url)
    assert "hunter2" not in str(failed.value)
    assert "`proxy-url`" in str(failed.value)
