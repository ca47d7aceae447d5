"""What the demo's proof found, with what it looked at for each rule."""

from __future__ import annotations

import msgspec

from pipeline.proof.verdict import Verdict


class RuleVerdict(msgspec.Struct, frozen=True):
    """What was looked at for one rule."""

    name: str
    records: int  # target records that the rule has to do with
    owed: int  # changes that had to be written
    writes: int  # writes that the target's rows took, fewer where changes were coalesced


class DemoVerdict(Verdict, frozen=True):
    """The verdict, rule by rule."""

    rules: tuple[RuleVerdict, ...]
