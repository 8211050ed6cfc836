"""What else is done to requests on their way: translation, the system prompt, media by URL."""

from dataclasses import dataclass
from enum import StrEnum

from aiproxy.config.schema.setting import setting


class Translation(StrEnum):
    LENIENT = "lenient"
    STRICT = "strict"


class PromptMode(StrEnum):
    APPEND = "append"
    OVERWRITE = "overwrite"


@dataclass(frozen=True, slots=True)
class Replacement:
    old: str = setting(
        "The words to replace, wherever they stand in the system prompt.", "", required=True, example="foo"
    )
    new: str = setting("What stands there instead.", "", example="bar")


@dataclass(frozen=True, slots=True)
class SystemPromptSettings:
    file: str = setting("A file with the prompt; read again when it changes.", "", path=True)
    text: str = setting("The prompt itself, where there is no `file`.", "")
    mode: PromptMode = setting(
        "Whether it follows the client's own system prompt, or stands in its place.", PromptMode.APPEND
    )
    replacements: tuple[Replacement, ...] = setting("Words to replace in the system prompt, the client's too.", ())


@dataclass(frozen=True, slots=True)
class MediaFetch:
    """Media that clients name by URL, for upstreams that take bytes only. In YAML `true`, or a mapping with these keys."""

    enabled: bool = setting("Fetch them; else such a request is refused with the field's name.", False)
    types: tuple[str, ...] = setting(
        "Globs of the media types that are taken.",
        ("image/*", "audio/*", "video/*", "application/pdf", "text/plain", "text/markdown", "text/csv"),
    )
    max_size_mb: float = setting("Largest file: as much as Google takes inline.", 20, minimum=0.001, unit="MiB")
    seconds: float = setting(
        "Longest time for one file, its wait and redirects included.", 20, minimum=0.1, unit="seconds"
    )
    redirects: int = setting("Most redirects on the way to one file; each is checked as the URL was.", 3, minimum=0)
    per_request: int = setting("Most files of one request.", 16, minimum=1)
    concurrent: int = setting("Most files fetched at once, of all requests.", 16, minimum=1)
    allow: tuple[str, ...] = setting(
        "Networks that may be fetched from although they are not public.", (), example=["10.1.2.0/24"]
    )
