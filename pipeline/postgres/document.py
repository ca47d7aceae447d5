"""docs/faults.md, from the table: `python -m pipeline.postgres.document > docs/faults.md`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from pipeline.postgres.faults import BROKEN, MISUSED, OTHER, TREATMENTS, Fault

if TYPE_CHECKING:
    from pipeline.postgres.faults import Treatment

_HEAD: Final = """\
# Faults of Postgres

Written from the table in `pipeline/postgres/faults.py`; change it there.

Each error of Postgres is treated by its SQLSTATE, a whole code before its class (the first two characters).

- **data**: the record is at fault. The batch is split until it stands alone, and its change becomes a
  [dead letter](operations.md#dead-letters).
- **outage**: the database is at fault. The process [pauses](operations.md#a-process-is-paused) and tries the
  same batch again, for as long as it takes. Nothing becomes a dead letter.
- **bug**: Orgstream is at fault. The process ends and shows where.

Where "smaller" is said, the batch is tried again with fewer records at a time.

| SQLSTATE | treated as | meaning | what to do |
|---|---|---|---|
"""
_NAMES: Final = {BROKEN: "none (`OperationalError`)", MISUSED: "none (any other)", OTHER: "any other"}
_DEFAULTS: Final = {
    Fault.DATA: "settle the letter",
    Fault.OUTAGE: "nothing: it is tried again",
    Fault.BUG: "report it",
}


def document() -> str:
    """The page, with one row for each line of the table."""
    known = sorted(TREATMENTS, key=lambda treatment: treatment.code)
    return _HEAD + "".join(_row(treatment) + "\n" for treatment in (*known, OTHER, BROKEN, MISUSED))


def _row(treatment: Treatment) -> str:
    code = _NAMES.get(treatment) or f"`{treatment.code}`" + ("…" if len(treatment.code) == 2 else "")
    treated = f"{treatment.fault}, smaller" if treatment.smaller else str(treatment.fault)
    remedy = treatment.remedy or _DEFAULTS[treatment.fault]
    return f"| {code} | {treated} | {treatment.meaning} | {remedy} |"


if __name__ == "__main__":
    sys.stdout.write(document())
