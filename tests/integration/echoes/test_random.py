"""Random rules both ways, in circles and over a hub, under load: all orgs end equal, then all is quiet.

Equal by policy means: each org holds the same values in all fields that flow, in its table and in Salesforce,
or none holds the record. Under `newest` that is so whoever edits what and when. Where one org at a time edits
a record, the outcome is what it made of the record last, under `source` too. Only the status is the south's
own, whose Flow answers each name by one.
"""

from __future__ import annotations

import contextlib
import itertools
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.postgres.conflicts import Conflicts
from pipeline.postgres.knowledge import Edited
from tests.fixtures.federation import Federation
from tests.integration.echoes.chance import KINDS, Life, Move
from tests.integration.echoes.schemes import ORGS, SHAPES, Scheme, written_out

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fixtures.world import World

MOVES: Final = st.lists(
    st.builds(Move, st.sampled_from(KINDS), st.integers(0, 4), st.integers(0, 1), st.integers(0, 3)),
    min_size=5,
    max_size=30,
)
SCHEMES: Final = st.builds(
    Scheme,
    st.sampled_from(SHAPES),
    st.integers(3, 5),
    st.booleans(),
    st.lists(st.integers(0, 3), min_size=1, max_size=4).map(tuple),
)
#: ORGSTREAM_TEST_EXAMPLES multiplies them. `make search` runs 200, or as many as it is told.
SEEDS: Final = settings().max_examples // 2
_numbers = itertools.count()


@pytest.fixture
def federation(world: World) -> Iterator[Federation]:
    """Five orgs, one of which answers each name by a status of its own."""
    with contextlib.closing(Federation(world, ORGS)) as federation:
        world.settings = msgspec.structs.replace(world.settings, partitions=2, echo_rounds=20)
        federation.orgs["south"].automate("Account", lambda new, _: {"Status__c": f"seen {new['name']}"})
        yield federation


def live(federation: Federation, scheme: Scheme, moves: list[Move]) -> int:
    """One life; how many writes there were after all orgs were equal. Fails where they are not."""
    # The clocks of Salesforce and of Postgres have to do with each other: both stamp edits.
    federation.clock.now = datetime.now(UTC)
    federation.link(written_out(scheme))
    life = Life(federation, next(_numbers), scheme)
    life.live(moves)
    seen = {org: life.seen(org) for org in life.orgs}
    first = seen[life.orgs[0]]
    assert all(one == first for one in seen.values()), seen
    for org in life.orgs:
        assert life.stored(org) == first
    for ext_id, meant in life.meant.items():
        require(first[ext_id], meant)
    assert federation.letters() == []
    before = life.writes()
    life.touch()
    life.settle()
    return life.writes() - before


def require(record: dict[str, object], meant: dict[str, object]) -> None:
    """A record is what was made of it last, as Salesforce keeps it."""
    for field, value in meant.items():
        if isinstance(value, float):
            assert record[field] == pytest.approx(value)
        else:
            assert record[field] == (value.strip() if isinstance(value, str) else value)


@pytest.mark.timeout(60 + 15 * SEEDS)
@settings(max_examples=SEEDS, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(scheme=SCHEMES, moves=MOVES)
def test_all_orgs_end_equal_and_quiet(federation: Federation, scheme: Scheme, moves: list[Move]) -> None:
    assert live(federation, scheme, moves) == 0
    assert federation.world.outstanding() == 0


def test_without_the_conflicts_being_decided_they_would_not_end_equal(
    federation: Federation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Conflicts, "edit", lambda _, passages, *__: Edited(passages))
    made = [Move("edit", 0, 0, 0), Move("settle", 0, 0, 0)]
    met = [Move("edit", org, 0, 1) for org in (0, 2)]
    with pytest.raises(AssertionError, match="city__c"):
        live(federation, Scheme("pairs", 3, True, (0,)), [*made, *met])
