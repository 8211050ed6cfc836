"""What an operator wants to be told without asking: accounts that rest long, quotas and budgets that run out. `watching` sees it (pure),
`hook` tells it to an address or a command, `looking` does both now and then."""

from aiproxy.notices.looking import Looking

__all__ = ["Looking"]
