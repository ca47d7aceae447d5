"""The commands in the order of --help, each with its summary: its file is imported only when it is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

COMMANDS: Final[Mapping[str, str]] = {
    "demo": "Orgs, users and the pipeline, live; then a proof of what it did.",
    "up": "Run everything in one terminal, on embedded servers where no URL is set.",
    "migrate": "Create or upgrade the orgstream schema.",
    "rules": "Rules as code: validate, plan, apply, export, history, rollback.",
    "explain": "Show what a rule makes of one real record, step by step; writes nothing.",
    "relay": "Publish captured changes into the streams.",
    "worker": "Carry changes through the stages, into the target tables.",
    "web": "Serve everyone's metrics and the status.",
    "drain": "Replicate what is queued now, then exit.",
    "status": "Show processes, partitions, lag, backlog and dead letters.",
    "top": "Show the same live, with rates by stage and rule.",
    "bench": "Measure speed, latency, memory and the writer's cost on embedded servers.",
    "prove": "Prove by load and faults that nothing is lost, repeated or reordered.",
    "dead-letters": "Look at what could not be applied; retry, skip or edit it.",
    "replay": "Have past changes take effect again, or at last.",
    "settings": "List every setting with its value, default, unit and meaning.",
}
