"""A gateway without a server: for programs that want the pool and the relay in their own process."""

import os
from random import Random
from typing import Any

from aiproxy.config import Configuration
from aiproxy.gateway import Gateway, build_snapshot
from aiproxy.registry import load_registry
from aiproxy.transports.http import HttpTransport


def build_gateway(configuration: Configuration, reactor: Any) -> Gateway:
    """Wire a gateway from a loaded configuration. It listens nowhere, reloads nothing and needs no stopping."""
    snapshot = build_snapshot(
        configuration.settings,
        configuration.secrets,
        load_registry().providers,
        reactor,
        lambda settings: HttpTransport(reactor, settings.timeouts, os.environ),
    )
    return Gateway(reactor, Random(), snapshot)  # noqa: S311 - spreads retries, guards nothing
