"""Releasing held changes: letters that a person wants retried, edited or skipped, and rules paused no more.

The worker that holds the partition does it, between two batches; so what is released and what is live
cannot overtake each other.
"""

from __future__ import annotations

import contextlib
import itertools
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec
import psycopg

from pipeline.batch import Item
from pipeline.carry import Waiting, by_change, carried, read_changes, under
from pipeline.log import get_logger
from pipeline.postgres.altered import RulePaused
from pipeline.postgres.ask import Ask, AskedAnew, Lease, Refused
from pipeline.postgres.faults import Fault, fault_of
from pipeline.postgres.queries import load
from pipeline.postgres.refusal import refusal_of
from pipeline.redrive import Redriver
from stages.deletes import without_deletes
from stages.hold import EVERY_RULE
from stages.overlay import edited
from stages.read import whole
from stages.reject import Cause

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.postgres.altered import AlteredTables
    from pipeline.postgres.letters import LetterDesk
    from pipeline.postgres.target import Target
    from pipeline.waits import WaitReleaser
    from stages.passage import Passage
    from stages.rules.compile import CompiledRules

_AT_A_TIME: Final = 500
_ROUNDS: Final = 10  # of one mass delete, before live changes have their turn
_EDITS: Final = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
log = get_logger()


class Releaser:
    """Settles letters on one worker's connection, under its leases."""

    def __init__(
        self,
        connection: psycopg.Connection,
        target: Target,
        desk: LetterDesk,
        waits: WaitReleaser,
        altered: AlteredTables,
    ) -> None:
        self._connection = connection
        self._target = target
        self._desk = desk
        self._altered = altered
        self._redriver = Redriver(connection, desk)
        self._waits = waits
        self._queries = load("holds")

    def run(self, terms: dict[int, int], rules: CompiledRules) -> None:
        """Settle what is asked for in the partitions of `terms`. Raises psycopg.Error for an outage."""
        rows = self._connection.execute(self._queries["requested"], {"partitions": list(terms)}).fetchall()
        for ask in (Ask(*row) for row in rows):
            try:
                self._settle(ask, Lease(ask.partition, terms[ask.partition]), rules)
            except AskedAnew:  # meanwhile; we look again in a moment
                continue
        self._desk.settle_emptied(list(terms))
        self._altered.resume_mended(rules)
        for partition, term in terms.items():
            with contextlib.suppress(RulePaused):  # once more; others have their turn with the next look
                self._resume(Lease(partition, term), rules)
        self._waits.run(terms, rules)

    def _settle(self, ask: Ask, lease: Lease, rules: CompiledRules) -> None:
        if ask.cause == Cause.DELIVERY and ask.how != "skip":
            self._redriver.run(ask, lease, rules, lambda: self._passages(ask.first, _laid_over(ask, rules)))
            return
        todo = ask.first
        for turn in itertools.count(1):
            if ask.is_mass and turn > _ROUNDS:
                return  # the rest comes with the next look
            behind = self._waiting("behind_letter", {"id": ask.letter})
            if not todo and not behind:
                if self._desk.settle(ask):
                    break
                continue
            try:
                self._release(lease, ask, todo + behind, rules)
            except Refused:
                if not self._one_by_one(ask, lease, todo + behind, rules):
                    return
            todo = []
        log.info("a dead letter is settled", action="letter_settled", id=ask.letter, how=ask.how)

    def _resume(self, lease: Lease, rules: CompiledRules) -> None:
        """What waits only because its rule was paused, and is no more."""
        released = False
        while waiting := self._waiting("behind_pause", {"partition": lease.partition}):
            wanted = by_change(waiting)
            items = [
                Item(lease.partition, b"", (0, 0), under(passage, wanted))
                for passage in self._carry(wanted, rules)
            ]
            self._target.release(items, rules, {lease.partition: lease.term})
            self._desk.forget(lease, waiting)
            released = True
        if released:
            self._desk.resumed()

    def _one_by_one(self, ask: Ask, lease: Lease, waiting: Sequence[Waiting], rules: CompiledRules) -> bool:
        """Release as far as it goes; whether all went. What fails then is a letter, and the rest waits on."""
        for one in waiting:
            try:
                self._release(lease, ask, [one], rules)
            except Refused as refused:
                if one in ask.first:
                    self._desk.failed_again(ask, refused)
                elif ask.is_mass:  # its records have nothing to do with one another
                    self._desk.part(lease, ask, one, refused)
                    continue
                else:
                    self._desk.replace(ask, one, refused)
                log.warning("a released change failed again", action="release_failed", id=ask.letter)
                return False
        return True

    def _waiting(self, query: str, which: dict[str, int]) -> list[Waiting]:
        rows = self._connection.execute(self._queries[query], {**which, "rows": _AT_A_TIME}).fetchall()
        return [(change, rule) for change, rule in rows]

    def _release(self, lease: Lease, ask: Ask, waiting: Sequence[Waiting], rules: CompiledRules) -> None:
        first = [one for one in waiting if one in ask.first]
        behind = [one for one in waiting if one not in ask.first]
        passages = self._passages(first, _laid_over(ask, rules)) + self._passages(behind, rules)
        if ask.is_mass and ask.how == "skip":
            passages = [without_deletes(passage) for passage in passages]
        try:
            self._desk.release(lease, ask, waiting, passages, rules)
        except psycopg.Error as error:
            if fault_of(error) is not Fault.DATA:
                raise
            raise Refused(refusal_of(error)) from error

    def _passages(self, waiting: Sequence[Waiting], rules: CompiledRules) -> list[Passage]:
        wanted = by_change(waiting)
        return [_not_refused(under(passage, wanted)) for passage in self._carry(wanted, rules)]

    def _carry(self, wanted: Mapping[int, set[int]], rules: CompiledRules) -> list[Passage]:
        """The changes through the stages, by the live rules."""
        if not wanted:
            return []
        passages = read_changes(self._connection, wanted, rules.version)
        found = carried(passages, rules)
        if not any(reject.cause is Cause.SCHEMA for passage in found for reject in passage.rejects):
            return found
        return carried([whole(passage, rules) for passage in passages], rules)


def _laid_over(ask: Ask, rules: CompiledRules) -> CompiledRules:
    """The rules for the letter's own change, which may have been edited."""
    if ask.edit is None or ask.rule_id == EVERY_RULE or ask.rule_id not in rules.by_id:
        return rules
    return edited(rules, ask.rule_id, _EDITS.decode(ask.edit))


def _not_refused(passage: Passage) -> Passage:
    """The passage. Raises Refused where a stage rejected it."""
    for reject in passage.rejects:
        raise Refused(reject)
    return passage
