"""Releasing changes that wait: told of an arrival, or looked at now and then, or given up at their time.

The worker that holds the partition does it, between two batches, as it does with dead letters.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import psycopg

from pipeline.batch import Item
from pipeline.carry import by_change, carried, read_changes, under
from pipeline.log import get_logger
from pipeline.postgres.awaited import present
from pipeline.postgres.faults import Fault, fault_of
from pipeline.postgres.queries import load
from pipeline.postgres.refusal import refusal_of
from pipeline.postgres.waits import Ended, StaleWaits
from pipeline.postgres.writer import array
from stages.completion import completed
from stages.reject import Cause

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.postgres.holds import KnownHolds
    from pipeline.postgres.target import Target
    from stages.reject import Reject
    from stages.rules.compile import CompiledRules

_ARRIVALS: Final = 200  # rows that arrived, seen to together
_AT_A_TIME: Final = 1_000  # waits
_TOGETHER: Final = 2_000  # changes in one transaction
_ROUNDS: Final = 20  # before what is live has its turn again
log = get_logger()


class WaitReleaser:
    """Sees to the waits on one worker's connection, under its leases."""

    def __init__(self, connection: psycopg.Connection, target: Target, holds: KnownHolds) -> None:
        self._connection = connection
        self._target = target
        self._holds = holds
        self._queries = load("waits")
        self._terms: dict[int, int] = {}

    def run(self, terms: dict[int, int], rules: CompiledRules) -> None:
        """See to the waits of the partitions of `terms`. Raises LeaseLost, psycopg.Error for an outage."""
        if terms != self._terms:  # others may have left waits there
            self._holds.reload()
            self._terms = terms
        if not self._holds.waits:
            return
        for _ in range(_ROUNDS):
            if not self._arrived(terms, rules):
                break
        self._look(terms, rules)
        self._give_up_overdue(terms)

    def _arrived(self, terms: Mapping[int, int], rules: CompiledRules) -> bool:
        """Release what waited for rows that have arrived; whether there were any."""
        known = self._rows("arrivals", partitions=list(terms), rows=_ARRIVALS)
        if not known:
            return False
        arrivals, after = array(number for (number,) in known), 0
        while waits := self._rows("arrived", arrivals=arrivals, after=after, rows=_AT_A_TIME):
            self._release(waits, terms, rules)
            after = waits[-1][0]
        self._connection.execute(self._queries["forget_arrivals"], {"arrivals": arrivals})
        return True

    def _look(self, terms: Mapping[int, int], rules: CompiledRules) -> None:
        """The net: waits are looked at ever less often, whether or not anything told of an arrival."""
        live = rules.by_id.values()
        found = self._rows(
            "to_look_at",
            partitions=list(terms),
            rules=[one.rule.id for one in live],
            versions=[one.rule.version for one in live],
            rows=_AT_A_TIME,
        )
        if not found:
            return
        ready = {row[0] for row in found if row[-1]}
        ready |= present(self._connection, [row[:-1] for row in found if row[0] not in ready])
        later = [row[0] for row in found if row[0] not in ready]
        if later:
            self._connection.execute(self._queries["look_later"], {"ids": array(later)})
        self._release([row[:2] for row in found if row[0] in ready], terms, rules)

    def _release(
        self, waits: Sequence[tuple[Any, ...]], terms: Mapping[int, int], rules: CompiledRules
    ) -> None:
        """Release waits, given as number and partition, in transactions of a bounded size."""
        counts = dict(self._rows("held_behind", ids=array(number for number, _ in waits)))
        for partition in sorted({partition for _, partition in waits}):
            some: list[int] = []
            size = 0
            for number in (number for number, where in waits if where == partition):
                more = 1 + counts.get(number, 0)
                if more > _TOGETHER:  # piece by piece, as what is behind a letter
                    self._give_up([number], partition, terms[partition], "what is held behind it is much")
                    continue
                if size + more > _TOGETHER:
                    self._together(some, partition, terms[partition], rules)
                    some, size = [], 0
                some.append(number)
                size += more
            self._together(some, partition, terms[partition], rules)

    def _together(self, ids: Sequence[int], partition: int, term: int, rules: CompiledRules) -> None:
        """Release waits in one transaction; one that Postgres refuses alone is a letter, to be retried."""
        if not ids:
            return
        try:
            self._target.go_on(self._ended(ids, partition, rules), rules, partition, term)
        except StaleWaits:  # more came; we look again in a moment
            return
        except psycopg.Error as error:
            if fault_of(error) is not Fault.DATA:
                raise
            if len(ids) == 1:
                self._give_up(ids, partition, term, "released", refusal_of(error))
                return
            half = len(ids) // 2
            self._together(ids[:half], partition, term, rules)
            self._together(ids[half:], partition, term, rules)

    def _ended(self, ids: Sequence[int], partition: int, rules: CompiledRules) -> Ended:
        """The changes of waits and what is held behind them, through the stages by the live rules."""
        rows = self._rows("of_waits", ids=array(ids))
        changes = frozenset((change, rule) for change, rule, _ in rows)
        begun = {(change, rule) for change, rule, begun in rows if begun}
        wanted = by_change(list(changes))
        passages = [
            completed(under(passage, wanted), begun, rules)
            for passage in carried(read_changes(self._connection, wanted, rules.version), rules)
        ]
        return Ended(ids, changes, [Item(partition, b"", (0, 0), passage) for passage in passages])

    def _give_up_overdue(self, terms: Mapping[int, int]) -> None:
        ended = self._rows(
            "give_up",
            partitions=list(terms),
            ids=None,
            rows=_AT_A_TIME,
            cause=Cause.NOT_FOUND,
            sqlstate=None,
            message=None,
            requested=None,
            reason=None,
        )
        for rule, count in Counter(rule for _, rule in ended).items():
            log.warning(
                "changes waited too long and are dead letters now",
                action="wait_ended",
                rule=rule,
                count=count,
            )

    def _give_up(
        self, ids: Sequence[int], partition: int, term: int, why: str, refusal: Reject | None = None
    ) -> None:
        """Turn waits into letters that are tried again at once, change by change."""
        with self._connection.transaction():
            self._target.confirm(partition, term)
            self._rows(
                "give_up",
                partitions=[partition],
                ids=array(ids),
                rows=len(ids),
                cause=refusal.cause if refusal else Cause.NOT_FOUND,
                sqlstate=refusal.sqlstate if refusal else None,
                message=refusal.message if refusal else None,
                requested="retry",
                reason=f"orgstream: {why}",
            )

    def _rows(self, query: str, **parameters: Any) -> list[tuple[Any, ...]]:
        return self._connection.execute(self._queries[query], parameters).fetchall()
