"""What an operator wants to be told without asking: accounts that rest long, quotas and budgets that run out. `watching` sees it (pure),
`hook` tells it to an address or a command."""

from aiproxy.notices.hook import Hook
from aiproxy.notices.watching import Notice, Watching, seen

__all__ = ["Hook", "Notice", "Watching", "seen"]
