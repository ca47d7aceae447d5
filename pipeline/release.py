"""Releasing held changes: letters that a person wants retried or skipped, and rules that are paused no more.

The worker that holds the partition does it, between two batches; so what is released and what is live
cannot overtake each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
import psycopg

from pipeline.batch import Item
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
    from collections.abc import Mapping, Sequence

    from pipeline.postgres.letters import LetterDesk
    from pipeline.postgres.target import Target
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

    def __init__(self, connection: psycopg.Connection, target: Target, desk: LetterDesk) -> None:
        self._connection = connection
        self._target = target
        self._desk = desk
        self._queries = load("holds")

    def run(self, terms: dict[int, int], rules: CompiledRules) -> None:
        """Settle what is asked for in the partitions of `terms`. Raises psycopg.Error for an outage."""
        rows = self._connection.execute(self._queries["requested"], {"partitions": list(terms)}).fetchall()
        for letter in (Letter(*row) for row in rows):
            self._settle(letter, Lease(letter.partition, terms[letter.partition]), rules)
        for partition, term in terms.items():
            self._resume(Lease(partition, term), rules)

    def _settle(self, letter: Letter, lease: Lease, rules: CompiledRules) -> None:
        todo = letter.first
        resolution = f"{letter.requested}: {letter.reason}"
        while True:
            behind = self._waiting("behind_letter", {"id": letter.id})
            if not todo and not behind:
                if self._desk.settle(letter.id, resolution):
                    break
                continue
            try:
                self._release(lease, letter.id, todo + behind, rules)
            except Refused:
                if not self._one_by_one(letter, lease, todo + behind, rules):
                    return
            todo = []
        log.info("a dead letter is settled", action="letter_settled", id=letter.id, how=letter.requested)

    def _resume(self, lease: Lease, rules: CompiledRules) -> None:
        """What waits only because its rule was paused, and is no more."""
        released = False
        while waiting := self._waiting("behind_pause", {"partition": lease.partition}):
            wanted = _by_change(waiting)
            items = [
                Item(lease.partition, b"", (0, 0), _under(passage, wanted))
                for passage in self._carry(wanted, rules)
            ]
            self._target.release(items, rules, {lease.partition: lease.term})
            self._desk.forget(lease, waiting)
            released = True
        if released:
            self._desk.resumed()

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
        wanted = _by_change(waiting)
        passages = [_not_refused(_under(passage, wanted)) for passage in self._carry(wanted, rules)]
        try:
            self._desk.release(lease, letter, waiting, passages, rules)
        except psycopg.Error as error:
            if fault_of(error) is not Fault.DATA:
                raise
            message = error.diag.message_primary or str(error)
            raise Refused(Cause.REFUSED, message, error.sqlstate) from error

    def _carry(self, wanted: Mapping[int, set[int]], rules: CompiledRules) -> list[Passage]:
        """The changes through the stages, by the live rules."""
        rows = self._connection.execute(self._queries["changes"], {"ids": list(wanted)}).fetchall()
        passages = [read_change(document.encode(), "change_queue", rules.version) for _, document in rows]
        for stage in (filter_changes, match_changes, transform_changes):
            passages = [passage for passage in stage(passages, rules) if passage is not None]
        return passages


def _by_change(waiting: Sequence[Waiting]) -> dict[int, set[int]]:
    wanted: dict[int, set[int]] = {}
    for change, rule in waiting:
        wanted.setdefault(change, set()).add(rule)
    return wanted


def _under(passage: Passage, wanted: Mapping[int, set[int]]) -> Passage:
    """The passage under the rules that its change waits under, and no others."""
    rules = wanted[passage.change.id] if passage.change is not None else {EVERY_RULE}
    if EVERY_RULE in rules:
        return passage
    writes = tuple(write for write in passage.writes if write.rule in rules)
    rejects = tuple(reject for reject in passage.rejects if reject.rule_id in (None, *rules))
    return msgspec.structs.replace(passage, writes=writes, rejects=rejects)


def _not_refused(passage: Passage) -> Passage:
    """The passage. Raises Refused where a stage rejected it."""
    for reject in passage.rejects:
        raise Refused(reject.cause, reject.message, reject.sqlstate)
    return passage
