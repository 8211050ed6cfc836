"""Ways to log in: each a coroutine that asks its vendor and a person, through a `Desk`. No I/O of its own, no clock, no chance:
the tool runs them in a terminal, tests by a script."""
