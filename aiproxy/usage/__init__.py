"""What was used, by whom, and how it ended: one record per attempt, many readers. Pure."""

from aiproxy.usage.record import Attempt, CallRecord, Choice, Outcome, Passed
from aiproxy.usage.story import story

__all__ = ["Attempt", "CallRecord", "Choice", "Outcome", "Passed", "story"]
