"""Every code a problem can carry, explained with an example, in rooms by what they are about.

Codes are stable: people put them into their CI."""

from collections.abc import Mapping

from aiproxy.config.codes.explanation import Explanation
from aiproxy.config.codes.of_answers import OF_ANSWERS
from aiproxy.config.codes.of_calls import OF_CALLS
from aiproxy.config.codes.of_clients import OF_CLIENTS
from aiproxy.config.codes.of_imports import OF_IMPORTS
from aiproxy.config.codes.of_machine import OF_MACHINE
from aiproxy.config.codes.of_text import OF_TEXT
from aiproxy.config.codes.of_upstreams import OF_UPSTREAMS

__all__ = ["CODES", "EXPLANATIONS", "OF_IMPORTS", "Explanation"]

CODES: Mapping[str, Explanation] = {
    **OF_TEXT,
    **OF_CLIENTS,
    **OF_MACHINE,
    **OF_UPSTREAMS,
    **OF_ANSWERS,
    **OF_CALLS,
}

EXPLANATIONS: Mapping[str, Explanation] = {**CODES, **OF_IMPORTS}
"""With those of other gateways' files."""
