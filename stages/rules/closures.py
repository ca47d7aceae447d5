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
    """The mapped columns of a rule.

    Columns that are copied under their own name are most of a row, mostly. A row that is copied as a whole
    and rid of its surplus is made in a fraction of the time that a new one takes to fill.
    """

    __slots__ = ("_count", "_names", "_of_row", "_of_values", "_renamed", "_surplus", "computed", "copied")

    def __init__(self, copied: Mapping[str, str], computed: tuple[tuple[str, Evaluate], ...]) -> None:
        self.copied = copied  # target column -> source column
        self.computed = computed
        self._names = tuple(copied)
        self._of_row = reader(tuple(copied.values()))
        self._of_values = reader(self._names)
        self._renamed = tuple((name, source) for name, source in copied.items() if name != source)
        self._count = len({*copied, *(name for name, _ in computed)})
        self._surplus: tuple[str, ...] = ()  # of the rows seen last: what is not mapped under its own name

    def values(self, row: Row) -> dict[str, Any]:
        """The value of every mapped column. Raises EvaluationError, UnmappedValue."""
        values = row.copy()
        for name in self._surplus:
            values.pop(name, None)
        for name, source in self._renamed:
            values[name] = row[source]
        mapped: str | None = None
        try:
            for mapped, evaluate in self.computed:
                values[mapped] = evaluate(row)
        except (EvaluationError, UnmappedValue) as error:
            error.target = mapped
            raise
        return values if len(values) == self._count else self._without_surplus(row, values)

    def _without_surplus(self, row: Row, values: Mapping[str, Any]) -> dict[str, Any]:
        """Rows of this kind were not seen before."""
        computed = {name: values[name] for name, _ in self.computed}
        self._surplus = tuple(name for name in row if name != self.copied.get(name) and name not in computed)
        return {**{name: row[source] for name, source in self.copied.items()}, **computed}

    def changed(self, before: Row, values: Mapping[str, Any]) -> list[str]:
        """The columns whose value for the row `before` is another; a fault there means another."""
        changed: list[str] = []
        olds, news = self._of_row(before), self._of_values(values)
        if olds != news:
            pairs = zip(self._names, olds, news, strict=True)
            changed = [name for name, old, new in pairs if old != new]
        for name, evaluate in self.computed:
            try:
                if evaluate(before) != values[name]:
                    changed.append(name)
            except (EvaluationError, UnmappedValue):
                changed.append(name)
        return changed


def reader(names: tuple[str, ...]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    if len(names) > 1:
        return cast("Callable[[Mapping[str, Any]], tuple[Any, ...]]", itemgetter(*names))
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
