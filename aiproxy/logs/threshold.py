"""The least severe level that is written, which a configuration that is taken over may change."""

from twisted.logger import LogLevel as TwistedLevel

from aiproxy.config.schema import LogLevel

_ORDER = tuple(TwistedLevel.iterconstants())
"""Least severe first."""

_LEAST = {
    LogLevel.DEBUG: TwistedLevel.debug,
    LogLevel.INFO: TwistedLevel.info,
    LogLevel.WARN: TwistedLevel.warn,
    LogLevel.ERROR: TwistedLevel.error,
}


class Threshold:
    def __init__(self, level: LogLevel = LogLevel.INFO) -> None:
        self.set(level)

    def set(self, level: LogLevel) -> None:
        self._silent = frozenset(_ORDER[: _ORDER.index(_LEAST[level])])

    def lets_through(self, level: object) -> bool:
        """One of Twisted's levels."""
        return level not in self._silent
