"""What a writer does in one transaction, drawn by chance: mostly little, sometimes much or slowly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

_ACTS: Final = {"a": 29, "b": 25, "c": 19, "delete": 14, "move": 5, "replace": 8}
_SIZES: Final = ((1, 1, 50), (2, 8, 32), (10, 60, 18))  # changes from, to; weight
_LARGE_TEXT: Final = 6_000  # characters, more than a page of Postgres holds


class Wish(msgspec.Struct, frozen=True):
    """What is to be done with what stands under a key; `next_key` is for `move`. `stamp` is unique."""

    key: str
    act: str
    stamp: int
    size: int  # of the text, in characters
    next_key: str
    waits: bool  # for a record that another transaction works on; else it is left alone


class Step(msgspec.Struct, frozen=True):
    """Wishes that go to the server together, then a pause in seconds; undone steps roll back alone."""

    wishes: tuple[Wish, ...]
    pause: float
    undone: bool


class Script(msgspec.Struct, frozen=True):
    """One transaction."""

    steps: tuple[Step, ...]
    commits: bool


def draw(rng: random.Random, slots: int, stamps: Callable[[], int], *, seconds: float) -> Script:
    """A transaction on some of the keys `k1` to `k<slots>`.

    Where `seconds` is not 0, it is a small one that stays open for so long at most.
    """
    least, most, _ = rng.choices(_SIZES, [weight for *_, weight in _SIZES])[0]
    size = rng.randint(1, 5) if seconds else rng.randint(least, most)
    pieces = min(size, rng.choice((1, 1, 1, 2, 3)))
    pause = rng.uniform(0.02, 1.0) * seconds / pieces
    keys = [f"k{number}" for number in rng.choices(range(1, slots + 1), k=size)]
    steps = []
    for piece in range(pieces):
        wishes = tuple(_wish(rng, key, slots, stamps()) for key in keys[piece::pieces])
        short = rng.uniform(0.0, 0.05) if rng.random() < 0.2 else 0.0
        steps.append(Step(wishes, pause or short, undone=rng.random() < 0.05))
    return Script(tuple(steps), commits=rng.random() >= 0.08)


def _wish(rng: random.Random, key: str, slots: int, stamp: int) -> Wish:
    (act,) = rng.choices(list(_ACTS), list(_ACTS.values()))
    size = _LARGE_TEXT if rng.random() < 0.01 else rng.randint(10, 120)
    return Wish(key, act, stamp, size, f"k{rng.randint(1, slots)}", waits=rng.random() < 0.02)
