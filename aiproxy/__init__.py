"""aiproxy: a unified AI API gateway."""

from importlib.metadata import version

__version__ = version("aiproxy")
