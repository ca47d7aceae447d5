"""The status as people see it: the worst first."""

from __future__ import annotations

import io

import msgspec
from rich.console import Console

from pipeline.status import PartitionStatus, ProcessStatus, RuleStatus, StageStatus, Status
from pipeline.status_text import picture, summary

WELL = Status(
    caught_up=True,
    backlog=0,
    pending=0,
    held=0,
    waiting=0,
    dead=0,
    lag_seconds=0.0,
    rules_version=3,
    rules=2,
    processes=[
        ProcessStatus("dyno:1", "worker", ["apply"], "127.0.0.1:9464", 61.0, 4, "worker.1", 50 * 2**20)
    ],
    partitions=[PartitionStatus(0, "dyno:1", "1-1", applied=True)],
    streams={},
    dead_letters=[],
    paused_rules={},
    stages=[StageStatus("relay", 1, 1, 0, 0, 12.5), StageStatus("apply", 4, 4, 0, 0, 12.0)],
    by_rule=[
        RuleStatus("quiet", "a.t", "b.t", 0.0, 0, 0, 0),
        RuleStatus("busy", "a.t", "b.t", 1234.5, 0, 0, 0),
        RuleStatus("broken", "a.t", "b.t", 0.0, 2, 7, 0, 3, 4_321),
    ],
)


def seen(status: Status) -> str:
    console = Console(file=io.StringIO(), width=120)
    console.print(picture(status))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_one_line_has_all_that_matters() -> None:
    assert summary(WELL) == ("caught up: backlog 0, pending 0, 1,234 writes/s, held 0, waiting 0, dead 0")
    behind = msgspec.structs.replace(WELL, caught_up=False, backlog=1500, lag_seconds=3.21, pending=None)
    assert summary(behind).startswith("3.2 s behind: backlog 1,500, pending unknown")


def test_the_rules_that_set_something_aside_come_first() -> None:
    text = seen(WELL)
    assert text.index("broken") < text.index("busy") < text.index("quiet")
    assert "1,234.5" in text
    assert "50 MiB" in text
    assert "4 of 4" in text
    assert "4,321" in text  # wait for approval


def test_what_needs_a_person_is_said() -> None:
    status = msgspec.structs.replace(
        WELL,
        pending=None,
        partitions=[PartitionStatus(3, None, "0-0", applied=False)],
        paused_rules={"broken": "it failed"},
    )
    text = seen(status)
    assert "nobody applies partitions 3" in text
    assert "rule broken is paused: it failed" in text
    assert "Redis does not answer" in text


def test_many_rules_are_cut() -> None:
    rules = [RuleStatus(f"r{n:03}", "a.t", "b.t", 0.0, 0, 0, 0) for n in range(50)]
    text = seen(msgspec.structs.replace(WELL, by_rule=rules))
    assert "r019" in text
    assert "r020" not in text
    assert "and 30 more" in text
