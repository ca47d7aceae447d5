"""The functions that compiled rules are made of: from a source row to the values that a rule writes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from operator import itemgetter
from typing import Any, Final, cast

from stages.expression import EvaluationError, Value

Row = dict[str, Any]
Evaluate = Callable[[Row], Any]

_SHOWN: Final = 20  # of the values that a table knows


class UnmappedValue(Exception):
    """Raised when a `values` table has no entry for a value and the mapping no default."""

    target: str | None = None  # the target column that it was to fill


class Columns:
    """The mapped columns of a rule. Those that a source column fills unchanged are read all at once."""

    __slots__ = ("_copied", "_read", "computed", "copied")

    def __init__(self, copied: Mapping[str, str], computed: tuple[tuple[str, Evaluate], ...]) -> None:
        self.copied = copied  # target column -> source column
        self._copied = tuple(copied)
        self._read = reader(tuple(copied.values()))
        self.computed = computed

    def values(self, row: Row) -> dict[str, Any]:
        """The value of every mapped column. Raises EvaluationError, UnmappedValue."""
        values = dict(zip(self._copied, self._read(row), strict=False))  # as long as each other, and faster
        name = None
        try:
            for name, evaluate in self.computed:
                values[name] = evaluate(row)
        except (EvaluationError, UnmappedValue) as error:
            error.target = name
            raise
        return values

    def changed(self, before: Row, values: Mapping[str, Any]) -> list[str]:
        """The columns whose value for the row `before` is another; a fault there means another."""
        changed = [
            name
            for name, old, new in zip(self._copied, self._read(before), values.values(), strict=False)
            if old != new
        ]
        for name, evaluate in self.computed:
            try:
                if evaluate(before) != values[name]:
                    changed.append(name)
            except (EvaluationError, UnmappedValue):
                changed.append(name)
        return changed


def reader(names: tuple[str, ...]) -> Callable[[Row], tuple[Any, ...]]:
    if len(names) > 1:
        return cast("Callable[[Row], tuple[Any, ...]]", itemgetter(*names))
    return lambda row: tuple([row[name] for name in names])


def field(name: str) -> Evaluate:
    return lambda row: row[name]


def constant(value: Any) -> Evaluate:
    return lambda _: value


def converted(evaluate: Evaluate, convert: Callable[[Value], Value]) -> Evaluate:
    def converted(row: Row) -> Any:
        value = evaluate(row)
        return None if value is None else convert(value)

    return converted


def through_values(
    name: str, evaluate: Evaluate, values: Mapping[str, str], default: Evaluate | None
) -> Evaluate:
    def through_values(row: Row) -> Any:
        value = evaluate(row)
        if value is None:
            return None
        if value in values:
            return values[value]
        if default is None:
            known = ", ".join(map(repr, list(values)[:_SHOWN])) + (", …" if len(values) > _SHOWN else "")
            raise UnmappedValue(
                f"`values` of {name} does not know the record's value and there is no `default`; "
                f"it knows {known}"
            )
        return default(row)

    return through_values


def finite(evaluate: Evaluate) -> Evaluate:
    return lambda row: sendable(evaluate(row))


def sendable(value: Any) -> Any:
    """JSON has no NaN and no infinity: they go as the text that Postgres reads back."""
    if isinstance(value, float | Decimal) and not math.isfinite(value):
        return str(value)
    return value
