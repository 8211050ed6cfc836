"""Which account serves an attempt, and when one that failed may again. Pure but for `pool`, which holds the Deferreds.

Knows accounts by id and errors by kind; no wire format, provider or socket."""
