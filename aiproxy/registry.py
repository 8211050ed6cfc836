"""What exists. Built-ins come from a visible list, others through entry points of the group `aiproxy.plugins`; both
through the same door: a function `register(registry)`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import entry_points

from aiproxy.codecs import anthropic_messages, gemini, ollama, openai_chat, openai_responses
from aiproxy.codecs.codec import Codec
from aiproxy.credentials.login import Login
from aiproxy.credentials.logins import LOGINS
from aiproxy.providers.aistudio import AISTUDIO
from aiproxy.providers.antigravity import ANTIGRAVITY
from aiproxy.providers.base import Provider
from aiproxy.providers.claude import CLAUDE
from aiproxy.providers.codex import CODEX
from aiproxy.providers.copilot import COPILOT
from aiproxy.providers.demo.declaration import DEMO
from aiproxy.providers.gemini import GEMINI
from aiproxy.providers.gemini_cli import GEMINI_CLI
from aiproxy.providers.iflow import IFLOW
from aiproxy.providers.kimi import KIMI
from aiproxy.providers.kiro import KIRO
from aiproxy.providers.ollama import OLLAMA
from aiproxy.providers.openai import OPENAI
from aiproxy.providers.openai_compatible import OPENAI_COMPATIBLE
from aiproxy.providers.qwen import QWEN
from aiproxy.providers.vertex import VERTEX
from aiproxy.providers.xai import XAI

PROTOCOLS: Mapping[str, Codec] = {
    codec.name: codec
    for codec in (openai_chat.CODEC, openai_responses.CODEC, anthropic_messages.CODEC, gemini.CODEC, ollama.CODEC)
}
"""The client protocols."""

PLUGINS = "aiproxy.plugins"
"""The entry point group whose members are functions `register(registry: Registry) -> None`."""


class Registry:
    """Filled while the program starts, only read afterwards."""

    def __init__(self) -> None:
        self._providers: dict[str, Provider] = {}
        self._logins: dict[str, Login] = {}

    def provider(self, declaration: Provider) -> None:
        """Raises `ValueError` when the name is taken."""
        if declaration.name in self._providers:
            raise ValueError(f"there is a provider named {declaration.name!r} already")
        self._providers[declaration.name] = declaration

    def login(self, declaration: Login) -> None:
        """How accounts of the provider of this name log in. Raises `ValueError` when that is known already."""
        if declaration.provider in self._logins:
            raise ValueError(f"there is a login for {declaration.provider!r} already")
        self._logins[declaration.provider] = declaration

    @property
    def logins(self) -> Mapping[str, Login]:
        """By provider."""
        return self._logins

    @property
    def providers(self) -> Sequence[Provider]:
        return tuple(self._providers.values())


WITH_KEYS = (OPENAI, CLAUDE, GEMINI, VERTEX, CODEX, XAI, OLLAMA, OPENAI_COMPATIBLE)
"""Some of them also have accounts of logins."""

WITH_LOGINS = (GEMINI_CLI, ANTIGRAVITY, KIRO, QWEN, IFLOW, KIMI, COPILOT)


def _built_ins(registry: Registry) -> None:
    for declaration in (*WITH_KEYS, *WITH_LOGINS, AISTUDIO, DEMO):
        registry.provider(declaration)
    for login in LOGINS:
        registry.login(login)


def load_registry(doors: Iterable[Callable[[Registry], None]] | None = None) -> Registry:
    """Built-ins, then `doors` (by default every installed plugin's)."""
    registry = Registry()
    _built_ins(registry)
    for door in (entry.load() for entry in entry_points(group=PLUGINS)) if doors is None else doors:
        door(registry)
    return registry
