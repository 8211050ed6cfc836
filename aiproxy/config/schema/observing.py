"""What the gateway tells: logs, metrics, prices."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from aiproxy.config.schema.setting import setting
from aiproxy.secrets import Secret


class LogFormat(StrEnum):
    AUTO = "auto"
    TEXT = "text"
    JSON = "json"


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Logging:
    format: LogFormat = setting("`text` for people, `json` for machines, `auto` = text on a terminal.", LogFormat.AUTO)
    level: LogLevel = setting("The least severe level that is written.", LogLevel.INFO)
    file: str = setting("Write to this file instead of standard output.", "", path=True)
    max_total_size_mb: int = setting("The log file and its rotated predecessors together.", 100, minimum=1, unit="MiB")


class PromptLogMode(StrEnum):
    NONE = "none"
    CONSOLE = "console"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class PromptLogSettings:
    mode: PromptLogMode = setting("`file`, `console` (standard output), or `none`.", PromptLogMode.NONE)
    directory: str = setting(
        "Where `prompts.jsonl` is written, with its rotated predecessors; of several workers each has its own "
        "(`prompts-1.jsonl`, …); empty is `logs` in the directory where the gateway runs.",
        "",
        example="/var/log/aiproxy",
        path=True,
    )
    max_total_size_mb: int = setting("A file and its rotated predecessors together.", 100, minimum=1, unit="MiB")
    media: bool = setting("Whether pictures and other base64 stay in it.", False)


@dataclass(frozen=True, slots=True)
class Notices:
    """Sent when an account must rest for a minute or longer, 90 % of a quota are used, or 80 and 100 % of a client's limit over a day or a
    month; again after an hour, if it is still so."""

    url: str = setting(
        "Where each is posted to, as JSON: `event`, `subject`, `message`, `at`.",
        "",
        example="https://hooks.example/aiproxy",
    )
    secret: Secret = setting(
        "Signs them: `x-aiproxy-signature: t=TIME,v1=HEX`, the HMAC-SHA256 of the time, a dot and the body.",
        factory=lambda: Secret(""),
        example="${NOTICES_SECRET}",
    )
    command: tuple[str, ...] = setting(
        "A program and its arguments, run without a shell for each, which reads the JSON from its standard input.",
        (),
        example=["/usr/local/bin/notify"],
    )


@dataclass(frozen=True, slots=True)
class MetricsSettings:
    """Of all workers together, whichever is asked; another node has its own."""

    enable: bool = setting("Serve `/metrics`.", True)
    port: int = setting(
        "Serve it at a port of its own, without a key, and no longer at the gateway's. Takes effect at the next start.",
        0,
        minimum=0,
        maximum=65535,
        unit="0 = the gateway's",
        example=9464,
    )
    host: str = setting("Where that port is; empty means all addresses.", "127.0.0.1")


class Conventions(StrEnum):
    V1_41 = "v1.41"
    NEXT = "next"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class TracingSettings:
    """A span of each call and of each of its attempts, which says who asked whom for what, what it used and how it ended; no
    words of requests or answers. They are sent in batches, behind the calls' back; what the collector is too slow for is dropped and
    counted (`aiproxy_spans_total`)."""

    otlp_endpoint: str = setting(
        "The collector's address, to which OTLP is posted as protobuf at `/v1/traces`; empty records nothing. Needs the extra "
        "`[otel]`. The proxy is the environment's (`https_proxy`), never `proxy-url`.",
        "",
        example="http://127.0.0.1:4318",
    )
    headers: Mapping[str, Secret] = setting(
        "Headers of what is sent there, as its login.", factory=dict, example={"authorization": "Bearer ${OTLP_TOKEN}"}
    )
    service_name: str = setting("What the collector knows this gateway by.", "aiproxy")
    sample_ratio: float = setting(
        "Of the calls without a `traceparent`, how many are recorded; one that comes with it says so itself.",
        1.0,
        minimum=0,
        maximum=1,
    )
    conventions: Conventions = setting(
        "Names of the attributes of OpenTelemetry's GenAI conventions, which change: `v1.41`, `next`, or `both`.",
        Conventions.V1_41,
    )
    propagate: bool = setting(
        "Whether upstreams are told `traceparent` and `tracestate`: with our span as the parent, or the client's where "
        "nothing is recorded.",
        True,
    )


@dataclass(frozen=True, slots=True)
class TokenPrices:
    """What tokens cost, in US dollars for a million."""

    input: float = setting("What it reads.", 0.0, minimum=0, example=2.5)
    output: float = setting("What it writes, thinking included.", 0.0, minimum=0, example=15)
    cache_read: float | None = setting(
        "What it reads from a cache; as `input` when absent.", None, minimum=0, example=0.25
    )
    cache_write: float | None = setting(
        "What it writes to a cache; as `input` when absent.", None, minimum=0, example=3
    )
    cache_write_1h: float | None = setting(
        "What it writes to a cache for an hour; as `input` when absent.", None, minimum=0, example=5
    )
    audio_in: float | None = setting("Sound that it reads; as `input` when absent.", None, minimum=0, example=10)
    audio_out: float | None = setting("Sound that it makes; as `output` when absent.", None, minimum=0, example=20)
    image_in: float | None = setting("Pictures that it reads; as `input` when absent.", None, minimum=0, example=5)
    image_out: float | None = setting("Pictures that it makes; as `output` when absent.", None, minimum=0, example=30)


@dataclass(frozen=True, slots=True)
class LongContextPrices(TokenPrices):
    """What all tokens of a call cost whose input is a long one."""

    above: int = setting("Calls that read more tokens than this.", 0, minimum=0, unit="0 = none", example=200000)


@dataclass(frozen=True, slots=True)
class ModelPrice(TokenPrices):
    """What a model's tokens cost, in US dollars for a million."""

    long_context: LongContextPrices = setting("Of calls that read much.", factory=LongContextPrices)
