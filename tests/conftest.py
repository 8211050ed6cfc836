"""What all tests share: how hypothesis behaves, a PostgreSQL and a browser. No reactor is imported here, so that a run may choose one."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from tests.rig.browser import Browser
    from tests.rig.postgres import Postgres

# Time limits for an example say more about the machine than about the code. Whoever runs the tests sees what everybody sees;
# new examples are looked for with `--hypothesis-profile=exploring`.
settings.register_profile("exploring", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("same", settings.get_profile("exploring"), derandomize=True)
settings.load_profile("same")


@pytest.fixture(scope="session")
def postgres() -> "Iterator[Postgres]":
    """A real server, started when the first test asks for it."""
    from tests.rig import postgres

    with postgres.running() as server:
        yield server


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """A real one, installed and started when the first test asks for it."""
    from tests.rig import browser

    with browser.running() as chromium:
        yield chromium
