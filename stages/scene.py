"""What stands in the target and what is known of its edits, while the writes of a batch are decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from stages.stamp import Stamp, Stamps

if TYPE_CHECKING:
    from stages.rules.compile import CompiledRule

Row = dict[str, Any]


class Spot(NamedTuple):
    """A place for a record in a target table, as a rule names it: there may be a row or none."""

    schema: str
    table: str
    key_columns: tuple[str, ...]
    key: tuple[Any, ...]


class Present(msgspec.Struct):
    """What is at a spot. It changes as the batch goes on; `touched`: its stamps are to be kept anew.

    `name` is the key by which stamps are kept, as JSON text; None where none are, or it is not known.
    """

    name: str | None = None
    row: Row | None = None
    stamps: Stamps = {}
    deleted: Stamp | None = None
    touched: bool = False


class Scene(msgspec.Struct):
    """All that a batch's contested writes may meet."""

    spots: dict[Spot, Present]
    changes: dict[int, Stamps]  # the stamps that each change left in its own table

    def at(self, rule: CompiledRule, key: tuple[Any, ...]) -> Present:
        """What is where the rule writes a key."""
        return self.spots.setdefault(spot_of(rule, key), Present())

    def move(self, rule: CompiledRule, old_key: tuple[Any, ...], key: tuple[Any, ...]) -> bool:
        """A record takes another key, unless there is one already; whether it did."""
        old, new = self.at(rule, old_key), self.at(rule, key)
        if old.row is None or new.row is not None:
            return False
        new.row = {**old.row, **dict(zip(rule.key_columns, key, strict=True))}
        new.stamps, new.deleted, new.touched = old.stamps, None, True
        old.row, old.stamps, old.touched = None, {}, True
        return True


def spot_of(rule: CompiledRule, key: tuple[Any, ...]) -> Spot:
    """Where the rule writes a key."""
    name = rule.target.name
    return Spot(name.schema, name.name, rule.key_columns, key)
