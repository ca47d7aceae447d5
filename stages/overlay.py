"""Rules with something of a person's laid over them: values set by hand, or every column written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from stages.rules.closures import Columns, constant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stages.rules.closures import Evaluate, Row
    from stages.rules.compile import CompiledRule, CompiledRules

_Set = tuple[tuple[str, "Evaluate"], ...]


class EditedColumns(Columns):
    """Mapped columns of which some have a value set by hand, which is written whatever the row says."""

    __slots__ = ("_edits",)

    def __init__(self, columns: Columns, edits: Mapping[str, Any]) -> None:
        super().__init__(
            {name: source for name, source in columns.copied.items() if name not in edits},
            tuple((name, evaluate) for name, evaluate in columns.computed if name not in edits),
        )
        self._edits = dict(edits)

    def values(self, row: Row) -> dict[str, Any]:
        """The value of every mapped column. Raises EvaluationError, UnmappedValue."""
        return {**super().values(row), **self._edits}

    def changed(self, before: Row, values: Mapping[str, Any]) -> list[str]:
        """The columns that differ, and all that were set by hand."""
        return [*super().changed(before, values), *self._edits]


class WholeColumns(Columns):
    """Mapped columns that count as changed, all of them, at each change."""

    __slots__ = ()

    def __init__(self, columns: Columns) -> None:
        super().__init__(columns.copied, columns.computed)

    def changed(self, before: Row, values: Mapping[str, Any]) -> list[str]:  # noqa: ARG002
        """Every mapped column."""
        return list(values)


def edited(rules: CompiledRules, rule_id: int, edits: Mapping[str, Any]) -> CompiledRules:
    """The rules, one of which writes `edits` (target column = value) in place of what it maps.

    Among them may be columns of the target's key. A column that the rule does not write is ignored.
    """
    rule = rules.by_id[rule_id]
    return _with(
        rules,
        [
            msgspec.structs.replace(
                rule,
                columns=EditedColumns(rule.columns, {n: v for n, v in edits.items() if n in rule.rule.map}),
                key=tuple(
                    constant(edits[name]) if name in edits else evaluate
                    for name, evaluate in zip(rule.key_columns, rule.key, strict=True)
                ),
                set_on_delete=_set(rule.set_on_delete, edits),
                set_on_unmatched=_set(rule.set_on_unmatched, edits),
                lookups=tuple(lookup for lookup in rule.lookups if lookup.column not in edits),
            )
        ],
    )


def whole(rules: CompiledRules) -> CompiledRules:
    """The rules, which write every mapped column of a record at each of its changes."""
    return _with(
        rules,
        [msgspec.structs.replace(r, columns=WholeColumns(r.columns)) for r in rules.by_id.values()],
    )


def _set(columns: _Set, edits: Mapping[str, Any]) -> _Set:
    return tuple((n, constant(edits[n]) if n in edits else evaluate) for n, evaluate in columns)


def _with(rules: CompiledRules, others: list[CompiledRule]) -> CompiledRules:
    by_id = {**rules.by_id, **{other.rule.id: other for other in others}}
    tables = {
        name: msgspec.structs.replace(table, rules=tuple(by_id[rule.rule.id] for rule in table.rules))
        for name, table in rules.tables.items()
    }
    return msgspec.structs.replace(rules, by_id=by_id, tables=tables)
