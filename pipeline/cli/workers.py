"""How many workers a command starts that starts them itself."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable

_Command = TypeVar("_Command", bound="Callable[..., Any]")
_MOST: Final = 4


def usual_workers() -> int:
    """One for each processor that we may use: one worker leaves a second one idle. Four at most, for relay,
    Postgres and Redis need some of them too.
    """
    return min(_MOST, _processors())


def with_workers(command: _Command) -> _Command:
    """Give a command the flag `--workers`."""
    return click.option(
        "--workers",
        type=click.IntRange(1, 64),
        default=usual_workers,
        show_default=f"one for each processor, {_MOST} at most",
        help="How many workers.",
    )(command)


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
