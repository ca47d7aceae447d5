"""Fused or split, one worker or four: the same targets, the same ledger."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from tests.fixtures.orgs import RULES
from tests.fixtures.world import ALL
from tests.integration.worker.conftest import ledger, letters, targets

if TYPE_CHECKING:
    from tests.fixtures.world import World

LAYOUTS = {
    "fused": [ALL],
    "two of a kind": [ALL, ALL],
    "in halves": ["filter,match", "transform,apply"],
    "one each": ["filter", "match", "transform", "apply"],
    "mixed": ["filter,match,transform", "apply", "apply"],
}


class Load:
    """Inserts, updates, deletes and changes of key over both tables, the same for the same seed."""

    def __init__(self, world: World, seed: int) -> None:
        limit = "max_deletes = { count = 1000000 }"  # chance deletes a great part of the records
        world.apply_rules(RULES.replace('on_unmatched = "delete"', f'on_unmatched = "delete"\n{limit}'))
        self._rng = random.Random(seed)
        self._session = world.session()
        self._numbers = iter(range(1_000))
        self._accounts: list[str] = []
        self._contacts: list[str] = []

    def run(self, transactions: int) -> None:
        """So many transactions of some statements each."""
        for _ in range(transactions):
            for _ in range(self._rng.randint(1, 5)):
                self._account() if self._rng.random() < 0.7 else self._contact()
            self._session.commit()

    def _account(self) -> None:
        roll = self._rng.random()
        values = [self._rng.choice("xyz"), self._rng.choice("pqr"), self._rng.randint(1, 9)]
        if roll < 0.4 or not self._accounts:
            key = f"a{next(self._numbers)}"
            self._accounts.append(key)
            active = self._rng.random() < 0.8
            self._execute("INSERT INTO emea.account VALUES (%s, %s, %s, %s, %s)", key, *values, active)
        elif roll < 0.7:
            query = "UPDATE emea.account SET name = %s, city = %s, amount = %s, active = %s WHERE ext_id = %s"
            self._execute(query, *values, self._rng.random() < 0.8, self._rng.choice(self._accounts))
        elif roll < 0.85:
            old = self._accounts.pop(self._rng.randrange(len(self._accounts)))
            new = f"a{next(self._numbers)}"
            self._accounts.append(new)
            self._execute(
                "UPDATE emea.account SET ext_id = %s, name = %s WHERE ext_id = %s", new, "moved", old
            )
        else:
            old = self._accounts.pop(self._rng.randrange(len(self._accounts)))
            self._execute("DELETE FROM emea.account WHERE ext_id = %s", old)

    def _contact(self) -> None:
        if self._rng.random() < 0.6 or not self._contacts:
            key = f"c{next(self._numbers)}"
            # A NULL is refused by the target. Were it changed later, it would depend on whether both changes
            # meet in one batch.
            email = self._rng.choice(["e@x", "f@x", None])
            if email is not None:
                self._contacts.append(key)
            self._execute("INSERT INTO emea.contact VALUES (%s, %s, %s)", key, "a", email)
        else:
            query = "UPDATE emea.contact SET account = %s, email = 'g@x' WHERE ext_id = %s"
            self._execute(query, self._rng.choice("abc"), self._rng.choice(self._contacts))

    def _execute(self, query: str, *parameters: Any) -> None:
        self._session.execute(query.encode(), parameters)


def result(world: World) -> tuple[Any, ...]:
    """All that a layout may not change."""
    return targets(world), ledger(world), sorted(letters(world), key=repr)


def expected(world: World) -> tuple[list[Any], list[Any]]:
    """What the rules say of the sources."""
    return (
        world.rows("SELECT ext_id, upper(name), city, amount FROM emea.account WHERE active ORDER BY ext_id"),
        world.rows("SELECT ext_id, account, email FROM emea.contact WHERE email IS NOT NULL ORDER BY ext_id"),
    )


@pytest.fixture(scope="module")
def results() -> dict[str, tuple[Any, ...]]:
    """What each layout came to."""
    return {}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_comes_to_the_same(
    world: World, layout: str, results: dict[str, tuple[Any, ...]]
) -> None:
    relay = world.relay(batch=20, max_entries=60)
    workers = [world.worker(stages, batch=16) for stages in LAYOUTS[layout]]
    load = Load(world, 1)
    for _ in range(6):
        load.run(10)
        relay.step()
        for worker in workers:
            worker.step()
        world.clock.advance(2)
    world.settle(relay, *workers)
    assert world.outstanding() == 0
    assert targets(world) == expected(world)
    results[layout] = result(world)
    assert results[layout] == results[next(iter(results))]
    assert len(ledger(world)) > 100
    assert {letter[:2] for letter in letters(world)} == {("refused", "contacts")}


def test_a_split_run_hands_over_to_a_fused_one(world: World) -> None:
    """What lies between the stages is older than what lies before them, and goes first."""
    load = Load(world, 2)
    relay = world.relay()
    load.run(20)
    first, second = world.worker("filter,match"), world.worker("transform")
    world.settle(relay, first, second)
    load.run(20)
    world.settle(relay, first)
    load.run(20)
    world.settle(relay)
    assert all(world.entries(name) for name in ("kept", "matched", "writes"))
    world.lose_leases()
    world.clock.advance()
    world.settle(relay, world.worker())
    assert targets(world) == expected(world)
    assert world.outstanding() == 0
