"""The labels of metrics, with all their values where these are known."""

from __future__ import annotations

from typing import Final

from pipeline.metrics.description import Label
from stages.reject import Cause
from stages.verdict import Side

STAGES: Final = ("filter", "match", "transform", "apply")
OUTCOMES: Final = ("emit", "skip", "reject")
RESULTS: Final = ("applied", "unchanged", "duplicate", "stale")
KINDS: Final = ("relay", "worker", "web", "drain")
SERVERS: Final = ("postgres", "redis")
WINNERS: Final = tuple(Side)
DELIVERED: Final = ("accepted", "refused")
REASONS: Final = ("dead", "held", "approval", "paused", "waiting")  # why a change is set aside

STAGE: Final = Label("stage", STAGES)
STEP: Final = Label("stage", ("relay", *STAGES))  # where the relay counts as one
OUTCOME: Final = Label("outcome", OUTCOMES)
RESULT: Final = Label("result", RESULTS)
CAUSE: Final = Label("error", tuple(Cause))
OUTAGES: Final = ("postgres", "redis", "lease")
OUTAGE: Final = Label("error", OUTAGES)
RULE: Final = Label("rule")
TABLE: Final = Label("table")
ORG: Final = Label("org")
DELIVERY: Final = Label("outcome", DELIVERED)
KIND: Final = Label("kind", KINDS)
SERVER: Final = Label("server", SERVERS)
WINNER: Final = Label("outcome", WINNERS)
REASON: Final = Label("reason", REASONS)
RELATION: Final = Label("relation")
