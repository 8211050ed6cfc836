"""One declaration per upstream: its endpoints and their wire formats, how it is signed, which accounts the
configuration gives it. Data with a source; code only where an upstream differs in kind (`demo`, which is no network)."""
