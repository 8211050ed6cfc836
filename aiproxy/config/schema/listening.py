"""Who may connect, and how: TLS, and what a client may cost before it is understood."""

from dataclasses import dataclass

from aiproxy.config.schema.setting import setting


@dataclass(frozen=True, slots=True)
class Tls:
    enable: bool = setting("Serve HTTPS (TLS 1.2 or newer) instead of HTTP.", False)
    cert: str = setting("PEM file with the certificate and its chain; read again when it changes.", "", path=True)
    key: str = setting("PEM file with the private key; read again when it changes.", "", path=True)
    http2: bool = setting("Offer HTTP/2 to clients that ask for it (ALPN).", True)


@dataclass(frozen=True, slots=True)
class Limits:
    """What clients may cost before they are understood."""

    request_body_mb: float = setting("Largest request body; a larger one is 413.", 64, minimum=0.001, unit="MiB")
    header_bytes: int = setting(
        "Largest sum of a request's header bytes; more is 431, and over HTTP/2 twice as many end the connection.",
        65536,
        minimum=1024,
        unit="bytes",
    )
    header_count: int = setting("Most headers a request may have; more is 431.", 200, minimum=10)
    header_seconds: float = setting(
        "Longest time a client may take to send a request's headers.", 60, minimum=1, unit="seconds"
    )
    body_idle_seconds: float = setting(
        "Longest silence in the middle of a request body.", 60, minimum=1, unit="seconds"
    )
    body_bytes_per_second: int = setting(
        "How fast a request body must come, on the whole and beyond its `limits.body-idle-seconds`; a slower one is 408. The least is "
        "a line of 64 kbit/s: there 8 MB may take 17 minutes, and the largest body 2.3 hours.",
        8000,
        minimum=1,
        unit="bytes a second",
    )
    connections: int = setting(
        "Most open client connections; a further one is closed unanswered. One that streams takes some 40 kB.",
        10000,
        minimum=1,
    )
    keep_alive_seconds: float = setting("How long an idle client connection is kept.", 75, minimum=1, unit="seconds")


@dataclass(frozen=True, slots=True)
class WebSocket:
    """Of one socket. A message may be as large as a request's body (`limits.request-body-mb`), and a handshake take as long as a
    request's headers (`limits.header-seconds`)."""

    calls: int = setting("Most calls at once on one socket; a further one is 429.", 100, minimum=1)
    idle_seconds: float = setting(
        "How long a socket without a call is kept when nothing is asked.", 600, minimum=1, unit="seconds"
    )
    outbound_mb: float = setting(
        "Most that waits for a client which does not read; more closes its socket (1008). At its end an answer of Responses says its "
        "text four times over, at once.",
        32,
        minimum=0.001,
        unit="MiB",
    )
    slow_reader_seconds: float = setting(
        "How long a client may not read: its calls pause meanwhile, then its socket is closed (1008).",
        60,
        minimum=1,
        unit="seconds",
    )
    responses_seconds: float = setting(
        "How long a socket at `/v1/responses` lasts: then it closes (1001) after its calls, and clients connect again; 0 is no limit.",
        3600,
        minimum=0,
        unit="seconds",
    )
    compression: bool = setting("Take compression (permessage-deflate) where the client offers it.", True)
    relays: int = setting("Most relays at once; a further one is 429.", 16, minimum=0)
    relay_keys: tuple[str, ...] = setting(
        "The names of the client keys that may connect relays, which see the calls they answer, whosever these are; with none named, "
        "the gateway's one key may.",
        (),
        example=["my-browser"],
    )
    origins: tuple[str, ...] = setting(
        "The pages (`Origin`) that may connect; empty means all that show a key. What is no page is not asked.",
        (),
        example=["https://app.example"],
    )
