"""Faults of data, as values: a stage never raises for bad data, it rejects the change with a cause."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Cause(StrEnum):
    """Why a change became a dead letter; docs/operations.md has a section for each."""

    UNREADABLE = "unreadable"  # the entry, or the row in it, could not be decoded
    NO_KEY = "no-key"  # the rule's key is NULL: the record cannot be recognised
    EXPRESSION = "expression"  # an expression failed on this row: division by zero, a bad cast
    UNMAPPED = "unmapped"  # a value that the rule's `values` table does not know, without a default
    NOT_FOUND = "not-found"  # a row that the rule looks up, or refers to, is not there
    AMBIGUOUS = "ambiguous"  # a lookup finds more than one row
    REFUSED = "refused"  # Postgres refused the write: constraint, type, length, trigger
    MASS_DELETE = "mass-delete"  # no fault: more deletes than the rule lets through, for approval
    CONFLICT = "conflict"  # both sides edited the same, and a person is to decide
    SCHEMA = "schema"  # a table or column that the rule needs is not there
    DELIVERY = "delivery"  # written, but Salesforce refused the row that Heroku Connect sent
    PING_PONG = "ping-pong"  # two rules keep rewriting each other's value of a column


class Reject(msgspec.Struct, frozen=True, omit_defaults=True):
    """One change, or one change under one rule, that cannot be applied: a dead letter in the making."""

    change_id: int | None
    table: str  # schema.table, or the stream of an entry that could not be read
    cause: Cause
    message: str  # for a person; never a row's value
    key: msgspec.Raw = msgspec.Raw(b"null")
    rule_id: int | None = None
    rule: str | None = None
    rule_version: int | None = None
    sqlstate: str | None = None
    column_name: str | None = None  # the target column at fault, where it is known
    constraint_name: str | None = None  # what refused it, where Postgres names a constraint
    payload: str | None = None  # what could not be read, where it is not in change_queue
