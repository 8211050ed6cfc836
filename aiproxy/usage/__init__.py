"""What was used, by whom, and how it ended: one record per attempt, many readers. Pure."""

from aiproxy.usage.record import Attempt, CallRecord, Outcome

__all__ = ["Attempt", "CallRecord", "Outcome"]
