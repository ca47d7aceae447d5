"""The lease table: one holder at a time, under a term that rises with every grant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from pipeline.process import Process

if TYPE_CHECKING:
    from pipeline.ports import LeaseTable
    from tests.contract.side import Side

STAGES: Final = ("match", "transform")
ALL: Final = range(4)


@pytest.fixture
def leases(side: Side) -> LeaseTable:
    table = side.leases()
    for _ in range(2):  # twice is as good as once
        table.prepare(STAGES, 4)
    return table


def grant(table: LeaseTable, holder: str, count: int = 4, stages: tuple[str, ...] = STAGES) -> set[int]:
    """The partitions that were granted, with all their stages."""
    rows = table.grant(holder, stages, ALL, seconds=5, count=count)
    granted = {row[1] for row in rows}
    assert sorted((row[0], row[1]) for row in rows) == sorted((s, p) for p in granted for s in stages)
    return granted


def terms(table: LeaseTable, holder: str) -> dict[tuple[str, int], int]:
    return {(stage, partition): term for stage, partition, term in table.renew(holder, STAGES, 5)}


def process(name: str, *stages: str) -> Process:
    return Process(name, "worker", "here", 1, stages)


def test_what_is_free_is_granted_once(leases: LeaseTable) -> None:
    assert len(grant(leases, "a", 3)) == 3
    assert len(grant(leases, "b")) == 1
    assert grant(leases, "c") == set()
    assert len(terms(leases, "a")) == 6
    assert len(terms(leases, "b")) == 2


def test_only_partitions_that_are_wanted_are_granted(leases: LeaseTable) -> None:
    rows = leases.grant("a", STAGES, [2, 3], seconds=5, count=4)
    assert {row[1] for row in rows} == {2, 3}


def test_a_partition_is_granted_with_all_its_stages_or_not_at_all(leases: LeaseTable) -> None:
    held = grant(leases, "a", 2, ("transform",))
    assert grant(leases, "b") == set(ALL) - held


def test_a_lease_that_is_not_renewed_runs_out(side: Side, leases: LeaseTable) -> None:
    grant(leases, "a")
    before = terms(leases, "a")
    side.pass_time(4)
    assert terms(leases, "a") == before  # renewed for five seconds more
    side.pass_time(4)
    assert grant(leases, "b") == set()
    side.pass_time(2)
    assert grant(leases, "b", 1) != set()
    after = terms(leases, "b")
    assert all(after[name] > before[name] for name in after)
    assert terms(leases, "a") == {name: term for name, term in before.items() if name not in after}


def test_a_holder_may_be_granted_what_it_has_forgotten(leases: LeaseTable) -> None:
    grant(leases, "a")
    before = terms(leases, "a")
    assert grant(leases, "a") == set(ALL)
    assert all(term > before[name] for name, term in terms(leases, "a").items())


def test_what_is_released_is_free_at_once_and_nobody_elses_is(leases: LeaseTable) -> None:
    grant(leases, "a")
    leases.release("b", STAGES, list(ALL))
    assert grant(leases, "b") == set()
    leases.release("a", STAGES, [1, 2])
    assert grant(leases, "b") == {1, 2}


def test_the_living_are_told_by_stage_the_oldest_first(side: Side, leases: LeaseTable) -> None:
    for one in (process("old", "match"), process("new", "match", "transform"), process("other", "apply")):
        leases.announce(one)
        side.pass_time(1)
    assert leases.sharers(STAGES, 5) == {"match": ["old", "new"], "transform": ["new"]}
    side.pass_time(3)
    leases.announce(process("old", "match"))
    assert leases.sharers(STAGES, 5) == {"match": ["old"]}
    leases.announce(process("new", "match", "transform"))
    leases.forget("old")
    assert leases.sharers(STAGES, 5) == {"match": ["new"], "transform": ["new"]}


def test_what_a_killed_process_held_is_free_at_once(side: Side, leases: LeaseTable) -> None:
    killed = side.leases()
    killed.announce(process("a", *STAGES))
    leases.announce(process("b", *STAGES))
    grant(killed, "a")
    assert grant(leases, "b") == set()
    side.end_session(killed)
    assert leases.sharers(STAGES, 5) == {"match": ["b"], "transform": ["b"]}
    assert grant(leases, "b") == set(ALL)


def test_a_grant_tells_the_position(side: Side) -> None:
    table = side.leases()
    table.prepare(["apply"], 4)
    rows = table.grant("a", ["apply"], ALL, seconds=5, count=1)
    assert [row[3:] for row in rows] == [(0, 0)]
    assert side.positions().applied() == dict.fromkeys(ALL, (0, 0))
