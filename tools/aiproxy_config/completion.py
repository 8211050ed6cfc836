"""`completion`: what a shell reads to complete commands and options."""

import click
from click.shell_completion import get_completion_class

SHELLS = {"bash": "~/.bashrc", "zsh": "~/.zshrc", "fish": "~/.config/fish/completions/aiproxy-config.fish"}


@click.command()
@click.argument("shell", type=click.Choice(list(SHELLS)))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what makes SHELL complete this tool's commands and options.

    For bash and zsh put this line into ~/.bashrc or ~/.zshrc:

        eval "$(aiproxy-config completion bash)"

    For fish, write it to a file once:

        aiproxy-config completion fish > ~/.config/fish/completions/aiproxy-config.fish
    """
    found = get_completion_class(shell)
    assert found is not None
    tool = context.find_root().command
    click.echo(found(tool, {}, "aiproxy-config", "_AIPROXY_CONFIG_COMPLETE").source())
