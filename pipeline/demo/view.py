"""The picture of the running demo, from its latest samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from rich.console import Group
from rich.table import Table
from rich.text import Text

from pipeline.demo.objects import HUB, sends

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from pipeline.demo.sample import Sample


class Rates(msgspec.Struct, frozen=True):
    """How fast things go, per second."""

    captured: float
    applied: float


def rates(samples: Sequence[Sample]) -> Rates:
    """Between the first and the last sample."""
    first, last = samples[0], samples[-1]
    seconds = last.at - first.at
    if seconds <= 0:
        return Rates(0.0, 0.0)
    return Rates((last.captured - first.captured) / seconds, (last.applied - first.applied) / seconds)


def line(samples: Sequence[Sample]) -> str:
    """One line for all of it."""
    sample, speed, status = samples[-1], rates(samples), samples[-1].status
    return (
        f"  edits {sample.edits:,} · captured {sample.captured:,} ({speed.captured:,.0f}/s) · "
        f"applied {sample.applied:,} ({speed.applied:,.0f}/s) · in the outbox {status.backlog:,} · "
        f"in the streams {status.pending or 0:,} · lag {_milliseconds(sample.p50)} · "
        f"dead letters {status.dead}"
    )


def picture(title: str, left: float | None, samples: Sequence[Sample]) -> RenderableType:
    """The live view: what users do in the orgs, and where their changes are. `left` is in seconds."""
    heading = Text(title, style="bold")
    if left is not None:
        heading.append(f" · {max(0.0, left):.0f} s left", style="dim")
    return Group("", heading, "", _orgs(samples[-1]), "", _way(samples), "", _partitions(samples[-1]))


def _orgs(sample: Sample) -> Table:
    table = _table("org", "its part", "made", "changed", "deleted", "Salesforce")
    for org in sample.orgs:
        role = "hub: takes in and passes on" if org.name == HUB else _role(org.name)
        table.add_row(
            org.name,
            role,
            f"{org.creates:,}",
            f"{org.updates:,}",
            f"{org.deletes:,}",
            "syncing" if org.outstanding else "in sync",
        )
    return table


def _role(org: str) -> str:
    return "sends to the hub" if sends(org) else "receives from the hub"


def _way(samples: Sequence[Sample]) -> Table:
    sample, speed, status = samples[-1], rates(samples), samples[-1].status
    table = _table("stage", "what it does", "per second", "so far", "waiting")
    table.add_row(
        "capture",
        "triggers fill the outbox",
        f"{speed.captured:,.0f}",
        f"{sample.captured:,}",
        "",
    )
    table.add_row(
        "relay",
        "outbox to Redis Streams",
        "",
        f"{sample.captured - status.backlog:,}",
        f"{status.backlog:,}",
    )
    table.add_row(
        "filter … apply",
        "rules to target tables",
        f"{speed.applied:,.0f}",
        f"{sample.applied:,}",
        f"{status.pending or 0:,}",
    )
    return table


def _partitions(sample: Sample) -> Text:
    """Latency, dead letters, and a dot for each partition: green when all published is applied."""
    status = sample.status
    text = Text("lag ")
    text.append(_milliseconds(sample.p50), style="bold")
    text.append(f" median, {_milliseconds(sample.p99)} p99 · dead letters ")
    text.append(str(status.dead), style="bold red" if status.dead else "bold green")
    text.append("\npartitions ")
    for partition in status.partitions:
        held = partition.holder is not None
        text.append("●" if held else "○", style="green" if held and partition.applied else "yellow")
    behind = sum(not partition.applied for partition in status.partitions)
    text.append(f" {behind} at work" if behind else " all applied", style="dim")
    return text


def _milliseconds(seconds: float | None) -> str:
    return "none yet" if seconds is None else f"{seconds * 1000:,.0f} ms"


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", expand=False)
    for place, column in enumerate(columns):
        table.add_column(column, justify="left" if place < 2 else "right", no_wrap=place != 1)
    return table
