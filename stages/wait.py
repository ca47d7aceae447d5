"""Waits, as values: a change that cannot be written yet, and what it waits for.

Its record's later changes wait behind it, as behind a dead letter (`stages.hold`).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from stages.write import Write


class WaitCause(StrEnum):
    """What a change waits for."""

    PARENT = "parent"  # a row that it refers to


class Awaited(msgspec.Struct, frozen=True):
    """A row that is not there yet, and the column that must have a value; None: being there will do."""

    schema: str
    table: str
    key: dict[str, Any]  # column -> value
    take: str | None = None

    def __str__(self) -> str:
        told = " and ".join(f"{name} = {value!r}" for name, value in self.key.items())
        return f"{self.schema}.{self.table} where {told}"


class Wait(msgspec.Struct, frozen=True, omit_defaults=True):
    """One change under one rule that waits; `message` says for what, for a person.

    `partly` is what can be written meanwhile, where others may wait for this very record: the write without
    the reference. `begun`: that was done.
    """

    change_id: int
    table: str  # schema.table of the change
    rule_id: int
    rule: str
    rule_version: int
    cause: WaitCause
    message: str
    key: msgspec.Raw = msgspec.Raw(b"null")
    awaited: Awaited | None = None
    partly: Write | None = None
    begun: bool = False
