"""The group of all commands, which knows their summaries and imports only the one that is called."""

from __future__ import annotations

import difflib
import importlib

import click

from pipeline.cli.commands import COMMANDS


class LazyGroup(click.Group):
    """The commands of `pipeline.cli.commands`."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Their names, in the order of the list."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of this name, imported now; None where there is none."""
        return load(cmd_name) if cmd_name in COMMANDS else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments begin with. Raises UsageError that names the nearest one."""
        name = args[0]
        if name not in COMMANDS and (near := difflib.get_close_matches(name, COMMANDS, n=1)):
            ctx.fail(f"No such command '{name}'. Did you mean {near[0]}?")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write their summaries, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def load(name: str) -> click.Command:
    """The command `name`, from its file."""
    command = importlib.import_module(f"pipeline.cli.{name.replace('-', '_')}").command
    if not isinstance(command, click.Command):
        raise TypeError(f"the `command` of {name} is no click command")
    command.name = name
    return command
