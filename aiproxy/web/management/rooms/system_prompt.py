"""The operator's system prompt: as it is in effect, and another one, written into the configuration."""

from collections.abc import Mapping, Sequence
from typing import Any

from aiproxy.config.edit import edited, without
from aiproxy.config.schema import PromptMode, Settings
from aiproxy.gateway import Gateway
from aiproxy.neutral.errors import Conflict, InvalidRequest
from aiproxy.web.management.rooms.editing import Configuring, editing
from aiproxy.web.management.rooms.settings import OK
from aiproxy.web.management.routes import Asked, Route


class SystemPromptRoom:
    def __init__(self, gateway: Gateway, configuring: Configuring) -> None:
        self._gateway = gateway
        self._configuring = configuring

    def routes(self) -> Sequence[Route]:
        takes = {"text": "The prompt.", "mode": "`append` or `overwrite`.", "replacements": "`old` and `new` each."}
        return (
            Route("GET", "/system-prompt", "The operator's system prompt, as it is in effect.", self.prompt),
            Route("PUT", "/system-prompt", "Another one; with an empty text, none.", self.put_prompt, takes=takes),
        )

    async def prompt(self, _asked: Asked) -> Mapping[str, Any]:
        said, prompt = self._settings.system_prompt, self._gateway.snapshot.system_prompt
        return {
            "text": prompt.text,
            "file": said.file,
            "mode": said.mode,
            "replacements": [{"old": each.old, "new": each.new} for each in said.replacements],
        }

    async def put_prompt(self, asked: Asked) -> Mapping[str, Any]:
        text, mode = asked.text("text"), asked.object().get("mode")
        replacements = asked.object().get("replacements")
        if mode is not None and mode not in list(PromptMode):
            raise InvalidRequest(f"The field 'mode' must be one of {', '.join(PromptMode)}.", param="mode")
        if self._settings.system_prompt.file:
            told = f"The system prompt stands in {self._settings.system_prompt.file}: change it there, or unset `system-prompt.file`."
            raise Conflict(told, param="text")
        values = {"text": text, "mode": mode, "replacements": replacements}

        def change(kept: str) -> str:
            for name, value in values.items():
                if value in ("", []) and getattr(self._settings.system_prompt, name):
                    kept = without(kept, f"system-prompt.{name}")
                elif value:
                    kept = edited(kept, f"system-prompt.{name}", value)
            return kept

        with editing():
            await self._configuring.edit(change, asked.change("Change the system prompt"))
        return OK

    @property
    def _settings(self) -> Settings:
        return self._gateway.snapshot.settings
