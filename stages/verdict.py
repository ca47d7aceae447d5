"""Who wins a column that two sides edited: one decision, by the policy of the column."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from stages.agreement import same

if TYPE_CHECKING:
    from stages.rules.model import Policy
    from stages.stamp import Ranks, Stamp


class Unknown:
    """Where nobody knows what the source's change started from: an insert, a record that enters."""


UNKNOWN: Final = Unknown()


class Side(StrEnum):
    """Who wins a conflict."""

    SOURCE = "source"
    TARGET = "target"
    NOBODY = "nobody"  # a person is to say


class Claim(NamedTuple):
    """What a change wants of one column of a row that is there."""

    type: str  # the column's, as format_type() writes it
    present: Any
    started: Any  # what the change started from, or UNKNOWN
    wanted: Any
    seen: Stamp  # of the present value
    edited: Stamp  # of the wanted value


class Verdict(NamedTuple):
    """What becomes of a claim. Without `winner` there was no conflict; `why` is for people."""

    writes: bool
    stamp: Stamp  # of the column from now on
    winner: Side | None = None
    why: str = ""
    repeats: bool = False  # the value is there already


def decide(policy: Policy, claim: Claim, ranks: Ranks) -> Verdict:
    """The verdict on one column.

    Under `newest` the later stamp wins whatever the values are; the values tell whether it was a conflict.
    """
    later = ranks.later(claim.edited, claim.seen)
    if same(claim.present, claim.wanted, claim.type):
        # What is just the same may be written: it changes nothing, unless Salesforce holds another value.
        again = later and claim.present == claim.wanted
        return Verdict(again, claim.edited if later else claim.seen, repeats=True)
    disputed = claim.started is UNKNOWN or not same(claim.present, claim.started, claim.type)
    if policy == "newest":
        if (
            claim.edited == claim.seen
        ):  # one edit that came on two ways; or two that one batch made of a record
            return Verdict(not disputed, claim.seen)
        why = _how_later(claim.edited, claim.seen)
        if later:
            return _source(claim, why) if disputed else _write(claim)
        return _target(claim, why)
    if policy in ("first", "fill-empty"):
        return _if_empty(policy, claim, disputed=disputed)
    return _by_side(policy, claim) if disputed else _write(claim)


def _by_side(policy: Policy, claim: Claim) -> Verdict:
    if policy == "source":
        return _source(claim, "the source wins here")
    if policy == "target":
        return _target(claim, "the target wins here")
    return Verdict(False, claim.seen, Side.NOBODY, "a person decides here")


def _if_empty(policy: Policy, claim: Claim, *, disputed: bool) -> Verdict:
    # What is blank was set by somebody all the same, which only `fill-empty` writes over.
    empty = claim.present is None or (
        policy == "fill-empty" and isinstance(claim.present, str) and not claim.present.strip()
    )
    if empty:
        return _write(claim)
    if disputed:
        return _target(claim, "what was set first stays" if policy == "first" else "it was not empty")
    return Verdict(False, claim.seen)


def _write(claim: Claim) -> Verdict:
    return Verdict(True, claim.edited)


def _source(claim: Claim, why: str) -> Verdict:
    return Verdict(True, claim.edited, Side.SOURCE, why)


def _target(claim: Claim, why: str) -> Verdict:
    return Verdict(False, claim.seen, Side.TARGET, why)


def _how_later(one: Stamp, other: Stamp) -> str:
    if one.at != other.at:
        return "edited later"
    return "edited at the same time; the priority, then the org's name decides"
