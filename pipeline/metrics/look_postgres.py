"""The queue, the leases, what is set aside and the tables' sizes, as readings of looked-up metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.metrics import labels, standing
from pipeline.metrics.look_connect import look_at_connect
from pipeline.metrics.registry import Reading
from pipeline.postgres.connection import require_migrated
from pipeline.postgres.queries import load
from pipeline.rules import store
from pipeline.topology import RELAY, STAGES
from stages.reject import Cause

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from pipeline.settings import Settings
    from stages.rules.model import RuleSet


class PostgresLook:
    """Looks again and again; it remembers the live rule set, which is large and seldom changes."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._rules: RuleSet | None = None

    def readings(self, connection: psycopg.Connection) -> Iterator[Reading]:
        """Everything Postgres can tell. Raises psycopg.Error, NotMigrated."""
        require_migrated(connection)
        rules = self._live_rules(connection)
        yield from _progress(connection)
        yield from self._holders(connection)
        yield from _set_aside(connection, rules)
        yield from _storage(connection)
        yield Reading(standing.RETENTION, self._settings.retention)
        for schema, table, broken in connection.execute(load("observe")["captures"]).fetchall():
            yield Reading(standing.BROKEN_CAPTURES, broken, {"table": f"{schema}.{table}"})
        if rules is not None:
            for rule in rules.rules:
                orgs = {"source_org": rule.source.org, "target_org": rule.target.org}
                yield Reading(standing.RULE_INFO, 1, {"rule": rule.name, **orgs})
            yield from look_at_connect(connection, rules)

    def _live_rules(self, connection: psycopg.Connection) -> RuleSet | None:
        version = store.live_version(connection)
        if version and (self._rules is None or self._rules.version != version):
            self._rules = store.live(connection)
        return self._rules

    def _holders(self, connection: psycopg.Connection) -> Iterator[Reading]:
        found = {row[0]: row for row in connection.execute(load("observe")["partitions"]).fetchall()}
        yield Reading(standing.PARTITIONS, self._settings.partitions)
        for stage in (RELAY, *STAGES):
            held = found[stage][2] if stage in found else 0
            yield Reading(standing.PARTITIONS_HELD, held, {"stage": stage})
        living = connection.execute(
            load("observe")["processes"], {"seconds": 2 * self._settings.lease_seconds}
        )
        counts: dict[str, int] = dict(living.fetchall())
        for kind in labels.KINDS:
            yield Reading(standing.PROCESSES, counts.get(kind, 0), {"kind": kind})


def _progress(connection: psycopg.Connection) -> Iterator[Reading]:
    queries = load("status")
    captured = connection.execute(queries["totals"]).fetchone() or (0,)
    yield Reading(standing.CAPTURED_CHANGES, captured[0])
    backlog, oldest = connection.execute(queries["backlog"]).fetchone() or (0, None)
    yield Reading(standing.OUTBOX_PENDING, backlog)
    if oldest is not None:
        yield Reading(standing.OUTBOX_OLDEST, oldest.timestamp())
    times = [row[6] for row in connection.execute(queries["progress"]).fetchall()]
    if times and all(time is not None for time in times):
        yield Reading(standing.WATERMARK, min(times).timestamp())


def _set_aside(connection: psycopg.Connection, rules: RuleSet | None) -> Iterator[Reading]:
    names = [rule.name for rule in rules.rules] if rules else []
    aside = {(name, reason): 0 for name in names for reason in labels.REASONS}
    causes = dict.fromkeys(map(str, Cause), 0)
    for rule, cause, count in connection.execute(load("status")["letters"]).fetchall():
        causes[cause] = causes.get(cause, 0) + count
        aside[rule, "dead"] = aside.get((rule, "dead"), 0) + count
    held, since = 0, []
    for rule, reason, count, first in connection.execute(load("observe")["held"]).fetchall():
        aside[rule, reason] = count
        held += count
        since.append(first)
    waiting: dict[str, int] = dict(connection.execute(load("status")["waiting"]).fetchall())
    aside |= {(rule, "waiting"): count for rule, count in waiting.items()}
    for cause, count in causes.items():
        yield Reading(standing.DEAD_LETTERS_NOW, count, {"error": cause})
    for (rule, reason), count in aside.items():
        yield Reading(standing.SET_ASIDE, count, {"rule": rule, "reason": reason})
    yield Reading(standing.HELD_CHANGES, held)
    yield Reading(standing.WAITING_CHANGES, sum(waiting.values()))
    yield Reading(standing.PAUSED_RULES, len(connection.execute(load("status")["paused"]).fetchall()))
    if since:
        yield Reading(standing.OLDEST_HELD, min(since).timestamp())


def _storage(connection: psycopg.Connection) -> Iterator[Reading]:
    for relation, size, live, dead in connection.execute(load("observe")["storage"]).fetchall():
        yield Reading(standing.STORAGE, float(size), {"relation": relation})
        yield Reading(standing.STORAGE_ROWS, float(live), {"relation": relation})
        yield Reading(standing.STORAGE_DEAD_ROWS, float(dead), {"relation": relation})
    row = connection.execute(load("observe")["oldest_kept"]).fetchone()
    if row is not None:
        yield Reading(standing.OLDEST_KEPT, row[0].timestamp())
