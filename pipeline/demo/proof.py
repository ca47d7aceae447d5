"""The proof: every source against every target through the rules, as Postgres reads them, and every write
that a target took against the history of its source.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec

from pipeline.demo.history import Seen, follow
from pipeline.demo.oracle import Oracle, compare_capture
from pipeline.demo.order import State, Write, judge
from pipeline.demo.verdict import DemoVerdict, RuleVerdict
from pipeline.postgres.queries import load
from pipeline.proof.verdict import Finding, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from pipeline.demo.history import History
    from stages.rules.model import RuleSet

_KEPT: Final = ["_hc_lastop", "_hc_err"]  # what Heroku Connect's triggers note with every write
_DECODER: Final = msgspec.json.Decoder(dict[str, Any] | None, float_hook=Decimal)


def prove(connection: psycopg.Connection, rule_set: RuleSet) -> DemoVerdict:
    """Look at everything once. The orgs and the pipeline must be at rest, and every record captured."""
    found: set[Finding] = set()
    verdicts = []
    for rule in rule_set.rules:
        proof = _RuleProof(connection, Oracle(rule, rule_set))
        found.update(proof.findings())
        verdicts.append(proof.verdict())
    found.update(_uncaptured(connection, rule_set))
    row = connection.execute(load("demo")["summary"]).fetchone() or (0, 0, 0, 0)
    captured, applied, carried, dead = row
    return DemoVerdict(
        captured=captured,
        applied=applied,
        suppressed=captured - carried - dead,
        dead=dead,
        findings=tuple(sorted(found)),
        rules=tuple(verdicts),
    )


class _RuleProof:
    """One rule's."""

    def __init__(self, connection: psycopg.Connection, oracle: Oracle) -> None:
        self._connection = connection
        self._oracle = oracle
        self._rule = oracle.rule
        self._history: History = follow(oracle.rule, self._transitions())
        self._writes: dict[str, list[Write]] = self._written()

    def findings(self) -> Iterator[Finding]:
        yield from self._differences()
        yield from self._leftovers()
        yield from self._unrecorded()
        yield from self._misplaced()

    def verdict(self) -> RuleVerdict:
        writes = sum(map(len, self._writes.values()))
        return RuleVerdict(self._rule.name, len(self._history.states), len(self._history.changes), writes)

    def _transitions(self) -> Iterator[Seen]:
        query = self._oracle.query("transitions")
        for change, image, key, before, after, settled in self._connection.execute(
            query, self._oracle.of_source
        ):
            yield Seen(change, key, before, after, _state(image), _state(settled))

    def _written(self) -> dict[str, list[Write]]:
        """The writes that each record took, those left out that only concern other rules' columns."""
        written: dict[str, list[Write]] = {}
        parameters = {**self._oracle.of_target, "kept": _KEPT}
        for before, after, key, same in self._connection.execute(self._oracle.query("writes"), parameters):
            old, new = _state(before), _state(after)
            write = new if new is None or old is None else {c: v for c, v in new.items() if old[c] != v}
            if key in self._history.states and (write != {} or same):
                written.setdefault(key, []).append(write)
        return written

    def _differences(self) -> Iterator[Finding]:
        """Each record that meets the rule's condition now, against its target row."""
        for key, wanted, there in self._connection.execute(self._oracle.query("differences")):
            yield self._compared(key, _state(wanted), _state(there))

    def _leftovers(self) -> Iterator[Finding]:
        """The others by their history: deleted records, and those that no longer meet the condition."""
        rows: dict[str, str] = dict(self._connection.execute(self._oracle.query("target_rows")).fetchall())
        for key in self._history.states:
            wanted, there = self._history.last(key), _state(rows.get(key))
            if wanted != there:
                yield self._compared(key, wanted, there)

    def _unrecorded(self) -> Iterator[Finding]:
        """The ledger against the changes that had to be written."""
        recorded = {
            change
            for (change,) in self._connection.execute(
                load("demo")["ledger"], {"rule": self._rule.id, "name": self._rule.name}
            )
        }
        for change in self._history.changes.keys() - recorded:
            yield self._finding(
                Kind.LOST, self._history.changes[change], f"change {change} was never applied"
            )
        for change in recorded - self._history.changes.keys():
            yield self._finding(
                Kind.WRONG, f"change {change}", "was applied though nothing was to be written"
            )

    def _misplaced(self) -> Iterator[Finding]:
        """The writes that the records took, one after the other."""
        for key, writes in self._writes.items():
            for kind, place in judge(self._history.states[key], writes):
                what = "a delete" if writes[place] is None else ", ".join(writes[place] or ["nothing new"])
                yield self._finding(kind, key, f"write {place + 1} of {len(writes)} ({what})")

    def _compared(self, key: str, wanted: State, there: State) -> Finding:
        if there is None:
            return self._finding(Kind.LOST, key, "the target row is missing")
        if wanted is None:
            return self._finding(Kind.WRONG, key, "the target row should be gone")
        told = [
            f"{column} is {there[column]!s}, not {wanted[column]!s}"
            for column in wanted
            if there[column] != wanted[column]
        ]
        return self._finding(Kind.WRONG, key, "; ".join(told))

    def _finding(self, kind: Kind, key: str, message: str) -> Finding:
        return Finding(kind, self._rule.name, key, message)


def _uncaptured(connection: psycopg.Connection, rule_set: RuleSet) -> Iterator[Finding]:
    """The source tables against what was captured of them."""
    for table in rule_set.tables:
        if table.identity:
            name = table.name
            parameters = {"schema": name.schema, "table": name.name, "identity": list(table.identity)}
            for (key,) in connection.execute(compare_capture(table), parameters):
                yield Finding(Kind.LOST, str(name), key, "its last change was never captured")


def _state(text: str | None) -> State:
    return None if text is None else _DECODER.decode(text)
