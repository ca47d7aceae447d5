"""The rules as data: what `rules apply` stores, Redis caches and workers compile.

A rule set holds the orgs, every table its rules touch (with columns and types as they were when it was
applied) and the rules, so that a worker can run it without asking Postgres anything.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from stages.change import Operation

Policy = Literal["newest", "source", "target", "first", "fill-empty", "manual"]
Missing = Literal["wait", "null", "default", "dead-letter"]
Connector = Literal["plain", "heroku-connect"]


class TableName(msgspec.Struct, frozen=True, order=True):
    """A table of an org: `org.name` in the rules file, `schema.name` in the database."""

    org: str
    schema: str
    name: str

    def __str__(self) -> str:
        return f"{self.org}.{self.name}"


class Column(msgspec.Struct, frozen=True, omit_defaults=True):
    """A column as the catalogue describes it."""

    name: str
    type: str  # as format_type() writes it: "character varying(18)", "numeric(12,2)"
    nullable: bool = True
    has_default: bool = False
    writable: bool = True  # False: generated, or kept by Heroku Connect


class Reference(msgspec.Struct, frozen=True):
    """A foreign key: these columns refer to the columns `to` of another table, or of the same."""

    name: str
    columns: tuple[str, ...]
    schema: str
    table: str
    to: tuple[str, ...]


class Table(msgspec.Struct, frozen=True, omit_defaults=True):
    """A table that a rule reads, writes or looks values up in."""

    name: TableName
    connector: Connector
    columns: tuple[Column, ...]
    identity: tuple[str, ...] = ()  # decides partition, order and ledger rows; empty for mere targets
    references: tuple[Reference, ...] = ()
    is_table: bool = True  # False: a view, or a table of another server
    primary_key: tuple[str, ...] = ()  # this and the next: of source tables only
    unique: tuple[tuple[str, ...], ...] = ()  # the columns of each unique index

    def column(self, name: str) -> Column | None:
        """The column called `name`, or None."""
        return next((column for column in self.columns if column.name == name), None)


class SetColumns(msgspec.Struct, frozen=True, tag="set", tag_field="do"):
    """Instead of a delete: write these target columns (column = expression on the last known source row)."""

    columns: dict[str, str]


class DeleteLimit(msgspec.Struct, frozen=True, omit_defaults=True):
    """How many deletes a rule carries within a minute; what is beyond either part waits for approval.

    None: that part limits nothing.
    """

    count: int | None = None
    share: float | None = None  # of the records that the target has then, 0 to 1


class Mapping(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a target column receives: an expression, perhaps through a value table, or a looked-up value."""

    expr: str | None = None
    values: dict[str, str] | None = None
    default: str | None = None
    lookup: str | None = None
    where: dict[str, str] | None = None
    take: str | None = None
    missing: Missing | None = None
    conflict: Policy | None = None


class Rule(msgspec.Struct, frozen=True):
    """One rule with every default written out."""

    id: int
    name: str
    version: int
    source: TableName
    target: TableName
    key: dict[str, str]  # target column = expression on the source row
    map: dict[str, Mapping]
    when: str | None = None
    on: tuple[Operation, ...] = (Operation.INSERT, Operation.UPDATE, Operation.DELETE)
    on_delete: Literal["delete", "ignore"] | SetColumns = "delete"
    on_unmatched: Literal["leave", "delete"] | SetColumns = "leave"
    conflict: Policy = "newest"
    priority: int = 0
    enabled: bool = True
    origins: tuple[str, ...] = ()  # empty: every origin
    max_deletes: DeleteLimit | None = None  # None: as stages/deletes.py has it for all rules
    breaker: int | None = None  # None: as ORGSTREAM_BREAKER_LETTERS says


class RuleSet(msgspec.Struct, frozen=True):
    """All that is live at one version."""

    version: int
    orgs: dict[str, str]  # org -> schema
    tables: tuple[Table, ...]
    rules: tuple[Rule, ...]
