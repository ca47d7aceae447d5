"""Random rules both ways, in circles and over a hub: all orgs end equal, and nothing goes on by itself."""

from __future__ import annotations

import contextlib
import itertools
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fixtures.federation import Federation
from tests.integration.echoes.chance import KINDS, ORGS, SHAPES, Life, Move, Shape, rules_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fixtures.world import World

MOVES = st.lists(
    st.builds(Move, st.sampled_from(KINDS), st.integers(0, 4), st.integers(0, 1), st.integers(0, 3)),
    min_size=5,
    max_size=40,
)
#: About 20 s; ORGSTREAM_TEST_EXAMPLES multiplies them.
EXAMPLES = max(1, settings().max_examples // 12)
_numbers = itertools.count()
pytestmark = pytest.mark.search


@pytest.fixture
def federation(world: World) -> Iterator[Federation]:
    """Five orgs, one of which answers each name by a status of its own."""
    with contextlib.closing(Federation(world, ORGS)) as federation:
        federation.orgs["south"].automate("Account", lambda new, _: {"Status__c": f"seen {new['name']}"})
        yield federation


def live(federation: Federation, shape: Shape, count: int, moves: list[Move]) -> int:
    """One life; how many writes there were after all orgs were equal and quiet. Fails where they are not."""
    orgs = ORGS[:count]
    federation.link(*rules_of(shape, orgs))
    life = Life(federation, next(_numbers), orgs)
    for move in moves:
        life.make(move)
    life.settle()
    seen = {org: life.seen(org) for org in orgs}
    assert all(one == seen[orgs[0]] for one in seen.values()), seen
    assert federation.letters() == []
    before = sum(map(federation.writes, orgs))
    for org in orgs:
        federation.heroku[org].resync("Account")
    federation.settle()
    return sum(map(federation.writes, orgs)) - before


@pytest.mark.timeout(60 + 15 * EXAMPLES)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(shape=st.sampled_from(SHAPES), count=st.integers(3, 5), moves=MOVES)
def test_all_orgs_end_equal_and_quiet(
    federation: Federation, shape: Shape, count: int, moves: list[Move]
) -> None:
    assert live(federation, shape, count, moves) == 0
