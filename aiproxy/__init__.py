"""aiproxy: a unified AI API gateway, also for embedding into a program of your own.

`load_config` reads a configuration, `build_gateway` makes the `Gateway` of it on a reactor of your choice; `Gateway.answer`
takes a `Call` and writes into a `Sink`. Importing this installs no reactor and loads nothing until it is used."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aiproxy.config import load_config
    from aiproxy.embed import build_gateway
    from aiproxy.gateway import Call, Gateway, Sink

__all__ = ["Call", "Gateway", "Sink", "__version__", "build_gateway", "load_config"]
__version__ = "0.1.0"

_HOMES = {
    "Call": "aiproxy.gateway",
    "Gateway": "aiproxy.gateway",
    "Sink": "aiproxy.gateway",
    "build_gateway": "aiproxy.embed",
    "load_config": "aiproxy.config",
}


def __getattr__(name: str) -> Any:
    """Load a public name when it is asked for: the configuration tool must not pay for the gateway."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
