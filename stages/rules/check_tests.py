"""The tests of a rule: each change is given to the stages, and what comes out is compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from stages.expression import EvaluationError
from stages.lookup import filled_in
from stages.reject import Cause
from stages.rules.cells import UnfitValue, column_json, column_value, shown
from stages.rules.place import Fault
from stages.rules.suggest import did_you_mean
from stages.rules.trial import Outcome, Trial, change_of
from stages.write import Action

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from stages.rules.declared import Cell, DeclaredRule, DeclaredTest
    from stages.rules.model import Column, Rule, RuleSet, Table
    from stages.write import Write

_ADVICE: Final = "mend the rule, or what the test expects"


def check_tests(declared: DeclaredRule, rule: Rule, rule_set: RuleSet) -> Iterator[Fault]:
    """A fault for each test of a valid rule that does not come out as it says."""
    if declared.tests:
        source = next(table for table in rule_set.tables if table.name == rule.source)
        tester = _Tester(declared.label, source, Trial(rule_set, rule))
        for test in declared.tests:
            yield from tester.check(test)


class _Tester:
    """Runs the tests of one rule."""

    def __init__(self, label: str, source: Table, trial: Trial) -> None:
        self._label = label
        self._source = source
        self._trial = trial
        self._columns = {column.name: column for column in trial.rule.target.columns}

    def check(self, test: DeclaredTest) -> Iterator[Fault]:
        faults: list[Fault] = []
        before, after = self._row(test, test.before, faults), self._row(test, test.after, faults)
        found = dict(self._found(test, faults))
        if not faults and (before is not None or after is not None):
            heeded = self._trial.rule.rule.origins or ("application",)
            change = change_of(self._source, before, after, test.origin or heeded[0])
            outcome = self._trial.run(change, lambda passage, rules: filled_in(passage, rules, found))
            faults += self._compare(test, outcome)
        yield from faults

    def _row(
        self, test: DeclaredTest, cells: Mapping[str, Cell] | None, faults: list[Fault]
    ) -> dict[str, Any] | None:
        """The record as capture would write it; what its table cannot hold becomes a fault."""
        if cells is None:
            return None
        types = {column.name: column.type for column in self._source.columns}
        row: dict[str, Any] = {}
        for name, cell in cells.items():
            if name not in types:
                message = f"{test.label}: the source {self._source.name} has no column `{name}`"
                faults.append(Fault(cell.place, message, self._label, did_you_mean(name, types)))
                continue
            try:
                row[name] = column_json(cell.value, types[name])
            except UnfitValue as error:
                message = f"{test.label}: `{name}` is {types[name]}: {error}"
                faults.append(Fault(cell.place, message, self._label))
        return row

    def _found(self, test: DeclaredTest, faults: list[Fault]) -> Iterator[tuple[str, Any]]:
        """What the lookups find, as their columns would hold it."""
        lookups = {lookup.column: lookup for lookup in self._trial.rule.lookups}
        for name, cell in test.lookups.items():
            if name not in lookups:
                message = f"{test.label}: `{name}` is not filled by a `lookup`"
                faults.append(Fault(cell.place, message, self._label, did_you_mean(name, lookups)))
                continue
            taken = lookups[name].table.column(lookups[name].take)
            try:
                yield name, column_json(cell.value, taken.type if taken else "")
            except UnfitValue as error:
                message = f"{test.label}: `{name}` takes {taken.type if taken else ''}: {error}"
                faults.append(Fault(cell.place, message, self._label))

    def _compare(self, test: DeclaredTest, outcome: Outcome) -> Iterator[Fault]:
        cause, message = self._failure(outcome)
        found = "waits" if outcome.wait else outcome.kind or "none"
        if cause is not None and (test.cause is None or test.cause.value != cause):
            wanted = test.cause.value if test.cause else test.expect.value if test.expect else "success"
            yield self._fault(test, f"expected {wanted}, but it fails with {cause}: {message}")
        elif cause is None and test.cause is not None:
            yield self._fault(test, f"expected to fail with {test.cause.value}, but found {found}")
        elif cause is None and test.expect is not None and test.expect.value != found:
            yield self._fault(test, f"expected {test.expect.value}, found {found}")
        elif cause is None:
            yield from self._compare_values(test, self._written(outcome.write))

    def _failure(self, outcome: Outcome) -> tuple[str | None, str]:
        """Why the change would become a dead letter, as far as that can be told without the database."""
        if outcome.reject is not None:
            return outcome.reject.cause, outcome.reject.message
        whole = outcome.write is not None and outcome.write.action is Action.UPSERT
        for name, value in self._written(outcome.write).items():
            column = self._columns[name]
            if value is None and not column.nullable and whole:
                return Cause.REFUSED, f"`{name}` cannot be NULL"
            try:
                column_value(value, column.type)
            except EvaluationError as error:
                return Cause.REFUSED, f"`{name}` is {column.type}: {error.message}"
        return None, ""

    def _written(self, write: Write | None) -> dict[str, Any]:
        if write is None:
            return {}
        return {**dict(zip(self._trial.rule.key_columns, write.key, strict=True)), **write.values}

    def _compare_values(self, test: DeclaredTest, written: Mapping[str, Any]) -> Iterator[Fault]:
        wanted = [(name, cell.value, cell.place) for name, cell in test.values.items()]
        wanted += [(text.value, None, text.place) for text in test.nulls]
        for name, value, place in wanted:
            if name not in written:
                message = f"{test.label}: `{name}` is not written then"
                yield Fault(place, message, self._label, did_you_mean(name, written))
            elif not self._same(value, written[name], self._columns[name]):
                message = f"{test.label}: `{name}` should be {shown(value)}, and is {shown(written[name])}"
                yield Fault(place, message, self._label)

    def _same(self, wanted: Any, found: Any, column: Column) -> bool:
        try:
            return bool(column_value(wanted, column.type) == column_value(found, column.type))
        except EvaluationError:  # what is wanted is no value of the column's type
            return False

    def _fault(self, test: DeclaredTest, message: str) -> Fault:
        return Fault(test.place, f"{test.label}: {message}", self._label, _ADVICE)
