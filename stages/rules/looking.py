"""Lookups ready to run: how a rule recognises rows of other tables, and what it does where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from stages.expression import EvaluationError
from stages.rules.closures import Evaluate, Row, UnmappedValue
from stages.rules.model import Missing, Table
from stages.write import Wanted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Lookup(msgspec.Struct, frozen=True):
    """What fills one target column: `take` of the row of `table` whose columns `where` equal the key.

    `circular`: the looked-up table depends in turn on what this rule writes, so that records which refer to
    each other would wait for ever; they are written without the reference first.
    """

    column: str
    table: Table
    where: tuple[str, ...]
    key: tuple[Evaluate, ...]
    take: str
    missing: Missing
    default: Evaluate | None = None
    circular: bool = False


def wanted_of(lookups: Sequence[Lookup], row: Row) -> dict[str, Wanted]:
    """What is to be looked up for a record; a key with NULL in it finds nothing, so NULL is the value.

    Raises EvaluationError, with the target column.
    """
    found: dict[str, Wanted] = {}
    for lookup in lookups:
        key = _key(lookup, row)
        if None not in key:
            found[lookup.column] = _wanted(lookup, key, row)
    return found


def changed_of(lookups: Sequence[Lookup], before: Row, wanted: dict[str, Wanted]) -> list[str]:
    """The columns that were looked up by another key for the row `before`; a fault there means another."""
    changed = []
    for lookup in lookups:
        now = wanted.get(lookup.column)
        try:
            key = _key(lookup, before)
        except EvaluationError:
            changed.append(lookup.column)
            continue
        if (None if None in key else key) != (now and now.key):
            changed.append(lookup.column)
    return changed


def reaches(edges: Iterable[tuple[Any, Any]], start: Any, goal: Any) -> bool:
    """Whether the edges lead from one to the other."""
    onward: dict[Any, list[Any]] = {}
    for one, other in edges:
        onward.setdefault(one, []).append(other)
    seen, ahead = {start}, [start]
    while ahead:
        here = ahead.pop()
        if here == goal:
            return True
        fresh = [other for other in onward.get(here, ()) if other not in seen]
        seen.update(fresh)
        ahead += fresh
    return False


def _key(lookup: Lookup, row: Row) -> tuple[Any, ...]:
    try:
        return tuple([evaluate(row) for evaluate in lookup.key])
    except EvaluationError as error:
        error.target = lookup.column
        raise


def _wanted(lookup: Lookup, key: tuple[Any, ...], row: Row) -> Wanted:
    if lookup.default is None:
        return Wanted(key)
    try:
        return Wanted(key, lookup.default(row))
    except (EvaluationError, UnmappedValue) as error:  # it may not be needed
        return Wanted(key, fault=str(error))
