"""The prompt log of this process: where it goes, and the thread that writes it."""

import os
import sys
from typing import Any

from aiproxy.config.schema import PromptLogMode, PromptLogSettings
from aiproxy.gateway import Gateway
from aiproxy.logs import Scrubbing
from aiproxy.logs.observer import MEGABYTE
from aiproxy.logs.output import FileOutput, Output, StreamOutput
from aiproxy.logs.prompt_log import PromptLog
from aiproxy.storage.threads import OneThread

DIRECTORY = "logs"
"""Where none is configured."""


class PromptsUnwritable(Exception):
    """The file, and why."""


class Prompts:
    """`number` is that of one of several workers, each of which has a file of its own."""

    def __init__(self, reactor: Any, gateway: Gateway, scrubbing: Scrubbing, number: int | None) -> None:
        self._gateway = gateway
        self._scrubbing = scrubbing
        self._number = number
        self._thread = OneThread(reactor, "prompt-log")

    def start(self, settings: PromptLogSettings) -> None:
        """Raises `PromptsUnwritable`."""
        if settings.mode is PromptLogMode.NONE:
            return
        output: Output = StreamOutput(sys.__stdout__ or sys.stdout)
        if settings.mode is PromptLogMode.FILE:
            number = "" if self._number is None else f"-{self._number}"
            directory = settings.directory or DIRECTORY
            path = os.path.join(directory, f"prompts{number}.jsonl")
            try:
                os.makedirs(directory, mode=0o700, exist_ok=True)
                output = FileOutput(path, settings.max_total_size_mb * MEGABYTE, output)
            except OSError as error:
                raise PromptsUnwritable(f"{path}: {error.strerror}") from None
        self._thread.start()
        self._gateway.prompts = PromptLog(output, self._scrubbing, self._thread.run, media=settings.media)

    async def stop(self) -> None:
        """When what waits is written."""
        if self._gateway.prompts is not None:
            await self._thread.run(self._gateway.prompts.close)
            self._thread.stop()
