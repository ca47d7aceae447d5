"""What the proof found."""

from __future__ import annotations

import msgspec

from pipeline.demo.order import Kind


class Finding(msgspec.Struct, frozen=True, order=True):
    """One thing that is wrong, with where it was found."""

    kind: Kind
    rule: str
    key: str
    message: str


class RuleVerdict(msgspec.Struct, frozen=True):
    """What was looked at for one rule."""

    name: str
    records: int  # target records that the rule has to do with
    owed: int  # changes that had to be written
    writes: int  # writes that the target's rows took, fewer where changes were coalesced


class Verdict(msgspec.Struct, frozen=True):
    """The counts, the findings behind them, and what was looked at."""

    captured: int  # changes of all source tables
    applied: int  # writes in the ledger
    suppressed: (
        int  # captured changes that left nothing to write: echoes, notes of Heroku Connect, local fields
    )
    dead: int  # open dead letters
    findings: tuple[Finding, ...]
    rules: tuple[RuleVerdict, ...]

    def count(self, kind: Kind) -> int:
        """How many findings are of a kind."""
        return sum(finding.kind is kind for finding in self.findings)

    @property
    def proven(self) -> bool:
        """Whether something was replicated and nothing is wrong."""
        return self.captured > 0 and self.applied > 0 and not self.dead and not self.findings
