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


class Origins:
    """Looks for origins in one org's transactions, by the live rules."""

    def __init__(self, connection: psycopg.Connection, log: ConnectLog, rules: CompiledRules) -> None:
        self._connection = connection
        self._log = log
        self._rules = rules

    def find(
        self, written: Written, wanted: Mapping[int, Row], candidates: Sequence[CompiledRule]
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
                ids = self._ids(written, rule.rule.id, below)
                for passage in reversed(self._carried(ids, rule.rule.id)):
                    for write in passage.writes:
                        number = left.pop(tuple(map(_text, write.key)), None)
                        if number is not None:
                            origins[number] = Origin(rule, passage.change)
                below = min(ids) if len(ids) == _AT_A_TIME else 0
        unknown = [number for number in wanted if number not in origins]
        return origins | {number: Origin(rule) for number in unknown for rule in candidates[:1]}

    def _ids(self, written: Written, rule: int, below: int) -> list[int]:
        rows = self._log.rows(
            "changes_of", first=written.first_change, below=below, rule=rule, rows=_AT_A_TIME
        )
        return [change for (change,) in rows]

    def _carried(self, ids: Sequence[int], rule: int) -> list[Passage]:
        wanted = {change: {rule} for change in ids}
        passages = read_changes(self._connection, ids, self._rules.version)
        return [under(passage, wanted) for passage in carried(passages, self._rules)]


def _text(value: Any) -> str | None:
    """A key's value as hstore writes it."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "t" if value else "f"
    return format(value, "f") if isinstance(value, Decimal) else str(value)
