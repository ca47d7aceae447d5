"""The entry point: from arguments to an exit code, with one clear message where something is wrong."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

import click

from pipeline.cli.group import LazyGroup
from pipeline.errors import DONE, FAILED, OrgstreamError

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME: Final = "orgstream"
INTERRUPTED: Final = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line (sys.argv's, where none is given); the exit code: 0 done, 1 failed, 2 misused.

    Only faults of Orgstream's own leave it as exceptions, with their traceback.
    """
    try:
        code = _orgstream.main(arguments, prog_name=NAME, standalone_mode=False)
    except click.Abort:
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except OrgstreamError as error:
        click.echo(f"{NAME}: {error}", err=True)
        return error.exit_code
    except BrokenPipeError:  # the reader of our output has gone, which is its right
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    return code if isinstance(code, int) else DONE


def _show_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from pipeline.version import version  # noqa: PLC0415  # only this option needs it

        click.echo(f"{NAME} {version()}")
        context.exit()


@click.group(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
def _orgstream() -> None:
    """Replicate records between Salesforce orgs: exactly once in effect, by rules.

    Every setting is an environment variable and a flag of the commands that heed it; `orgstream settings`
    lists them all. Exit codes: 0 done, 1 failed, 2 usage or configuration.
    """
