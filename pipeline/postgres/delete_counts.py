"""How many deletes came within a minute, by what capture wrote: the same for every worker, and known before
the first of them takes effect.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import msgspec
from psycopg import errors, sql

from pipeline.postgres.queries import load
from pipeline.rules.pushdown import meets
from stages.delete_burst import WINDOW, Span, allowed, is_limited, limit_of, masses, without

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import psycopg

    from stages.delete_burst import Burst
    from stages.rules.compile import CompiledRule, CompiledRules
    from stages.rules.model import TableName

_MOST: Final = 1_000_000  # so many are counted where a rule limits the share alone
_WHERE_MET: Final = sql.SQL(
    "SELECT floor(extract(epoch FROM q.orgstream_at))::bigint, count(*) FROM ("
    "SELECT c.captured_at AS orgstream_at, c.before AS orgstream_before FROM orgstream.change_queue AS c"
    " WHERE c.operation = 'DELETE' AND c.table_schema = %(table_schema)s AND c.table_name = %(table_name)s"
    " AND c.captured_at >= to_timestamp(%(since)s) AND c.captured_at < to_timestamp(%(until)s)"
    " AND NOT %(org)s = any(c.path)"
    " AND (cardinality(%(origins)s::text[]) = 0 OR c.origin = any(%(origins)s::text[]))) AS q"
    " CROSS JOIN LATERAL json_populate_record(NULL::{table}, q.orgstream_before) AS r"
    " WHERE {meets} GROUP BY 1"
)


class Mass(msgspec.Struct, frozen=True):
    """Deletes of a rule that are too many: from when to when, how many, and how many might go through."""

    span: Span
    deletes: int
    most: int


class DeleteCounts:
    """Counts on one connection, in a transaction of the caller's."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._queries = load("deletes")

    def masses(
        self, asked: Mapping[int, Span], rules: CompiledRules, settled: Sequence[Burst]
    ) -> dict[int, list[Mass]]:
        """The masses of each rule around the times asked for. One query, where there are none."""
        windows = {
            rule: _window(rules.by_id[rule], span)
            for rule, span in asked.items()
            if is_limited(rules.by_id[rule].rule)
        }
        if not windows:
            return {}
        encoded = msgspec.json.encode(list(windows.values())).decode()
        totals = self._connection.execute(self._queries["count"], {"windows": encoded}).fetchall()
        found = {}
        for rule, total in totals:
            compiled = rules.by_id[rule]
            most = self._allowed(compiled, int(total))
            if most is not None and total > most:
                own = [burst for burst in settled if burst.rule == rule]
                counts = without(self._by_second(compiled, windows[rule]), own)
                found[rule] = [_mass(span, counts, most) for span in masses(counts, most)]
        return found

    def tally(self, leaves: Mapping[int, Counter[int]]) -> None:
        """Note deletes that the queue does not tell: their records left the rule."""
        rows = [(rule, second, count) for rule, of in leaves.items() for second, count in of.items()]
        if rows:
            rules, seconds, deletes = (list(column) for column in zip(*rows, strict=True))
            self._connection.execute(
                self._queries["tally"],
                {"rules": rules, "seconds": seconds, "deletes": deletes, "oldest": min(seconds)},
            )

    def _allowed(self, compiled: CompiledRule, total: int) -> int | None:
        """How many may go through; the target's records are counted only where their share decides."""
        limit, few = limit_of(compiled.rule)
        records = None
        if limit.share is not None and total > few and (limit.count is None or total <= limit.count):
            enough = math.ceil(total / limit.share) + 1 if limit.share else 0
            records = self._records(compiled.target.name, enough)
        return allowed(limit, few, records)

    def _records(self, table: TableName, enough: int) -> int:
        """How many records a table has; counted no further than needed."""
        query = sql.SQL("SELECT count(*) FROM (SELECT FROM {} LIMIT %(enough)s) AS found").format(
            sql.Identifier(table.schema, table.name)
        )
        row = self._connection.execute(query, {"enough": enough}).fetchone()
        return int(row[0]) if row else 0

    def _by_second(self, compiled: CompiledRule, window: dict[str, Any]) -> Counter[int]:
        """The deletes that the rule would carry, by the second of their capture."""
        counts: Counter[int] = Counter(
            dict(self._connection.execute(self._queries["tallied"], window).fetchall())
        )
        counts.update(dict(self._heeded(compiled, window)))
        return counts

    def _heeded(self, compiled: CompiledRule, window: dict[str, Any]) -> list[tuple[int, int]]:
        if compiled.rule.when is not None:
            source = compiled.rule.source
            query = _WHERE_MET.format(
                table=sql.Identifier(source.schema, source.name), meets=meets(compiled.rule)
            )
            try:
                with self._connection.transaction():
                    return self._connection.execute(query, window).fetchall()
            except (errors.DataError, errors.ProgrammingError):
                pass  # the table is another by now, or a row fails in `when`: then they all count
        return self._connection.execute(self._queries["by_second"], window).fetchall()


def _window(compiled: CompiledRule, span: Span) -> dict[str, Any]:
    limit, _ = limit_of(compiled.rule)
    rule = compiled.rule
    return {
        "rule_id": rule.id,
        "table_schema": rule.source.schema,
        "table_name": rule.source.name,
        "org": rule.target.org,
        "origins": list(rule.origins),
        "since": span.since - WINDOW + 1,
        "until": span.until + WINDOW,
        "most": _MOST if limit.count is None else limit.count + 1,
    }


def _mass(span: Span, counts: Mapping[int, int], most: int) -> Mass:
    return Mass(span, sum(count for second, count in counts.items() if span.has(second)), most)
