"""One look at everything that runs, for the view and for the wait until all is at rest."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from pipeline.postgres.queries import load
from pipeline.status import Status, read_status

if TYPE_CHECKING:
    from pipeline.demo.world import World


class OrgSample(msgspec.Struct, frozen=True, array_like=True):
    """How one org stands. `rounds` counts how often its Heroku Connect was looked after."""

    name: str
    phase: str
    creates: int
    updates: int
    deletes: int
    refusals: int
    outstanding: bool
    rounds: int


class Sample(msgspec.Struct, frozen=True):
    """The whole at one moment. Latencies are in seconds, of the latest changes; None before the first."""

    at: float
    captured: int
    applied: int
    p50: float | None
    p99: float | None
    status: Status
    orgs: tuple[OrgSample, ...]

    @property
    def edits(self) -> int:
        """What users have done so far."""
        return sum(org.creates + org.updates + org.deletes for org in self.orgs)

    def is_at_rest(self, phase: str) -> bool:
        """Whether nothing is to be done at this moment, as far as can be seen in one look."""
        return self.status.caught_up and all(not org.outstanding and org.phase == phase for org in self.orgs)


def take_sample(world: World) -> Sample:
    """Look now. Raises psycopg.Error."""
    queries = load("demo")
    connection, settings = world.connection, world.settings
    captured, applied = connection.execute(queries["totals"]).fetchone() or (0, 0)
    p50, p99 = connection.execute(queries["latency"], {"after": captured - 2000}).fetchone() or (None, None)
    return Sample(
        at=time.monotonic(),
        captured=captured,
        applied=applied,
        p50=p50,
        p99=p99,
        status=read_status(
            connection, world.client, lease_seconds=settings.lease_seconds, partitions=settings.partitions
        ),
        orgs=tuple(OrgSample(*row) for row in connection.execute(queries["orgs"]).fetchall()),
    )


class Rest:
    """Told every sample, knows when all has been at rest long enough for everybody to have looked again."""

    def __init__(self, phase: str) -> None:
        self._phase = phase
        self._since: Sample | None = None

    def reached(self, sample: Sample) -> bool:
        """Whether nothing has happened while each org's Heroku Connect was looked after twice."""
        if not sample.is_at_rest(self._phase):
            self._since = None
            return False
        if self._since is None or self._since.captured != sample.captured:
            self._since = sample
            return False
        return all(
            now.rounds >= then.rounds + 2 for now, then in zip(sample.orgs, self._since.orgs, strict=True)
        )
