"""The configuration: what can be set (`schema`), reading it with every problem at its line (`load`), rules across keys (`checks`).

Reading is synchronous and knows no reactor. What is built from settings does not belong here.
"""

from aiproxy.config.load import Configuration, load_config
from aiproxy.config.problems import ConfigurationInvalid, Problem, render_problems
from aiproxy.config.schema import Settings

__all__ = ["Configuration", "ConfigurationInvalid", "Problem", "Settings", "load_config", "render_problems"]
