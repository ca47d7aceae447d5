"""Faults of data, as values: a stage never raises for bad data, it says `Reject`."""

from __future__ import annotations

from enum import StrEnum


class Cause(StrEnum):
    """Why a change became a dead letter; the runbook has a section for each."""

    UNREADABLE = "unreadable"  # the entry or the row in it could not be decoded
    NO_KEY = "no-key"  # the rule's key is NULL: the record cannot be recognised
    EXPRESSION = "expression"  # an expression failed on this row: division by zero, a bad cast
    REFUSED = "refused"  # Postgres refused the write: constraint, type, length, trigger
    SCHEMA = "schema"  # a table or column that the rule needs is not there
