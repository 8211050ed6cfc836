"""The operator's system prompt: from the configuration itself, or from a file beside it."""

from collections.abc import Iterator
from pathlib import Path

from aiproxy.config.problems import Finding, Severity
from aiproxy.config.read import reason
from aiproxy.config.schema import PromptMode, SystemPromptSettings
from aiproxy.rewriting.system_prompt import SystemPrompt

LARGEST_PROMPT = 1 << 20
"""Bytes. The longest system prompts of real agents have under 100 kB; every request pays for it."""


def prompt_problems(settings: SystemPromptSettings) -> Iterator[Finding]:
    if settings.file and settings.text:
        message = "a system prompt comes from `file` or from `text`, not from both"
        yield Severity.ERROR, "prompt-twice", message, "system-prompt.text"
    try:
        _text(settings)
    except (OSError, ValueError) as error:
        message = f"this system prompt can't be read: {reason(error)}"
        yield Severity.ERROR, "unreadable-file", message, "system-prompt.file"


def system_prompt(settings: SystemPromptSettings) -> SystemPrompt:
    """Raises `OSError` or `ValueError` for a file that has gone bad since it was checked."""
    replacements = tuple((each.old, each.new) for each in settings.replacements)
    return SystemPrompt(_text(settings), settings.mode is PromptMode.OVERWRITE, replacements)


def _text(settings: SystemPromptSettings) -> str:
    """Without the line end that editors leave."""
    if not settings.file:
        return settings.text
    with Path(settings.file).open("rb") as stream:
        content = stream.read(LARGEST_PROMPT + 1)
    if len(content) > LARGEST_PROMPT:
        raise ValueError(f"it is larger than {LARGEST_PROMPT // 1024} KiB")
    try:
        return content.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8 text") from None
