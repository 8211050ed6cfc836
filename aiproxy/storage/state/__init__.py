"""What the gateway learns, kept: usage, requests, cooldowns, quota windows, affinity, counters, locks.

`State` is the reactor's side: rows are handed over, one thread writes them in batches. Below it everything is
synchronous and knows no reactor, so that `aiproxy-config state` can use it: a `Database` (a SQLite file, or PostgreSQL for
several nodes), typed `rows`, numbered `migrations`. No one but this package writes SQL for these tables."""
