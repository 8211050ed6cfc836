"""The configuration that a gateway would use here: its own file's, or the one in its store."""

import os
from collections.abc import Sequence

from aiproxy.config.load import Configuration
from aiproxy.config.schema import StoreType
from aiproxy.storage.source import Source


def in_use(config: str | None, overrides: Sequence[str] = ()) -> Configuration:
    """Raises `ConfigurationInvalid`, and `StoreError` for a store that can't be had."""
    source = Source(config, os.environ, overrides)
    local = source.local()
    return local if local.settings.store.type is StoreType.FILE else source.start().configuration
