"""Rules as a file says them: every part with its place, nothing looked up yet, defaults not written out.

A part that is missing or of the wrong type is None; its fault has been noted by whoever read the file.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from stages.change import Operation
from stages.rules.model import Connector, Missing, Policy
from stages.rules.place import Place, Text


class DeclaredTable(msgspec.Struct, frozen=True):
    """What the file settles for one table: `[orgs.emea.tables.account]`."""

    place: Place
    identity: tuple[Text, ...]


class DeclaredOrg(msgspec.Struct, frozen=True):
    """`[orgs.emea]`."""

    name: str
    place: Place
    schema: Text | None
    connector: Connector | None
    tables: dict[str, DeclaredTable]


class DeclaredMapping(msgspec.Struct, frozen=True):
    """What one target column receives."""

    place: Place
    expr: Text | None = None
    values: dict[str, Text] | None = None
    default: Text | None = None
    lookup: Text | None = None
    where: dict[str, Text] | None = None
    take: Text | None = None
    missing: Missing | None = None
    conflict: Policy | None = None


class DeclaredSet(msgspec.Struct, frozen=True):
    """`{ set = { column = expression } }` in place of a delete."""

    columns: dict[str, Text]


class DeclaredRule(msgspec.Struct, frozen=True):
    """One element of `[[rules]]`; `label` is its name, or its number where it has none."""

    place: Place
    label: str
    name: Text | None
    source: Text | None
    target: Text | None
    key: dict[str, Text] | None
    map: dict[str, DeclaredMapping] | None
    when: Text | None = None
    on: tuple[Operation, ...] = (Operation.INSERT, Operation.UPDATE, Operation.DELETE)
    on_delete: Literal["delete", "ignore"] | DeclaredSet = "delete"
    on_unmatched: Literal["leave", "delete"] | DeclaredSet = "leave"
    conflict: Policy = "newest"
    priority: int = 0
    enabled: bool = True
    origins: tuple[str, ...] = ()


class Declared(msgspec.Struct, frozen=True):
    """All that the files say."""

    orgs: dict[str, DeclaredOrg]
    rules: tuple[DeclaredRule, ...]
