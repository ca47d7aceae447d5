"""What a Postgres error means for us, by SQLSTATE, in one table; docs/faults.md is written from it."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec
import psycopg


class Fault(StrEnum):
    """How an error is treated."""

    DATA = "data"  # this record is at fault: split the batch, then a dead letter
    OUTAGE = "outage"  # the database is: pause, and try the same batch again
    BUG = "bug"  # we are: stop and show it


class Treatment(msgspec.Struct, frozen=True):
    """One line of the table. `code` is a class (two characters) or a whole SQLSTATE, which wins."""

    code: str
    fault: Fault
    meaning: str
    remedy: str = ""
    smaller: bool = False  # a batch of fewer records may well get through


_OUTAGE, _DATA, _BUG = Fault.OUTAGE, Fault.DATA, Fault.BUG
_CONTENTION: Final = "nothing: it is tried again; where it goes on, see who else writes these records"
_ALTERED: Final = "orgstream rules validate, mend what it lists, then orgstream rules apply"

TREATMENTS: Final = (
    Treatment(
        "08", _OUTAGE, "the connection broke, or the server cannot be reached", "check network and server"
    ),
    Treatment("09", _DATA, "a trigger on the target table failed"),
    Treatment("0A", _DATA, "not supported: the target is a view, or a trigger asks for something"),
    Treatment("20", _DATA, "a CASE without a fitting branch, in a trigger"),
    Treatment("21", _DATA, "more than one row where one may be"),
    Treatment("22", _DATA, "the value does not fit: type, length, range"),
    Treatment("23", _DATA, "a constraint refuses the row"),
    Treatment(
        "25006",
        _OUTAGE,
        "the server is read-only: a standby after a failover, or default_transaction_read_only",
        "wait for the promotion, or point DATABASE_URL at the primary",
    ),
    Treatment("25P03", _OUTAGE, "our transaction stood idle for a lease, because this process was paused"),
    Treatment(
        "25P04",
        _OUTAGE,
        "transaction_timeout ended our transaction",
        "raise transaction_timeout",
        smaller=True,
    ),
    Treatment("25", _BUG, "a statement that this state of the transaction does not allow"),
    Treatment("26", _OUTAGE, "a prepared statement is gone; a new connection begins without any"),
    Treatment("27", _DATA, "a trigger changed the row that is being written"),
    Treatment("28", _OUTAGE, "credentials are refused: they are being rotated", "set DATABASE_URL anew"),
    Treatment("2F", _DATA, "a function of a trigger failed"),
    Treatment("38", _DATA, "a function of a trigger failed"),
    Treatment("39", _DATA, "a function of a trigger failed"),
    Treatment("3D", _OUTAGE, "the database is not there, or not yet", "create or restore it"),
    Treatment("40", _OUTAGE, "a serialization failure or a deadlock", _CONTENTION, smaller=True),
    Treatment("40002", _DATA, "a constraint refuses the row at commit"),
    Treatment("42", _DATA, "no such table, column or right; or a name inside a trigger", _ALTERED),
    Treatment("44", _DATA, "the row does not meet the view's WITH CHECK OPTION"),
    Treatment("53", _OUTAGE, "the server is out of something", "give the server more room"),
    Treatment("53100", _OUTAGE, "the server's disk is full", "free disk space on the Postgres server"),
    Treatment("53200", _OUTAGE, "the server is out of memory", "give the server more memory", smaller=True),
    Treatment(
        "53300",
        _OUTAGE,
        "no connection is left for us",
        "close other connections, or raise max_connections or the role's limit",
    ),
    Treatment("54", _DATA, "the row, its index entry or a trigger's recursion is too large"),
    Treatment("55", _OUTAGE, "the object is in use", _CONTENTION, smaller=True),
    Treatment(
        "55000", _DATA, "the table is not in a state to be written, such as no replica identity", _ALTERED
    ),
    Treatment(
        "55P03",
        _OUTAGE,
        "somebody else held a lock on the target for ORGSTREAM_LOCK_TIMEOUT",
        "end the transaction that holds the lock",
        smaller=True,
    ),
    Treatment(
        "57014",
        _OUTAGE,
        "the statement took longer than ORGSTREAM_STATEMENT_TIMEOUT, or somebody cancelled it",
        "look at the triggers and indexes of the target, or raise ORGSTREAM_STATEMENT_TIMEOUT",
        smaller=True,
    ),
    Treatment(
        "57", _OUTAGE, "the server shuts down, restarts, or our session was ended", "wait for the server"
    ),
    Treatment("57P03", _OUTAGE, "the server is starting up", "wait for the server"),
    Treatment("57P05", _OUTAGE, "idle_session_timeout ended our session", "set it to 0 for this role"),
    Treatment("58", _OUTAGE, "the server's disk or files fail", "look at the log of the Postgres server"),
    Treatment("72", _OUTAGE, "the snapshot is too old"),
    Treatment("F0", _OUTAGE, "the server's configuration cannot be read", "mend the server's configuration"),
    Treatment("HV", _DATA, "a foreign table, or one that a trigger writes, refuses the row"),
    Treatment("HV001", _OUTAGE, "the foreign server is out of memory", "look at the foreign server"),
    Treatment("HV00N", _OUTAGE, "the foreign server cannot be reached", "look at the foreign server"),
    Treatment("P0", _DATA, "RAISE in a trigger"),
    Treatment("XX", _OUTAGE, "an internal error or corruption", "look at the log of the Postgres server"),
)
_BY_CODE: Final = {treatment.code: treatment for treatment in TREATMENTS}
# A code of nobody's but its author: only RAISE can bring it, so what it means is about the row.
OTHER: Final = Treatment("other", _DATA, "a code of a trigger's own: RAISE … USING ERRCODE")
BROKEN: Final = Treatment("none", _OUTAGE, "the connection broke without a word", "check network and server")
MISUSED: Final = Treatment("none", _BUG, "the driver was misused")


def treatment_of(error: psycopg.Error) -> Treatment:
    """The line of the table for an error.

    Without an SQLSTATE the connection broke, or the driver was misused.
    """
    if error.sqlstate is None:
        return BROKEN if isinstance(error, psycopg.OperationalError) else MISUSED
    return _BY_CODE.get(error.sqlstate) or _BY_CODE.get(error.sqlstate[:2]) or OTHER


def fault_of(error: psycopg.Error) -> Fault:
    """How an error is treated."""
    return treatment_of(error).fault
