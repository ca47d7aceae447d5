"""What the demo shows, from samples made here."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from rich.console import Console

from pipeline.demo.report import introduction, proof_table
from pipeline.demo.run import Options
from pipeline.demo.sample import OrgSample, Rest, Sample
from pipeline.demo.screen import LineScreen, LiveScreen
from pipeline.demo.verdict import DemoVerdict, RuleVerdict
from pipeline.proof.telling import as_data
from pipeline.proof.verdict import Finding, Kind
from pipeline.status import PartitionStatus, Status

if TYPE_CHECKING:
    from rich.console import RenderableType

OPTIONS = Options(seconds=40, orgs=3, rate=100, seed=7, keep=False)
STATUS = Status(
    caught_up=True,
    backlog=0,
    pending=3,
    held=0,
    waiting=0,
    dead=0,
    lag_seconds=0,
    rules_version=1,
    rules=6,
    processes=[],
    partitions=[PartitionStatus(0, "a", "1-1", True), PartitionStatus(1, None, "1-0", False)],
    streams={},
    dead_letters=[],
    paused_rules={},
)
HUB = OrgSample("hub", "edit", 10, 20, 3, 0, False, 5)
SAMPLE = Sample(at=100.0, captured=1000, applied=500, p50=0.012, p99=None, status=STATUS, orgs=(HUB,))
VERDICT = DemoVerdict(10, 5, 4, 0, (), (RuleVerdict("r", 3, 6, 5),))
FINDING = Finding(Kind.LOST, "r", '{"k": 1}', "the target row is missing")


def console(width: int = 80) -> Console:
    return Console(file=io.StringIO(), width=width, force_terminal=False)


def text(on: Console) -> str:
    assert isinstance(on.file, io.StringIO)
    return on.file.getvalue()


def printed(renderable: RenderableType, width: int = 80) -> str:
    on = console(width)
    on.print(renderable)
    return text(on)


def test_the_introduction_says_what_flows_where() -> None:
    told = introduction(OPTIONS)
    assert "3 simulated Salesforce orgs (hub, emea and us)" in told
    assert "from emea into hub, and from hub to us" in told
    assert "for 40 s" in told
    assert introduction(replace(OPTIONS, orgs=2)).count("from emea into hub.") == 1


def test_lines_come_every_few_seconds_with_rates() -> None:
    on = console(200)
    screen = LineScreen(on)
    for seconds in (0, 1, 4):
        screen.show(replace(SAMPLE, at=100.0 + seconds, captured=1000 + 100 * seconds))
    first, second = text(on).splitlines()
    assert "captured 1,000 (0/s)" in first
    assert "captured 1,400 (100/s)" in second
    assert "edits 33" in first
    assert "lag 12 ms" in first


@pytest.mark.parametrize("width", [80, 120])
def test_the_picture_fits(width: int) -> None:
    on = console(width)
    screen = LiveScreen(on)
    screen.begin("Users edit in all orgs", 40)
    with screen.watching():
        screen.show(SAMPLE)
    shown = text(on)
    assert max(map(len, shown.splitlines())) <= width
    for part in (
        "Users edit in all orgs",
        "hub: takes in and passes on",
        "filter … apply",
        "●○",
        "none yet p99",
    ):
        assert part in shown


def test_rest_is_when_everybody_has_looked_again() -> None:
    rest = Rest("edit")
    assert not rest.reached(SAMPLE)
    assert not rest.reached(replace(SAMPLE, orgs=(rounds(6),)))
    assert rest.reached(replace(SAMPLE, orgs=(rounds(7),)))


def test_a_change_in_between_is_no_rest() -> None:
    rest = Rest("edit")
    assert not rest.reached(SAMPLE)
    assert not rest.reached(replace(SAMPLE, captured=1001, orgs=(rounds(7),)))
    assert not rest.reached(replace(SAMPLE, captured=1001, status=replace(STATUS, caught_up=False)))
    assert not rest.reached(replace(SAMPLE, captured=1001, orgs=(rounds(9),)))
    assert rest.reached(replace(SAMPLE, captured=1001, orgs=(rounds(11),)))


def rounds(count: int) -> OrgSample:
    return replace(HUB, rounds=count)


def test_a_proof_is_told() -> None:
    assert VERDICT.proven
    told = printed(proof_table(VERDICT, 61.4))
    assert "Proven: every change took effect exactly once, in order. 61 s in all." in told
    assert "10 captured" in told


@pytest.mark.parametrize(
    "verdict",
    [
        replace(VERDICT, findings=(FINDING,)),
        replace(VERDICT, dead=1),
        replace(VERDICT, captured=0),
        replace(VERDICT, applied=0),
    ],
)
def test_what_is_not_proven_is_told(verdict: DemoVerdict) -> None:
    assert not verdict.proven
    told = printed(proof_table(verdict, 61.4))
    assert "NOT proven" in told
    assert not as_data(verdict, seed=7, seconds=1.0)["proven"]


def test_only_the_first_findings_are_listed() -> None:
    told = printed(proof_table(replace(VERDICT, findings=(FINDING,) * 25), 1), 120)
    assert told.count("the target row is missing") == 10
    assert "… and 15 more" in told
    assert "25 lost" in told
