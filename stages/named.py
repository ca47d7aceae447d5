"""The lasting name of a record: what tells it whatever its key is, so that its target row can be found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from stages.rules.closures import Row
    from stages.rules.compile import CompiledRule
    from stages.write import Write

_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")


def name_of(rule: CompiledRule, row: Row) -> str | None:
    """The name as JSON text; None where the row has none (yet), or the rule is not linked."""
    name = {column: row.get(column) for column in rule.lasting}
    return None if None in name.values() or not name else _ENCODER.encode(name).decode()


def named(write: Write, rule: CompiledRule, row: Row | None) -> Write:
    """The write with the name of its record."""
    record = None if row is None else name_of(rule, row)
    return write if record is None else msgspec.structs.replace(write, record=record)
