"""How many records a difference touches: counted by Postgres, or estimated from a sample, in bounded time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import msgspec
import psycopg
from psycopg import sql

from pipeline.postgres.queries import load
from pipeline.rules.pushdown import differs, meets

if TYPE_CHECKING:
    from collections.abc import Callable

    from stages.rules.difference import RuleChange
    from stages.rules.model import Rule, RuleSet

#: How many counts' time all counts of a plan may take together.
_COUNTS: Final = 12
_SAMPLED_BLOCKS: Final = 1_000


class Touched(msgspec.Struct, frozen=True):
    """Records that a changed rule would take, would no longer take, or would write otherwise.

    `estimated`: scaled up from a sample. `unknown`: why there are no numbers.
    """

    enter: int = 0
    leave: int = 0
    change: int = 0
    estimated: bool = False
    unknown: str | None = None

    def __str__(self) -> str:
        if self.unknown is not None:
            return f"records unknown: {self.unknown}"
        parts = [
            f"{count:,} {verb}" for verb in ("enter", "leave", "change") if (count := getattr(self, verb))
        ]
        if not parts:
            return "touches no record"
        about = "about " if self.estimated else ""
        return f"records: {about}{', '.join(parts)}{' (estimated from a sample)' * self.estimated}"


class Counter:
    """Counts on one connection. `seconds` limits one count; all together take at most twelve times that."""

    def __init__(
        self, connection: psycopg.Connection, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._connection = connection
        self._seconds = seconds
        self._clock = clock
        self._end = clock() + _COUNTS * seconds

    def count(self, change: RuleChange, candidate: RuleSet) -> Touched:
        """What a difference touches now."""
        before, after = change.before, change.after
        if before is None or after is None or _same_way(before, after):
            return self._count(before, after, candidate)
        gone, new = self._count(before, None, candidate), self._count(None, after, candidate)
        unknown = gone.unknown or new.unknown
        return Touched(new.enter, gone.leave, 0, gone.estimated or new.estimated, unknown)

    def _count(self, before: Rule | None, after: Rule | None, candidate: RuleSet) -> Touched:
        rule = after or before
        if rule is None or not any(one is not None and one.enabled for one in (before, after)):
            return Touched()
        changed: sql.Composable = sql.SQL("false")
        if before is not None and after is not None:
            target = next(table for table in candidate.tables if table.name == after.target)
            changed = differs(before, after, {column.name: column.type for column in target.columns})
        parts: dict[str, sql.Composable] = {
            "table": sql.Identifier(rule.source.schema, rule.source.name),
            "before": meets(before),
            "after": meets(after),
            "changed": changed,
        }
        if self._clock() >= self._end:
            return Touched(unknown="the time for all counts is used up")
        try:
            return self._run(parts)
        except psycopg.errors.QueryCanceled:
            return self._estimate(parts, rule)
        except psycopg.DatabaseError as error:
            return self._failed(error)

    def _estimate(self, parts: dict[str, sql.Composable], rule: Rule) -> Touched:
        too_long = f"took longer than {self._seconds:g} s"
        try:
            names = {"schema": rule.source.schema, "table": rule.source.name}
            row = self._connection.execute(load("rules")["table_blocks"], names).fetchone()
            blocks = int(row[0]) if row else 0
            if blocks <= _SAMPLED_BLOCKS:
                return Touched(unknown=too_long)
            share = _SAMPLED_BLOCKS / blocks
            sample = sql.SQL("{} TABLESAMPLE SYSTEM ({}) REPEATABLE (1)")
            found = self._run({**parts, "table": sample.format(parts["table"], sql.Literal(100 * share))})
            enter, leave, change = (round(n / share) for n in (found.enter, found.leave, found.change))
            return Touched(enter, leave, change, estimated=True)
        except psycopg.errors.QueryCanceled:
            return Touched(unknown=too_long)
        except psycopg.DatabaseError as error:
            return self._failed(error)

    def _run(self, parts: dict[str, sql.Composable]) -> Touched:
        statement = sql.SQL(load("rules")["count_touched"]).format(**parts)
        with self._connection.transaction():
            limit = {"timeout": f"{max(1, round(self._seconds * 1000))}ms"}
            self._connection.execute(load("rules")["limit_statement"], limit)
            row = self._connection.execute(statement).fetchone()
        enter, leave, change = row or (0, 0, 0)
        return Touched(enter, leave, change)

    def _failed(self, error: psycopg.DatabaseError) -> Touched:
        if self._connection.broken:
            raise error
        return Touched(unknown=str(error.diag.message_primary or error))


def _same_way(before: Rule, after: Rule) -> bool:
    return (before.source, before.target) == (after.source, after.target)
