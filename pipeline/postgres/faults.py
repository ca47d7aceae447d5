"""What a Postgres error means for us, by SQLSTATE, in one table."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import psycopg


class Fault(StrEnum):
    """How an error is treated."""

    DATA = "data"  # this record is at fault: split the batch, then a dead letter
    OUTAGE = "outage"  # the database is: pause, and try the same batch again
    BUG = "bug"  # we are: stop and show it


# By class (two characters) or by whole code, which wins.
_BY_SQLSTATE: Final[dict[str, Fault]] = {
    "08": Fault.OUTAGE,  # connection
    "09": Fault.DATA,  # triggered action
    "0A": Fault.DATA,  # feature not supported, from a trigger or a view
    "21": Fault.DATA,  # cardinality
    "22": Fault.DATA,  # data exception: type, length, range
    "23": Fault.DATA,  # constraints
    "25": Fault.OUTAGE,  # read-only after a failover, idle-in-transaction time-out
    "27": Fault.DATA,  # triggered data change
    "28": Fault.OUTAGE,  # credentials being rotated
    "2F": Fault.DATA,  # a trigger's function
    "38": Fault.DATA,
    "39": Fault.DATA,
    "3D": Fault.OUTAGE,  # the database is not there (yet)
    "40": Fault.OUTAGE,  # serialization, deadlock
    "42": Fault.DATA,  # missing table, column or right; a name inside a trigger
    "44": Fault.DATA,  # WITH CHECK OPTION
    "53": Fault.OUTAGE,  # disk full, memory, too many connections
    "54": Fault.DATA,  # too large a row or expression
    "55": Fault.OUTAGE,  # object in use, lock not available
    "57": Fault.OUTAGE,  # shut down, cancelled, statement time-out
    "58": Fault.OUTAGE,  # I/O
    "72": Fault.OUTAGE,  # snapshot too old
    "F0": Fault.OUTAGE,  # configuration file
    "P0": Fault.DATA,  # RAISE in a trigger
    "XX": Fault.OUTAGE,  # internal error, corruption
}


def fault_of(error: psycopg.Error) -> Fault:
    """The treatment of an error. Without an SQLSTATE the connection broke, or the driver was misused."""
    if error.sqlstate is None:
        return Fault.OUTAGE if isinstance(error, psycopg.OperationalError) else Fault.BUG
    return _BY_SQLSTATE.get(error.sqlstate, _BY_SQLSTATE.get(error.sqlstate[:2], Fault.BUG))
