"""What was used, by whom, and how it ended: one record per attempt, many readers. Pure."""

from aiproxy.usage.journal import Journal, story
from aiproxy.usage.record import Attempt, CallRecord, Choice, Outcome, Passed

__all__ = ["Attempt", "CallRecord", "Choice", "Journal", "Outcome", "Passed", "story"]
