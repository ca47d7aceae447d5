"""docs/commands.md, from the commands' own help: `python -m pipeline.cli.document > docs/commands.md`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import click

from pipeline.cli.commands import COMMANDS
from pipeline.cli.entry import NAME
from pipeline.cli.group import load

if TYPE_CHECKING:
    from collections.abc import Iterator

_WIDTH: Final = 100
_HEAD: Final = """\
# Commands

Written from the commands' own help; change it in `pipeline/cli/`.

`orgstream …` and `python -m pipeline …` are the same. Exit codes: 0 done, 1 failed, 2 usage or configuration.
Logs go to stderr, results to stdout. The brackets after an option name the environment variable that says the
same: see [settings](settings.md).
"""


def document() -> str:
    """The page, with a section for each command and for each command of a family."""
    return _HEAD + "".join(_section(path, command) for name in COMMANDS for path, command in _tree(name))


def _tree(name: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    command = load(name)
    yield (name,), command
    if isinstance(command, click.Group):
        yield from (((name, part), child) for part, child in command.commands.items())


def _section(path: tuple[str, ...], command: click.Command) -> str:
    # Like the real thing, but with a width that no terminal decides.
    context = click.Context(
        command,
        info_name=" ".join((NAME, *path)),
        terminal_width=_WIDTH,
        help_option_names=["-h", "--help"],
    )
    return f"\n## {' '.join(path)}\n\n```text\n{context.get_help()}\n```\n"


if __name__ == "__main__":
    sys.stdout.write(document())
