"""`crossbuild completion`: the script that lets a shell complete crossbuild's commands."""

from __future__ import annotations

import click
from click.shell_completion import ShellComplete, get_completion_class

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that lets a shell complete commands.

    Shells look for it in /etc/bash_completion.d/crossbuild, /usr/share/zsh/site-functions/_crossbuild and
    /etc/fish/completions/crossbuild.fish. For the running bash: `eval "$(crossbuild completion bash)"`.
    """
    completer = get_completion_class(shell)
    assert completer is not None
    script = completer(context.find_root().command, {}, "crossbuild", "_CROSSBUILD_COMPLETE")
    # Not the subclass's own `source`: it starts a bash to learn its version, which may be another host's.
    click.echo(ShellComplete.source(script))
