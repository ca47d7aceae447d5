"""A dry run: everything that a replay does but for its effects, in a transaction that is rolled back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
import psycopg

from pipeline.postgres.faults import Fault, fault_of
from pipeline.postgres.queries import load
from pipeline.postgres.refusal import refusal_of
from pipeline.replay import job
from pipeline.replay.fold import fold, plan_of, read_passages, to_replay
from pipeline.replay.histories import read_histories
from pipeline.replay.links import ReplayLinks
from pipeline.replay.preview import preview
from pipeline.replay.replayer import Replayer
from pipeline.replay.select import ONE_SNAPSHOT, select
from stages.overlay import whole

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.replay.fold import Folded
    from pipeline.replay.preview import Effect
    from pipeline.replay.selection import Selection
    from stages.rules.compile import CompiledRule, CompiledRules

_SAMPLES: Final = 3
_AT_A_TIME: Final = 200


class RuleEffects(msgspec.Struct):
    """What a replay would do under one rule, in target rows."""

    rule: str
    table: str  # the target's, as org.table
    insert: int = 0
    update: int = 0
    delete: int = 0
    rename: int = 0
    same: int = 0
    failed: int = 0
    samples: list[Any] = msgspec.field(default_factory=list)

    def add(self, effect: Effect) -> None:
        """Count a row."""
        setattr(self, effect.what, getattr(self, effect.what) + 1)
        if effect.what != "same" and len(self.samples) < _SAMPLES:
            self.samples.append(effect)


class Rehearsal(msgspec.Struct):
    """What a replay would do now."""

    selected: int = 0
    records: int = 0
    held: int = 0
    failed: int = 0
    rules: list[RuleEffects] = []


def rehearse(
    connection: psycopg.Connection,
    selection: Selection,
    scope: Sequence[CompiledRule],
    rules: CompiledRules,
    *,
    force: bool,
    progress: Callable[[int], None],
) -> Rehearsal:
    """Find out what a replay would do. Raises psycopg.Error; nothing is changed in any case."""
    with connection.transaction(force_rollback=True):
        connection.execute(ONE_SNAPSHOT)
        connection.execute(load("replay")["without_limit"])
        replay = job.create(connection, selection, force=force)
        selected = select(connection, replay, selection, scope, rules, force=force, progress=progress)
        rehearsing = _Rehearsing(connection, replay, scope, whole(rules) if force else rules, force=force)
        rehearsing.found.selected = selected
        rehearsing.found.records = job.job(connection, replay).records
        while rehearsing.step():
            pass
        return rehearsing.found


class _Rehearsing:
    def __init__(
        self,
        connection: psycopg.Connection,
        replay: int,
        scope: Sequence[CompiledRule],
        rules: CompiledRules,
        *,
        force: bool,
    ) -> None:
        self._connection = connection
        self._replay = replay
        self._rules = rules
        self._links = ReplayLinks(connection, rehearses=True)
        self._replayer = Replayer(connection, replay, first=0, force=force, partitions=1)
        self._effects = {rule.rule.id: RuleEffects(rule.rule.name, str(rule.target.name)) for rule in scope}
        self.found = Rehearsal(rules=list(self._effects.values()))
        self._after = 0

    def step(self) -> bool:
        """Look at the next records; False at the end."""
        queries = load("replay")
        rows = self._connection.execute(
            queries["todo"], {"replay": self._replay, "after": self._after, "rows": _AT_A_TIME}
        ).fetchall()
        if not rows:
            return False
        self._after = rows[-1][1]
        histories = read_histories(self._connection, self._replay, [record for record, _ in rows])
        told = self._replayer.told(histories, self._effects)
        chosen = [(group, *to_replay(group, told)) for group in histories.groups]
        self.found.held += sum(held for *_, held in chosen)
        ids = [change for group, selected, _ in chosen if selected for change in group.changes]
        passages = read_passages(self._connection, ids, self._rules)
        folded = [fold(group, selected, passages, told) for group, selected, _ in chosen if selected]
        for failure in (failure for one in folded for failure in one.failures):
            self._fail(failure.rule, failure.change, failure.why.cause, failure.why.message)
        for rule_id in self._effects:
            self._look(folded, rule_id)
        self._connection.execute(
            queries["done"],
            {"replay": self._replay, "records": histories.records, "applied": 0, "held": 0, "failed": 0},
        )
        return True

    def _look(self, folded: Sequence[Folded], rule: int) -> None:
        try:
            with self._connection.transaction():
                plan = plan_of(folded, self._rules, self._links, rule)
                for effect in preview(self._connection, plan):
                    self._effects[rule].add(effect)
        except psycopg.Error as error:
            if fault_of(error) is not Fault.DATA:
                raise
            if len(folded) > 1:
                self._look(folded[: len(folded) // 2], rule)
                self._look(folded[len(folded) // 2 :], rule)
            else:
                why = refusal_of(error)
                self._fail(rule, min(change for change, _ in folded[0].selected), why.cause, why.message)

    def _fail(self, rule: int, change: int, cause: str, message: str) -> None:
        effects = self._effects[rule]
        effects.failed += 1
        self.found.failed += 1
        if len(effects.samples) < _SAMPLES:
            effects.samples.append({"what": "fail", "change": change, "cause": cause, "message": message})
