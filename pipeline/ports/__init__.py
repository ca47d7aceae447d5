"""What the relay and the worker need of the world, and how it refuses: each port has an adapter on a real
server, and one in memory for the tests, held to the same contract (tests/contract).

Besides what is named here an adapter raises its driver's errors: those are outages, bugs or faults of data,
told apart in `pipeline.supervise` and `pipeline.postgres.faults`.
"""

from __future__ import annotations

from pipeline.ports.leases import LeaseTable, Positions
from pipeline.ports.outbox import Look, Outbox
from pipeline.ports.refusals import Fenced, LeaseLost, Stolen, StreamsFull, StreamsLost
from pipeline.ports.streams import RelayStreams, WorkerStreams
from pipeline.ports.target import Releaser, Rules, Target
from pipeline.ports.upkeep import Recognition, Upkeep

__all__ = [
    "Fenced",
    "LeaseLost",
    "LeaseTable",
    "Look",
    "Outbox",
    "Positions",
    "Recognition",
    "RelayStreams",
    "Releaser",
    "Rules",
    "Stolen",
    "StreamsFull",
    "StreamsLost",
    "Target",
    "Upkeep",
    "WorkerStreams",
]
