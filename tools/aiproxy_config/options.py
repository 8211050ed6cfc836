"""What commands have in common: the option that names the configuration, and one sentence for what can go wrong."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from aiproxy.config.problems import ConfigurationInvalid, render_problems

CONFIG = click.option("--config", type=click.Path(), metavar="FILE", help="The configuration, as for the gateway.")


def complete_key(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    """Of the paths of all settings those that begin so, for a shell."""
    from aiproxy.config.load import leaves
    from aiproxy.config.schema import Settings

    return [path for path, _ in leaves(Settings()) if path.startswith(begun)]


Command = Callable[..., None]


def refusing(*errors: type[Exception]) -> Callable[[Command], Command]:
    """What a configuration, a file, or whatever raises these says no with, as the tool's own error."""

    refusals: tuple[type[Exception], ...] = (*errors, OSError)

    def guard(command: Command) -> Command:
        @wraps(command)
        def guarded(*arguments: Any, **options: Any) -> None:
            try:
                command(*arguments, **options)
            except ConfigurationInvalid as invalid:
                raise click.ClickException(render_problems(invalid.problems).strip()) from None
            except BrokenPipeError:  # whoever reads has had enough; click ends without a word
                raise
            except FileExistsError as error:
                raise click.ClickException(f"{error.filename} is there already: choose another name.") from None
            except refusals as error:
                raise click.ClickException(str(error)) from None

        return guarded

    return guard


one_sentence = refusing()
