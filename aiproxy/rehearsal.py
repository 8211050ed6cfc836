"""Whether what is installed now would go on where this supervisor stopped, shown by another process that comes as far as it can without
taking over: its code is imported, the configuration loaded, and what would be left is understood."""

import os
import signal
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from aiproxy.succession import VARIABLE, Succession


async def rehearsed(reactor: Any, command: Sequence[str], left: Succession, seconds: float) -> bool:
    """It may take so long. What it has to say goes where our own words go."""
    rehearsal = _Rehearsal()
    environ = {**os.environ, VARIABLE: replace(left, rehearsal=True).encoded()}
    process = reactor.spawnProcess(rehearsal, command[0], command, env=environ, childFDs={0: 0, 1: 1, 2: 2})
    hangs = reactor.callLater(seconds, process.signalProcess, signal.SIGKILL)
    well = await rehearsal.well
    if hangs.active():
        hangs.cancel()
    return well


class _Rehearsal(ProcessProtocol):
    def __init__(self) -> None:
        self.well: Deferred[bool] = Deferred()

    def processEnded(self, reason: Failure) -> None:
        self.well.callback(reason.check(ProcessDone) is not None)
