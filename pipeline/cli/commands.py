"""The commands in the order of --help, each with its summary: its file is imported only when it is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

COMMANDS: Final[Mapping[str, str]] = {
    "migrate": "Create or upgrade the orgstream schema.",
    "rules": "Rules as code: validate, plan, apply, export.",
    "relay": "Publish captured changes into the streams.",
    "drain": "Replicate what is queued now, then exit.",
    "status": "Show processes, partitions, lag, backlog and dead letters.",
    "worker": "Carry changes through the stages, into the target tables.",
    "settings": "List every setting with its value, default, unit and meaning.",
}
