"""Rules as a file says them: every part with its place, nothing looked up yet, defaults not written out.

A part that is missing or of the wrong type is None; its fault has been noted by whoever read the file.
"""

from __future__ import annotations

from typing import Any, Literal

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
    """What one target column receives; `places` has those of the keys that it states."""

    place: Place
    places: dict[str, Place] = {}
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


class DeclaredLimit(msgspec.Struct, frozen=True):
    """`max_deletes`: deletes beyond either within a minute are held for approval."""

    count: int | None = None
    share: float | None = None  # of the target's records, 0 to 1


class Cell(msgspec.Struct, frozen=True):
    """A value of a test's row, as TOML has it."""

    value: Any
    place: Place


class DeclaredTest(msgspec.Struct, frozen=True):
    """One element of `[[rules.tests]]`: a change, and what the rule should make of it.

    `nulls` are target columns that should become NULL, which TOML cannot write; `lookups` are target columns
    with what their lookups find, the others find nothing. Without an origin it is one
    that the rule heeds.
    """

    place: Place
    label: str
    before: dict[str, Cell] | None
    after: dict[str, Cell] | None
    expect: Text | None = None
    values: dict[str, Cell] = {}
    nulls: tuple[Text, ...] = ()
    cause: Text | None = None
    origin: str | None = None
    lookups: dict[str, Cell] = {}


class DeclaredRule(msgspec.Struct, frozen=True):
    """One rule that a `[[rules]]` stands for; `label` is how faults name it.

    `places` has those of the keys that it states.
    """

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
    max_deletes: DeclaredLimit | None = None
    breaker: int | None = None
    tests: tuple[DeclaredTest, ...] = ()
    places: dict[str, Place] = {}


class Declared(msgspec.Struct, frozen=True):
    """All that the files say."""

    orgs: dict[str, DeclaredOrg]
    rules: tuple[DeclaredRule, ...]
