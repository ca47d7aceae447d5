"""What each stage makes of one change under one rule, step by step: what it reads and what it finds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from stages.expression import EvaluationError, compile_expression, sql_type
from stages.passage import Kind, Rows
from stages.read import read_rows
from stages.rules.closures import UnmappedValue
from stages.rules.model import Mapping, SetColumns
from stages.rules.trial import LookUp, Outcome, Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stages.change import Change
    from stages.rules.model import Rule, RuleSet

    Row = dict[str, Any]


class Check(msgspec.Struct, frozen=True):
    """A question that a change must pass before its rows are looked at."""

    name: str
    asked: Any
    found: Any
    passes: bool


class Evaluated(msgspec.Struct, frozen=True):
    """An expression of the rule on the record before and after the change, where there is one.

    `inputs_before` and `inputs_after` are the source columns that it reads; `fault` is why there is no value.
    """

    column: str | None
    expression: str
    inputs_before: dict[str, Any] | None
    inputs_after: dict[str, Any] | None
    before: Any = None
    after: Any = None
    fault: str | None = None
    values: dict[str, str] | None = None  # through which a text goes then


class Steps(msgspec.Struct, frozen=True):
    """The way of a change through filter, match and transform; `when` is None where the rule has none.

    `is_gone`: what counts is the record before the change, because it leaves or is deleted.
    """

    is_gone: bool
    checks: tuple[Check, ...]
    when: Evaluated | None
    kind: Kind | None
    key: tuple[Evaluated, ...]
    columns: tuple[Evaluated, ...]
    outcome: Outcome


def explain(rule_set: RuleSet, rule: Rule, change: Change, look_up: LookUp | None = None) -> Steps:
    """Every step of a change under a rule of a valid rule set, whether or not the rule wants it.

    `look_up` fills looked-up values in.
    """
    return _Explainer(rule_set, rule, change, look_up).steps()


class _Explainer:
    def __init__(self, rule_set: RuleSet, rule: Rule, change: Change, look_up: LookUp | None) -> None:
        self._look_up = look_up
        self._rule_set, self._rule, self._change = rule_set, rule, change
        source = next(table for table in rule_set.tables if table.name == rule.source)
        self._types = {column.name: sql_type(column.type) for column in source.columns}
        self._before = _decoded(change.before)
        self._after = _decoded(change.after)

    def steps(self) -> Steps:
        checks = tuple(self._checks())
        outcome = Trial(self._rule_set, self._rule).run(self._change, self._look_up)
        if outcome.reject is not None and self._rows(Trial(self._rule_set, self._bare())) is None:
            return Steps(False, checks, None, None, (), (), outcome)  # the row does not fit the table
        wanted = all(check.passes for check in checks)
        return Steps(
            self._after is None or outcome.kind in {Kind.LEAVE, Kind.DELETE},
            checks,
            self._when(),
            outcome.kind if wanted else None,
            tuple(self._key()),
            tuple(self._columns(outcome)),
            outcome if wanted else Outcome(),
        )

    def _checks(self) -> Iterator[Check]:
        rule, change = self._rule, self._change
        yield Check("enabled", True, rule.enabled, rule.enabled)
        operations = [operation.lower() for operation in rule.on]
        yield Check("on", operations, change.operation.lower(), change.operation in rule.on)
        heeded = not rule.origins or change.origin in rule.origins
        yield Check("origins", list(rule.origins) or "any", change.origin, heeded)
        path = list(change.path)
        yield Check("path", f"not {rule.target.org}", path, rule.target.org not in path)

    def _bare(self, **kept: Any) -> Rule:
        """The rule without condition and map but for what is kept."""
        fields = {"when": None, "map": {}, "on_delete": "ignore", "on_unmatched": "leave"} | kept
        return msgspec.structs.replace(self._rule, **fields)

    def _when(self) -> Evaluated | None:
        if self._rule.when is None:
            return None
        trial = Trial(self._rule_set, self._bare(when=self._rule.when))
        condition = trial.rule.condition
        return self._evaluated(None, self._rule.when, trial, lambda row: condition and condition(row))

    def _key(self) -> Iterator[Evaluated]:
        trial = Trial(self._rule_set, self._bare())
        for (name, text), evaluate in zip(self._rule.key.items(), trial.rule.key, strict=True):
            yield self._evaluated(name, text, trial, evaluate)

    def _columns(self, outcome: Outcome) -> Iterator[Evaluated]:
        """The mapped columns; those of `set` where the record leaves or is deleted."""
        policy = {Kind.LEAVE: self._rule.on_unmatched, Kind.DELETE: self._rule.on_delete}.get(
            outcome.kind or Kind.ENTER
        )
        if policy is None:
            columns = self._rule.map
        else:
            found = policy.columns if isinstance(policy, SetColumns) else {}
            columns = {name: Mapping(text) for name, text in found.items()}
        for name, mapping in columns.items():
            yield (
                self._column(name, mapping)
                if mapping.lookup is None
                else self._looked_up(name, mapping, outcome)
            )

    def _column(self, name: str, mapping: Mapping) -> Evaluated:
        trial = Trial(self._rule_set, self._bare(map={name: mapping}))
        found = self._evaluated(
            name, mapping.expr or "", trial, lambda row: trial.rule.columns.values(row)[name]
        )
        return msgspec.structs.replace(found, values=mapping.values)

    def _looked_up(self, name: str, mapping: Mapping, outcome: Outcome) -> Evaluated:
        """A column whose value stands in another table: what it was looked up by, and what was found."""
        where = mapping.where or {}
        told = " AND ".join(f"{column} = {text}" for column, text in where.items())
        reads = sorted({c for text in where.values() for c in compile_expression(text, self._types).columns})
        missed = outcome.reject or outcome.wait
        at_fault = missed is not None and f"`{name}`" in missed.message
        return Evaluated(
            name,
            f"{mapping.take} of {mapping.lookup} where {told}",
            *self._inputs(reads),
            after=None if outcome.write is None else outcome.write.values.get(name),
            fault=missed.message if missed is not None and at_fault else None,
        )

    def _inputs(self, reads: list[str]) -> tuple[Row | None, Row | None]:
        """What the record had in some columns, before and after."""

        def of(row: Row | None) -> Row | None:
            return None if row is None else {key: row.get(key) for key in reads}

        return of(self._before), of(self._after)

    def _evaluated(
        self, name: str | None, text: str, trial: Trial, evaluate: Callable[[Row], Any]
    ) -> Evaluated:
        reads = sorted(compile_expression(text, self._types).columns)
        rows = self._rows(trial)
        values: list[Any] = []
        fault = None
        for row in (rows.before, rows.after) if rows else ():
            try:
                values.append(None if row is None else evaluate(row))
            except EvaluationError as error:
                values.append(None)
                fault = error.message
            except UnmappedValue as error:
                values.append(None)
                fault = str(error)
        before, after = values or (None, None)
        return Evaluated(name, text, *self._inputs(reads), before, after, fault)

    def _rows(self, trial: Trial) -> Rows | None:
        name = self._rule.source
        try:
            rows = read_rows(self._change, trial.rules.tables[name.schema, name.name])
        except msgspec.DecodeError:
            return None
        return None if rows.faults else rows


def _decoded(row: msgspec.Raw) -> Row | None:
    found: Row | None = msgspec.json.decode(row)
    return found
