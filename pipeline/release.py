"""Releasing held changes: letters that a person wants retried or skipped, and rules that are paused no more.

The worker that holds the partition does it, between two batches; so what is released and what is live
cannot overtake each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
import psycopg

from pipeline.log import get_logger
from pipeline.postgres.faults import Fault, fault_of
from pipeline.postgres.letters import Lease, Refused
from pipeline.postgres.queries import load
from stages.filter import filter_changes, read_change
from stages.hold import EVERY_RULE
from stages.match import match_changes
from stages.reject import Cause
from stages.transform import transform_changes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.postgres.letters import LetterDesk
    from stages.passage import Passage
    from stages.rules.compile import CompiledRules

_AT_A_TIME: Final = 500
Waiting = tuple[int, int]  # change, rule
log = get_logger()


class Letter(msgspec.Struct, frozen=True):
    """A letter that is to be settled."""

    id: int
    partition: int
    change_id: int | None
    rule_id: int
    requested: str  # retry | skip
    reason: str

    @property
    def first(self) -> list[Waiting]:
        """The letter's own change, where it is to be tried again."""
        if self.requested == "skip" or self.change_id is None:
            return []
        return [(self.change_id, self.rule_id)]


class Releaser:
    """Settles letters on one worker's connection, under its leases."""

    def __init__(self, connection: psycopg.Connection, desk: LetterDesk) -> None:
        self._connection = connection
        self._desk = desk
        self._queries = load("holds")

    def run(self, terms: dict[int, int], rules: CompiledRules) -> None:
        """Settle what is asked for in the partitions of `terms`. Raises psycopg.Error for an outage."""
        rows = self._connection.execute(self._queries["requested"], {"partitions": list(terms)}).fetchall()
        for letter in (Letter(*row) for row in rows):
            self._settle(letter, Lease(letter.partition, terms[letter.partition]), rules)
        for partition, term in terms.items():
            while waiting := self._waiting("behind_pause", {"partition": partition}):
                self._release(Lease(partition, term), None, waiting, rules)

    def _settle(self, letter: Letter, lease: Lease, rules: CompiledRules) -> None:
        todo = letter.first
        while True:
            behind = self._waiting("behind_letter", {"id": letter.id})
            if not todo and not behind:
                break
            try:
                self._release(lease, letter.id, todo + behind, rules)
            except Refused:
                if not self._one_by_one(letter, lease, todo + behind, rules):
                    return
            todo = []
        self._desk.settle(letter.id, f"{letter.requested}: {letter.reason}", behind=None)
        log.info("a dead letter is settled", action="letter_settled", id=letter.id, how=letter.requested)

    def _one_by_one(
        self, letter: Letter, lease: Lease, waiting: Sequence[Waiting], rules: CompiledRules
    ) -> bool:
        """Release as far as it goes; whether all went. What fails then is a letter, and the rest waits on."""
        for place, one in enumerate(waiting):
            try:
                self._release(lease, letter.id, [one], rules)
            except Refused as refused:
                if place == 0 and one in letter.first:
                    self._desk.failed_again(letter.id, refused.cause, refused.sqlstate, refused.message)
                else:
                    self._desk.replace(letter.id, f"{letter.requested}: {letter.reason}", one, refused)
                log.warning("a released change failed again", action="release_failed", id=letter.id)
                return False
        return True

    def _waiting(self, query: str, which: dict[str, int]) -> list[Waiting]:
        rows = self._connection.execute(self._queries[query], {**which, "rows": _AT_A_TIME}).fetchall()
        return [(change, rule) for change, rule in rows]

    def _release(
        self, lease: Lease, letter: int | None, waiting: Sequence[Waiting], rules: CompiledRules
    ) -> None:
        passages = self._carry(waiting, rules)
        try:
            self._desk.release(lease, letter, waiting, passages, rules)
        except psycopg.Error as error:
            if fault_of(error) is not Fault.DATA:
                raise
            message = error.diag.message_primary or str(error)
            raise Refused(Cause.REFUSED, message, error.sqlstate) from error

    def _carry(self, waiting: Sequence[Waiting], rules: CompiledRules) -> list[Passage]:
        """The changes through the stages, by the live rules, with the writes of the rules they wait under."""
        wanted: dict[int, set[int]] = {}
        for change, rule in waiting:
            wanted.setdefault(change, set()).add(rule)
        rows = self._connection.execute(self._queries["changes"], {"ids": list(wanted)}).fetchall()
        passages = [read_change(document.encode(), "change_queue", rules.version) for _, document in rows]
        for stage in (filter_changes, match_changes, transform_changes):
            passages = [passage for passage in stage(passages, rules) if passage is not None]
        return [_only(passage, wanted) for passage in passages]


def _only(passage: Passage, wanted: dict[int, set[int]]) -> Passage:
    """The passage under the rules that are wanted of its change. Raises Refused where it failed again."""
    rules = wanted[passage.change.id] if passage.change is not None else {EVERY_RULE}
    every = EVERY_RULE in rules
    for reject in passage.rejects:
        if every or reject.rule_id is None or reject.rule_id in rules:
            raise Refused(reject.cause, reject.message, reject.sqlstate)
    writes = tuple(write for write in passage.writes if every or write.rule in rules)
    return msgspec.structs.replace(passage, writes=writes, rejects=())
