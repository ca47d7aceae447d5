"""Which change wrote a row that Salesforce refused: found by carrying the transaction's changes again."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pipeline.carry import carried, read_changes, under

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import psycopg

    from pipeline.delivery.log import ConnectLog
    from stages.change import Change
    from stages.passage import Passage
    from stages.rules.compile import CompiledRule, CompiledRules

_AT_A_TIME: Final = 500
Row = dict[str, str | None]


class Written(NamedTuple):
    """A transaction of ours: one table, and by which rules and changes."""

    table: str
    rules: Sequence[int]
    first_change: int
    last_change: int


class Origin(NamedTuple):
    """The rule by which a row was written, and the change, where it is still there."""

    rule: CompiledRule
    change: Change | None = None


def rules_of(written: Written, schema: str, rules: CompiledRules) -> list[CompiledRule]:
    """The live rules by which a transaction may have written its table."""
    found = [rules.by_id[rule] for rule in written.rules if rule in rules.by_id]
    return [r for r in found if (r.target.name.schema, r.target.name.name) == (schema, written.table)]


def key_of(rule: CompiledRule, row: Mapping[str, str | None]) -> Row:
    """The columns of a row by which the rule recognises it."""
    return {name: row.get(name) for name in rule.key_columns}


def find_origins(
    connection: psycopg.Connection,
    log: ConnectLog,
    written: Written,
    wanted: Mapping[int, Row],
    candidates: Sequence[CompiledRule],
    rules: CompiledRules,
) -> dict[int, Origin]:
    """For each wanted row, by its number in the table, the rule and the last change that wrote it.

    It reads each change of the transaction at most once for a rule, and stops where all are found.
    """
    origins: dict[int, Origin] = {}
    for rule in candidates:
        left = {
            tuple(key_of(rule, row).values()): number
            for number, row in wanted.items()
            if number not in origins
        }
        below = written.last_change + 1
        while left and below:
            ids = _ids(log, written, rule.rule.id, below)
            for passage in reversed(_carried(connection, ids, rule.rule.id, rules)):
                for write in passage.writes:
                    number = left.pop(tuple(map(_text, write.key)), None)
                    if number is not None:
                        origins[number] = Origin(rule, passage.change)
            below = min(ids) if len(ids) == _AT_A_TIME else 0
    fallback = candidates[:1]
    return {number: Origin(rule) for number in wanted for rule in fallback} | origins


def _ids(log: ConnectLog, written: Written, rule: int, below: int) -> list[int]:
    rows = log.rows("changes_of", first=written.first_change, below=below, rule=rule, rows=_AT_A_TIME)
    return [change for (change,) in rows]


def _carried(
    connection: psycopg.Connection, ids: Sequence[int], rule: int, rules: CompiledRules
) -> list[Passage]:
    wanted = {change: {rule} for change in ids}
    return [under(passage, wanted) for passage in carried(read_changes(connection, ids, rules.version), rules)]


def _text(value: Any) -> str | None:
    """A key's value as hstore writes it."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "t" if value else "f"
    return format(value, "f") if isinstance(value, Decimal) else str(value)
