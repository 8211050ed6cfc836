"""The database's versions: each migration is a list of statements that lead from the version before. Only ever appended to.

The SQL is what SQLite and PostgreSQL share; `{id}` is the one thing they spell differently, a number that rises with
every row. A migration that has been released is never edited: databases of that version exist."""

from collections.abc import Sequence

Migration = Sequence[str]

MIGRATIONS: Sequence[Migration] = (
    (  # 1
        """CREATE TABLE usage (id {id}, at DOUBLE PRECISION NOT NULL, node TEXT NOT NULL, request_id TEXT NOT NULL,
        attempt BIGINT NOT NULL, client TEXT NOT NULL, protocol TEXT NOT NULL, operation TEXT NOT NULL,
        account TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL, seconds DOUBLE PRECISION NOT NULL,
        outcome TEXT NOT NULL, error TEXT NOT NULL, upstream_status BIGINT, input_uncached BIGINT, cache_read BIGINT,
        cache_write BIGINT, cache_write_1h BIGINT, audio_in BIGINT, tool_prompt BIGINT, output_visible BIGINT,
        reasoning BIGINT, audio_out BIGINT, server_tools TEXT NOT NULL)""",
        "CREATE INDEX usage_at ON usage (at)",
        """CREATE TABLE requests (id {id}, at DOUBLE PRECISION NOT NULL, node TEXT NOT NULL, request_id TEXT NOT NULL,
        client TEXT NOT NULL, protocol TEXT NOT NULL, operation TEXT NOT NULL, model TEXT NOT NULL,
        streamed BIGINT NOT NULL, outcome TEXT NOT NULL, error TEXT NOT NULL, seconds DOUBLE PRECISION NOT NULL,
        first_byte DOUBLE PRECISION, attempts BIGINT NOT NULL, decision TEXT NOT NULL)""",
        "CREATE INDEX requests_at ON requests (at)",
        "CREATE INDEX requests_request_id ON requests (request_id)",
        """CREATE TABLE cooldowns (account TEXT NOT NULL, model TEXT NOT NULL, name TEXT NOT NULL, reason TEXT NOT NULL,
        rest DOUBLE PRECISION NOT NULL, since DOUBLE PRECISION NOT NULL, until DOUBLE PRECISION NOT NULL,
        changed DOUBLE PRECISION NOT NULL, PRIMARY KEY (account, model))""",
        """CREATE TABLE quotas (account TEXT NOT NULL, period TEXT NOT NULL, allowed DOUBLE PRECISION,
        remaining DOUBLE PRECISION, resets_at DOUBLE PRECISION, changed DOUBLE PRECISION NOT NULL,
        PRIMARY KEY (account, period))""",
        """CREATE TABLE affinity (session TEXT NOT NULL PRIMARY KEY, account TEXT NOT NULL,
        until DOUBLE PRECISION NOT NULL, changed DOUBLE PRECISION NOT NULL)""",
        """CREATE TABLE counters (client TEXT NOT NULL, meter TEXT NOT NULL, period TEXT NOT NULL, amount BIGINT NOT NULL,
        changed DOUBLE PRECISION NOT NULL, PRIMARY KEY (client, meter, period))""",
        """CREATE TABLE locks (name TEXT NOT NULL PRIMARY KEY, holder TEXT NOT NULL, fence BIGINT NOT NULL,
        until DOUBLE PRECISION NOT NULL)""",
        """CREATE TABLE writers (writer TEXT NOT NULL PRIMARY KEY, batch BIGINT NOT NULL, changed DOUBLE PRECISION NOT NULL)""",
    ),
    (  # 2
        "ALTER TABLE affinity ADD COLUMN model TEXT NOT NULL DEFAULT ''",
    ),
    (  # 3
        "ALTER TABLE usage ADD COLUMN asked TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE usage ADD COLUMN session TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE usage ADD COLUMN first_byte DOUBLE PRECISION",
        "ALTER TABLE usage ADD COLUMN cost DOUBLE PRECISION",
        "ALTER TABLE usage ADD COLUMN prices TEXT NOT NULL DEFAULT ''",
    ),
    (  # 4
        "ALTER TABLE usage ADD COLUMN estimated BIGINT NOT NULL DEFAULT 0",
        "ALTER TABLE usage ADD COLUMN raw TEXT NOT NULL DEFAULT ''",
        """CREATE TABLE slices (client TEXT NOT NULL, meter TEXT NOT NULL, period TEXT NOT NULL, process TEXT NOT NULL,
        amount BIGINT NOT NULL, until DOUBLE PRECISION NOT NULL, PRIMARY KEY (client, meter, period, process))""",
        """CREATE TABLE client_keys (digest TEXT NOT NULL PRIMARY KEY, id TEXT NOT NULL, name TEXT NOT NULL,
        ending TEXT NOT NULL, settings TEXT NOT NULL, created DOUBLE PRECISION NOT NULL, until DOUBLE PRECISION,
        changed DOUBLE PRECISION NOT NULL)""",
    ),
    (  # 5
        "ALTER TABLE usage ADD COLUMN image_in BIGINT",
        "ALTER TABLE usage ADD COLUMN image_out BIGINT",
    ),
    (  # 6
        """CREATE TABLE configurations (id {id}, place TEXT NOT NULL, at DOUBLE PRECISION NOT NULL, author TEXT NOT NULL,
        reason TEXT NOT NULL, version TEXT NOT NULL, body TEXT NOT NULL)""",
        "ALTER TABLE usage ADD COLUMN tags TEXT NOT NULL DEFAULT ''",
    ),
    (  # 7
        "ALTER TABLE usage ADD COLUMN before DOUBLE PRECISION",
        "ALTER TABLE usage ADD COLUMN streamed BIGINT NOT NULL DEFAULT 0",
        "ALTER TABLE usage ADD COLUMN chosen TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE usage ADD COLUMN decision TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE usage ADD COLUMN remarks TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE requests ADD COLUMN remarks TEXT NOT NULL DEFAULT ''",
        "CREATE INDEX usage_request_id ON usage (request_id)",
    ),
)

VERSION = len(MIGRATIONS)
"""Of the databases this program writes."""
