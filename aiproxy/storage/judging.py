"""Whether a gateway would start with what was read: what only a look beyond the configuration can tell."""

from aiproxy.config.load import Configuration
from aiproxy.config.problems import ConfigurationInvalid, Place, Severity, problem_at
from aiproxy.storage.state.database import StateRefused
from aiproxy.storage.state_address import database_of


def judged(read: Configuration) -> Configuration:
    """What was read, once its state was looked at: a gateway starts neither on another program's nor on a newer one's.

    Raises `ConfigurationInvalid`."""
    try:
        database_of(read.settings.state_in_effect).judge()
    except StateRefused as refused:
        place = read.places.get("state", Place(read.source))
        problem = problem_at(place, Severity.ERROR, "bad-state", str(refused), path="state")
        raise ConfigurationInvalid([*read.warnings, problem]) from None
    return read
