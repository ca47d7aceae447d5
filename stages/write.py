"""A write: an intended insert, update or removal of one target row, under one rule."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec


class Action(StrEnum):
    """What a write does to its row."""

    UPSERT = "upsert"  # the whole mapped row, inserted or over what is there
    UPDATE = "update"  # only the changed columns; the whole mapped row should the target lack it
    DELETE = "delete"
    NONE = "none"  # nothing: it was decided so, and the ledger remembers it


class Wanted(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A value that is to be looked up: what recognises its row, and the default where the rule has one."""

    key: tuple[Any, ...]  # in the order of the lookup's `where`; none is None
    default: Any = None
    fault: str | None = None  # why there is no default, after all


class Write(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One write. With the change's id, `rule` is its idempotency key.

    `key` and `old_key` hold the key columns' values in the order of the rule's key; an old key means that
    the row is to be renamed. `values` holds every mapped column, `changed` the ones an update writes.
    Where the target may have edits of its own, `began` holds the mapped values that the change started from,
    and `edited` when it was made, in microseconds since 1970. Where the rule is linked, `record` names the
    source record for good, as JSON text (see stages/links.py), and the key of a removal may hold None.
    """

    rule: int
    action: Action
    key: tuple[Any, ...]
    values: dict[str, Any] = {}
    changed: tuple[str, ...] = ()
    old_key: tuple[Any, ...] | None = None
    revives: bool = True  # an update whose row is missing inserts it; False: it is left alone
    wanted: dict[str, Wanted] = {}  # by target column; until it is looked up, `values` has None there
    began: dict[str, Any] | None = None
    edited: int = 0
    record: str | None = None
