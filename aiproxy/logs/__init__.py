"""What happened, written down: twisted.logger events as lines for people or machines, and never a secret among them.

What belongs here: the observer, its two renderings, the files it writes, the access entry and its line, the scrubbing of
everything that goes out. Deciding what is worth an event does not. Nothing here imports the reactor.
"""

from aiproxy.logs.access import ACCESS, AccessEntry, access
from aiproxy.logs.observer import LogObserver, make_observer
from aiproxy.logs.scrubbing import Scrubbing, spellings
from aiproxy.logs.threshold import Threshold

__all__ = ["ACCESS", "AccessEntry", "LogObserver", "Scrubbing", "Threshold", "access", "make_observer", "spellings"]
