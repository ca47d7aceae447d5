"""Circles, rings, hubs and pairs, with the delays of writers and polls: edits settle everywhere."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from pipeline.postgres.echoes import Echoes
from tests.fixtures.federation import Federation
from tests.integration.echoes.schemes import ORGS, Shape, rules_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.fixtures.world import World


@contextlib.contextmanager
def edited(world: World, shape: Shape, orgs: Sequence[str]) -> Iterator[Federation]:
    """Orgs of which each has edited a record of its own three times, while the echoes were under way."""
    delays = {"write_delay": 10.0, "poll_seconds": 60.0, "echo_delay": 25.0, "jitter": 0.5}
    with contextlib.closing(Federation(world, orgs, **delays)) as federation:
        federation.link(*rules_of(shape, orgs))
        for turn, org in enumerate(orgs):
            for number in range(3):
                federation.edit(org, f"of {org}", name=f"{turn} {number}", city__c=f"city {number}")
                federation.pass_time(20, 60)
        federation.pass_time(40, 400 * len(orgs))
        yield federation


def most(shape: Shape, count: int) -> int:
    """Three edits of each org's record, written into each other org; a ring has two ways to some."""
    return 3 * count * (count - 1) * (2 if shape == "ring" else 1)


@pytest.mark.parametrize(
    ("shape", "count"), [("pairs", 3), ("circle", 3), ("circle", 4), ("ring", 3), ("hub", 4)]
)
def test_edits_in_every_org_settle_and_are_written_once(world: World, shape: Shape, count: int) -> None:
    orgs = ORGS[:count]
    with edited(world, shape, orgs) as federation:
        federation.settle()
        for owner in orgs:
            first = federation.row(orgs[0], f"of {owner}")
            for org in orgs:
                assert federation.row(org, f"of {owner}") == first
                assert federation.record(org, f"of {owner}") == first
        assert sum(map(federation.writes, orgs)) <= most(shape, count)
        assert federation.letters() == []
        assert federation.outstanding() == 0


def test_without_the_weighing_the_echoes_go_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Echoes, "weigh", lambda _, items, __: items)
    with edited(world, "hub", ORGS[:3]) as federation:
        assert sum(map(federation.writes, ORGS[:3])) > most("hub", 3)
