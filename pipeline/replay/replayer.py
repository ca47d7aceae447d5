"""The transactions of a replay: a few records each, with the workers of their partitions kept out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import psycopg

from pipeline.postgres.faults import Fault, fault_of
from pipeline.postgres.queries import load
from pipeline.postgres.refusal import refusal_of
from pipeline.postgres.writer import Writer, array
from pipeline.replay.fold import Failure, Told, fold, pairs_of, plan_of, read_passages, to_replay
from pipeline.replay.histories import read_histories
from pipeline.replay.links import ReplayLinks
from pipeline.replay.select import extend
from stages.overlay import whole

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pipeline.replay.fold import Folded, Pair
    from pipeline.replay.histories import Histories
    from stages.rules.compile import CompiledRules

# What is read after the locks has to be of a later snapshot.
_EACH_SNAPSHOT: Final = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED"


class _Elsewhere(Exception):
    """Raised when records turn out to stand in more partitions than are locked."""

    def __init__(self, partitions: set[int]) -> None:
        super().__init__()
        self.partitions = partitions


class Replayer:
    """Works on one replay, on one connection."""

    def __init__(
        self, connection: psycopg.Connection, replay: int, *, first: int, force: bool, partitions: int
    ) -> None:
        self._connection = connection
        self._replay = replay
        self._first = first
        self._force = force
        self._partitions = partitions
        self._queries = load("replay")
        self._writer = Writer(connection)

    def step(self, count: int, meant: Collection[int], rules: CompiledRules) -> int:
        """Replay the next records, in one transaction; how many changes were selected of them.

        0 is the end. `meant` are the rules. Raises psycopg.Error for an outage: nothing of it was done then.
        """
        partitions: set[int] = set()
        while True:
            try:
                with self._connection.transaction():
                    self._connection.execute(_EACH_SNAPSHOT)
                    return self._step(count, meant, whole(rules) if self._force else rules, partitions)
            except _Elsewhere as elsewhere:
                partitions = elsewhere.partitions

    def _step(self, count: int, meant: Collection[int], rules: CompiledRules, partitions: set[int]) -> int:
        rows = self._connection.execute(
            self._queries["todo"], {"replay": self._replay, "after": 0, "rows": count}
        ).fetchall()
        if not rows:
            return 0
        histories = self._locked({record for record, _ in rows}, partitions)
        told = self.told(histories, meant & rules.by_id.keys())
        chosen = [(group, *to_replay(group, told)) for group in histories.groups]
        ids = [change for group, selected, _ in chosen if selected for change in group.changes]
        passages = read_passages(self._connection, ids, rules)
        folded = [fold(group, selected, passages, told) for group, selected, _ in chosen if selected]
        applied, failures = self._write(folded, rules)
        failures += [failure for one in folded for failure in one.failures]
        self._finish(histories, applied, sum(held for *_, held in chosen), failures)
        return sum(len(rules) for group in histories.groups for rules in group.changes.values())

    def _locked(self, records: set[int], partitions: set[int]) -> Histories:
        """The histories of records up to now, with everybody else kept from them."""
        known = read_histories(self._connection, self._replay, records)
        locked = partitions | known.partitions(self._partitions)
        self._connection.execute(self._queries["lock"], {"partitions": sorted(locked)})
        extend(self._connection, self._replay, self._first)
        histories = read_histories(self._connection, self._replay, records)
        if not histories.partitions(self._partitions) <= locked:
            raise _Elsewhere(locked | histories.partitions(self._partitions))
        return histories

    def told(self, histories: Histories, rules: Collection[int]) -> Told:
        """What Postgres says of these changes."""
        changes = {"changes": histories.changes}
        waiting = self._pairs("held", changes)
        keys = sorted(histories.keys)
        blocked = self._connection.execute(
            self._queries["blocked"], {"tables": [k[0] for k in keys], "keys": [k[1] for k in keys]}
        ).fetchall()
        paused = {rule for (rule,) in self._connection.execute(self._queries["paused"])}
        if blocked or paused:
            waiting |= self._behind(histories, blocked, paused)
        return Told(self._pairs("ledger", changes), self._force, waiting, rules)

    def _pairs(self, query: str, changes: dict[str, list[int]]) -> set[Pair]:
        return {(change, rule) for change, rule in self._connection.execute(self._queries[query], changes)}

    def _behind(
        self, histories: Histories, blocked: list[tuple[int, str, str]], paused: set[int]
    ) -> set[Pair]:
        """The changes of groups with a blocked record, and of all groups under paused rules."""
        waiting = {(change, rule) for change in histories.changes for rule in paused}
        if not blocked:
            return waiting
        rules, tables, keys = map(list, zip(*blocked, strict=True))
        records = {"rules": rules, "tables": tables, "keys": keys}
        bound: dict[int, set[int]] = {}
        query = self._queries["bound"]
        for change, rule in self._connection.execute(query, {"changes": histories.changes, **records}):
            bound.setdefault(change, set()).add(rule)
        for group in histories.groups:
            held = {rule for change in group.changes for rule in bound.get(change, ())}
            waiting |= {(change, rule) for change in group.changes for rule in held}
        return waiting

    def _write(self, folded: Sequence[Folded], rules: CompiledRules) -> tuple[int, list[Failure]]:
        """Write groups; how many selected changes took effect, and those that Postgres refused."""
        if not folded:
            return 0, []
        try:
            with self._connection.transaction():
                return self._write_all(folded, rules), []
        except psycopg.Error as error:
            if fault_of(error) is not Fault.DATA:
                raise
            if len(folded) == 1:
                why = refusal_of(error)
                return 0, [Failure(*pair, why) for pair in _effective(folded[0])]
        half = len(folded) // 2
        first, second = self._write(folded[:half], rules), self._write(folded[half:], rules)
        return first[0] + second[0], first[1] + second[1]

    def _write_all(self, folded: Sequence[Folded], rules: CompiledRules) -> int:
        links = ReplayLinks(self._connection)
        plan = plan_of(folded, rules, links)
        self._connection.execute(
            self._queries["record_writes"],
            {
                "changes": array(entry.change_id for entry in plan.ledger),
                "rules": array(entry.rule_id for entry in plan.ledger),
                "versions": array(entry.rule_version for entry in plan.ledger),
                "force": self._force,
            },
        )
        self._writer.execute(plan)
        links.keep({(entry.change_id, entry.rule_id) for entry in plan.ledger})
        return sum(len(_effective(one)) for one in folded)

    def _finish(self, histories: Histories, applied: int, held: int, failures: Sequence[Failure]) -> None:
        for failure in failures:
            self._connection.execute(
                self._queries["fail"],
                {
                    "replay": self._replay,
                    "change": failure.change,
                    "rule": failure.rule,
                    "cause": failure.why.cause,
                    "sqlstate": failure.why.sqlstate,
                    "message": failure.why.message,
                },
            )
        self._connection.execute(
            self._queries["done"],
            {
                "replay": self._replay,
                "records": histories.records,
                "applied": applied,
                "held": held,
                "failed": len(failures),
            },
        )


def _effective(folded: Folded) -> set[Pair]:
    """The selected changes that have a part in what is written."""
    return set(folded.selected).intersection(pairs_of(folded.passages))
