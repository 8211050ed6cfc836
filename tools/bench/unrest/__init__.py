"""A load run amid unrest: hundreds of streams over accounts that fail and recover at random, for clients that leave at random.

Not how fast, but whether anything is left over: a lease, a socket, a Deferred, memory; and whether any client took a part of
an answer for the whole. `python -m bench.unrest` in `tools`; loopback only."""
