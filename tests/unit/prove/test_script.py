"""What the writers draw: every kind of transaction, and the same ones for the same seed."""

from __future__ import annotations

import itertools
import random

from pipeline.prove.script import Script, draw

SLOTS = 50


def scripts(seed: int, *, seconds: float = 0.0, count: int = 1_000) -> list[Script]:
    rng, stamps = random.Random(seed), itertools.count(1)
    return [draw(rng, SLOTS, lambda: next(stamps), seconds=seconds) for _ in range(count)]


def test_the_same_seed_draws_the_same() -> None:
    assert scripts(1) == scripts(1) != scripts(2)


def test_everything_comes_up() -> None:
    drawn = scripts(1)
    wishes = [wish for script in drawn for step in script.steps for wish in step.wishes]
    assert {wish.act for wish in wishes} == {"a", "b", "c", "delete", "move", "replace"}
    assert {wish.key for wish in wishes} == {f"k{number}" for number in range(1, SLOTS + 1)}
    assert {wish.waits for wish in wishes} == {True, False}
    assert {script.commits for script in drawn} == {True, False}
    assert {step.undone for script in drawn for step in script.steps} == {True, False}
    sizes = {sum(len(step.wishes) for step in script.steps) for script in drawn}
    assert min(sizes) == 1
    assert max(sizes) > 30
    assert len({wish.stamp for wish in wishes}) == len(wishes)


def test_long_transactions_are_small_and_bounded() -> None:
    for script in scripts(1, seconds=6.0):
        assert sum(len(step.wishes) for step in script.steps) <= 5
        assert 0 < sum(step.pause for step in script.steps) <= 6.2
