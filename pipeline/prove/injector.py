"""The injector: strikes at random, one fault after the other, and makes good what it is time to."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

import psycopg
import redis

from pipeline.errors import Failure, ServerUnreachable
from pipeline.prove.fault import NotNow
from pipeline.prove.faults import FAULTS
from pipeline.prove.world import Away

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

    from pipeline.prove.fault import Cure
    from pipeline.prove.world import World


_TRIES: Final = 5  # a client finds out that its connection was cut only by using it


class _Due(NamedTuple):
    at: float
    name: str
    server: str
    cure: Cure


class Injector:
    """Does what is due whenever it is called; `gap` is the average time between faults, in seconds.

    `note` hears of each fault, and when it is made good.
    """

    def __init__(
        self,
        world: World,
        names: Sequence[str],
        rng: random.Random,
        *,
        gap: float,
        clock: Callable[[], float],
        note: Callable[[str], None],
    ) -> None:
        self.struck: Counter[str] = Counter(dict.fromkeys(names, 0))
        self._world = world
        self._names = list(names)
        self._rng = rng
        self._gap = gap
        self._clock = clock
        self._note = note
        self._due: list[_Due] = []
        self._deck: list[str] = []
        self._next = clock() + rng.uniform(0, gap)

    def step(self) -> None:
        """Do what is due."""
        now = self._clock()
        self._heal(now)
        if self._names and now >= self._next:
            self._strike(self._drawn())
            self._next = self._clock() + self._rng.uniform(0.2, 1.8) * self._gap

    def _drawn(self) -> str:
        """Every kind comes up once before any comes again."""
        if not self._deck:
            self._deck = self._rng.sample(self._names, len(self._names))
        return self._deck.pop()

    def heal_all(self) -> None:
        """Make good whatever is not yet, at once. Raises Failure where that does not help."""
        for _ in range(_TRIES):
            self._heal(float("inf"))
            if not self._due:
                return
        raise Failure(f"cannot make good: {', '.join(due.name for due in self._due)}")

    def _heal(self, until: float) -> None:
        for due in [due for due in self._due if due.at <= until]:
            try:
                due.cure.work()
            except redis.RedisError:  # the connection was cut: at the next step again
                continue
            self._due.remove(due)
            self._note(f"{due.name} made good")

    def _strike(self, name: str) -> None:
        fault = FAULTS[name]
        if fault.server and any(due.server == fault.server for due in self._due):
            return  # one thing at a time for each server
        try:
            cure = fault.strike(self._world, self._rng)
        except (NotNow, Away, ServerUnreachable, psycopg.Error, redis.RedisError):
            return  # an earlier fault still has its effect
        self.struck[name] += 1
        self._note(name)
        if cure is not None:
            self._due.append(_Due(self._clock() + cure.seconds, name, fault.server, cure))
