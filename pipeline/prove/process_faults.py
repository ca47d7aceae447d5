"""Faults of our own processes."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

from pipeline.prove.fault import Cure, Fault, NotNow, Strike
from pipeline.prove.processes import WORKER, kind_of
from pipeline.topology import RELAY

if TYPE_CHECKING:
    import random

    from pipeline.prove.world import World

_PAUSES: Final = (0.2, 1.2, 2.5)  # in leases: shorter than one, and longer


def _some(world: World, rng: random.Random, role: str) -> str:
    names = world.processes.of(role)
    if not names:
        raise NotNow
    return rng.choice(names)


def _kill(role: str) -> Strike:
    def strike(world: World, rng: random.Random) -> Cure:
        name = _some(world, rng, role)
        world.processes.kill(name)
        start = functools.partial(world.processes.start, kind_of(name))
        return Cure(rng.uniform(0.0, 1.0), start)

    return strike


def _pause(role: str) -> Strike:
    def strike(world: World, rng: random.Random) -> Cure:
        name = _some(world, rng, role)
        world.processes.suspend(name)
        seconds = rng.choice(_PAUSES) * world.settings.lease_seconds
        return Cure(seconds, functools.partial(world.processes.resume, name))

    return strike


def _replace(role: str) -> Strike:
    def strike(world: World, rng: random.Random) -> None:
        world.processes.replace(_some(world, rng, role))

    return strike


PROCESS_FAULTS: Final = {
    "relay-kill": Fault("a relay is killed (-9) and started again", _kill(RELAY)),
    "relay-pause": Fault("a relay is stopped for less or more than its lease", _pause(RELAY)),
    "relay-replace": Fault("a relay is replaced, old and new side by side", _replace(RELAY)),
    "worker-kill": Fault("a worker is killed (-9) and started again", _kill(WORKER)),
    "worker-pause": Fault("a worker is stopped for less or more than its lease", _pause(WORKER)),
    "worker-replace": Fault("a worker is replaced, old and new side by side", _replace(WORKER)),
}
