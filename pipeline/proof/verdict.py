"""What a proof found."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """What can be wrong with a record."""

    LOST = "lost"  # a change, a write or a row is missing
    REPEATED = "repeated"  # a write took effect twice
    OUT_OF_ORDER = "out of order"  # a write took effect after a later one
    WRONG = "wrong"  # a row or a write that the source never asked for


class Finding(msgspec.Struct, frozen=True, order=True):
    """One thing that is wrong, with where it was found."""

    kind: Kind
    rule: str
    key: str
    message: str


class Verdict(msgspec.Struct, frozen=True):
    """The counts, and the findings behind them."""

    captured: int  # changes of all source tables
    applied: int  # writes in the ledger
    suppressed: (
        int  # captured changes that left nothing to write: echoes, notes of Heroku Connect, local fields
    )
    dead: int  # open dead letters
    findings: tuple[Finding, ...]

    def count(self, kind: Kind) -> int:
        """How many findings are of a kind."""
        return sum(finding.kind is kind for finding in self.findings)

    @property
    def proven(self) -> bool:
        """Whether something was replicated and nothing is wrong."""
        return self.captured > 0 and self.applied > 0 and not self.dead and not self.findings
