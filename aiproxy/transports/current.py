"""The transport to upstreams as the settings want it: kept, with its connections, while nothing about it changes."""

import os
from typing import Any

from aiproxy.config import Settings
from aiproxy.transports.http import HttpTransport


class CurrentTransport:
    """`of` gives it; those before it serve calls that are under way until `leave_former`."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._transports: list[HttpTransport] = []

    def of(self, settings: Settings) -> HttpTransport:
        if not self._transports or self.latest.timeouts != settings.timeouts:
            self._transports.append(HttpTransport(self._reactor, settings.timeouts, os.environ))
        return self.latest

    @property
    def latest(self) -> HttpTransport:
        """Whatever the settings want now. Only after `of`."""
        return self._transports[-1]

    def leave_former(self) -> None:
        for transport in self._transports[:-1]:
            transport.close()
        del self._transports[:-1]

    async def close(self) -> None:
        for transport in self._transports:
            await transport.close()
