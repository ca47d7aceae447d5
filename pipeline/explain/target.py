"""The statement that would run, what stands in the target now, and which columns would change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import psycopg

from pipeline.postgres import statements
from stages.apply import plan_writes
from stages.fold import Effect
from stages.hold import Holds

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from stages.explain import Evaluated, Steps
    from stages.rules.trial import Trial

_ENCODER = msgspec.json.Encoder(decimal_format="number")


class Statement(msgspec.Struct, frozen=True):
    """One statement of apply with its parameter; `condition` says when it would run, if not always."""

    sql: str
    records: msgspec.Raw
    condition: str | None = None


class TargetColumn(msgspec.Struct, frozen=True):
    """A mapped column as it is in the target, and as the rule would have it."""

    column: str
    now: Any
    wanted: Any
    differs: bool


class TargetRow(msgspec.Struct, frozen=True):
    """The target row of the record: whether it is there, its mapped columns, or why that cannot be told."""

    found: bool = False
    columns: tuple[TargetColumn, ...] = ()
    fault: str | None = None


def planned(connection: psycopg.Connection, trial: Trial, steps: Steps) -> list[Statement]:
    """The statements that apply would run for the change, if it were not held."""
    passage = steps.outcome.passage
    if passage is None or steps.outcome.write is None:
        return []
    found: list[Statement] = []
    plan = plan_writes([passage], trial.rules, Holds({}), applied=frozenset())
    for statement in plan.statements:
        records = msgspec.Raw(statements.encode(statement).encode())
        found.append(Statement(statements.compose(statement).as_string(connection), records))
        if statement.effect is Effect.UPDATE and statement.insert_columns:
            whole = msgspec.structs.replace(statement, effect=Effect.UPSERT)
            records = msgspec.Raw(statements.encode(whole).encode())
            text = statements.compose(whole).as_string(connection)
            found.append(Statement(text, records, "only if the update finds no row"))
    return found


def look(connection: psycopg.Connection, trial: Trial, steps: Steps) -> TargetRow | None:
    """The target row that the record's key recognises; None where the key has no value."""
    write = steps.outcome.write
    key = _values(steps.key, steps)
    if write is not None:
        key = dict(zip(trial.rule.key_columns, write.old_key or write.key, strict=True))
    if not key or None in key.values():
        return None
    if any(one.fault for one in steps.columns):
        return TargetRow(fault="a mapped column has no value")
    return _compared(connection, trial, key, write.values if write else _values(steps.columns, steps))


def _values(evaluated: Iterable[Evaluated], steps: Steps) -> dict[str, Any]:
    return {one.column or "": one.before if steps.is_gone else one.after for one in evaluated}


def _compared(
    connection: psycopg.Connection, trial: Trial, key: Mapping[str, Any], values: Mapping[str, Any]
) -> TargetRow:
    columns = tuple(name for name in values if name not in key)
    statement = statements.compose_comparison(trial.rule.target, trial.rule.key_columns, columns)
    records = _ENCODER.encode([{**values, **key}]).decode()
    try:
        with connection.transaction():
            row = connection.execute(statement, {"records": records}).fetchone()
    except psycopg.DatabaseError as error:
        if connection.broken:
            raise
        return TargetRow(fault=f"{error.diag.message_primary or error} ({error.sqlstate})")
    if row is None:
        return TargetRow()
    found, now, wanted, differs = row
    return TargetRow(
        found,
        tuple(
            TargetColumn(name, (now or {}).get(name), wanted.get(name), different)
            for name, different in zip(columns, differs, strict=True)
        ),
    )
