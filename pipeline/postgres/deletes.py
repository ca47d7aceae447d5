"""The delete guard in the apply transaction: a mass of deletes waits behind one letter, for each rule."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from pipeline.postgres.delete_bursts import DeleteBursts
from pipeline.postgres.delete_counts import DeleteCounts
from pipeline.postgres.knowledge import nothing
from pipeline.postgres.queries import load
from stages.apply import LedgerEntry
from stages.change import Operation
from stages.delete_burst import Span, is_guarded, second_of
from stages.deletes import Pending, Sorting, edited
from stages.hold import Block, keys_of, table_of
from stages.returned import returned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import psycopg

    from pipeline.postgres.holds import KnownHolds
    from stages.apply import Plan
    from stages.change import Change
    from stages.deletes import Name, Pair
    from stages.hold import Holds
    from stages.passage import Passage
    from stages.rules.compile import CompiledRules
    from stages.write import Write


class Guarded(NamedTuple):
    """The passages as they are to be planned, what the ledger gets besides, and what is to be written."""

    passages: Sequence[Passage]
    done: tuple[LedgerEntry, ...]
    remember: Callable[[Plan], None]
    hold: Callable[[Holds], Holds]


class DeleteGuard:
    """Looks after the deletes of one worker's batches."""

    def __init__(self, connection: psycopg.Connection, holds: KnownHolds) -> None:
        self._connection = connection
        self._holds = holds
        self._counts = DeleteCounts(connection)
        self._bursts = DeleteBursts(connection, holds)
        self._queries = load("deletes")

    def concerns(self, passages: Sequence[Passage]) -> bool:
        """Whether there is a delete among them, or a rule of which deletes wait; mostly there is none."""
        waiting = self._holds.bursting
        for passage in passages:
            change = passage.change
            if change is not None:
                for write in passage.writes:
                    if is_guarded(change, write) or (waiting and write.rule in waiting):
                        return True
            if waiting and any(reject.rule_id in waiting for reject in passage.rejects):
                return True
        return False

    def edit(
        self,
        passages: Sequence[Passage],
        rules: CompiledRules,
        holds: Holds,
        repeated: frozenset[Name],
        partitions: Mapping[int, int],
    ) -> Guarded:
        """Decide on the batch, after the fence and in its transaction. Raises StaleHolds, psycopg.Error."""
        if not self.concerns(passages):
            return Guarded(passages, (), nothing, lambda holds: holds)
        known = self._waiting(passages)
        letter_for = self._judge(passages, rules, repeated, partitions)
        sorting = Sorting(known, holds)
        sorting.sort(passages, letter_for, repeated)
        writes = self._returns(sorting.pairs, rules)
        done = tuple(_done(sorting.pairs, writes, rules))

        def remember(plan: Plan) -> None:
            self._remember(plan, sorting)

        def hold(holds: Holds) -> Holds:
            holds.guard(sorting.held, sorting.waiting(known))
            return holds

        return Guarded(edited(passages, sorting.pairs, writes), done, remember, hold)

    def _waiting(self, passages: Sequence[Passage]) -> dict[Block, Pending]:
        """The batch's records that wait behind a burst; no burst is settled until we have committed."""
        bursting = self._holds.bursting
        records = {
            Block(rule, table_of(change), key)
            for passage in passages
            if (change := passage.change) is not None
            for rule in _rules_of(passage)
            if rule in bursting
            for key in keys_of(change)
        }
        if not records:
            return {}
        self._holds.lock({burst.letter for rule in {r.rule for r in records} for burst in bursting[rule]})
        rows = self._connection.execute(self._queries["waiting"], {"records": _encoded(map(_row, records))})
        return {
            Block(rule, table, key.encode()): Pending(letter, delete)
            for rule, table, key, letter, delete in rows.fetchall()
        }

    def _judge(
        self,
        passages: Sequence[Passage],
        rules: CompiledRules,
        repeated: frozenset[Name],
        partitions: Mapping[int, int],
    ) -> Callable[[Change, int], int | None]:
        """Which letter a delete waits behind, if any."""
        seconds: dict[int, Counter[int]] = {}
        leaves: dict[int, Counter[int]] = {}
        first: dict[int, int] = {}
        for change, write in _deletes(passages, repeated):
            second = second_of(change)
            seconds.setdefault(write.rule, Counter())[second] += 1
            first.setdefault(write.rule, partitions.get(change.id, 0))
            if change.operation is not Operation.DELETE:
                leaves.setdefault(write.rule, Counter())[second] += 1
        self._counts.tally(leaves)
        known = self._holds.bursts
        new = {
            rule: [second for second in of if not any(b.rule == rule and b.span.has(second) for b in known)]
            for rule, of in seconds.items()
        }
        asked = {rule: Span(min(of), max(of)) for rule, of in new.items() if of}
        settled = [burst for burst in known if burst.state != "open"]
        masses = self._counts.masses(asked, rules, settled)
        return self._bursts.letters(seconds, masses, rules, first)

    def _returns(self, pairs: Mapping[Name, Pair], rules: CompiledRules) -> dict[Name, Write | None]:
        """What the return of each record comes to: the difference between its rows, under its rule."""
        if not pairs:
            return {}
        ids = {id_ for pair in pairs.values() for id_ in (pair.delete, pair.back)}
        rows = self._connection.execute(self._queries["images"], {"ids": list(ids)}).fetchall()
        images = {id_: (before.encode(), after.encode()) for id_, before, after in rows}
        return {
            name: returned(rules, name[1], images[pair.delete][0], images[pair.back][1])
            for name, pair in pairs.items()
            if pair.delete in images and pair.back in images
        }

    def _remember(self, plan: Plan, sorting: Sorting) -> None:
        behind = {(held.change_id, held.rule) for held in plan.held}
        blocks = [
            {**_row(block), "letter_id": pending.letter, "change_id": pending.delete}
            for block, pending in sorting.pending().items()
            if pending.delete is None or (pending.delete, block.rule) in behind
        ]
        if blocks:
            self._connection.execute(self._queries["block"], {"blocks": _encoded(blocks)})
        cancelled = [{**_row(pair.block), "change_id": pair.delete} for pair in sorting.pairs.values()]
        if cancelled:
            self._connection.execute(self._queries["cancel"], {"cancelled": _encoded(cancelled)})


def _deletes(passages: Sequence[Passage], repeated: frozenset[Name]) -> Iterator[tuple[Change, Write]]:
    for passage in passages:
        change = passage.change
        if change is not None:
            for write in passage.writes:
                if is_guarded(change, write) and (change.id, write.rule) not in repeated:
                    yield change, write


def _done(
    pairs: Mapping[Name, Pair], writes: Mapping[Name, Write | None], rules: CompiledRules
) -> Iterator[LedgerEntry]:
    """What took effect without a write of its own: cancelled deletes, and returns that changed nothing."""
    for (change, rule), pair in pairs.items():
        version = rules.by_id[rule].rule.version
        yield LedgerEntry(pair.delete, rule, version)
        if (change, rule) in writes and writes[change, rule] is None:
            yield LedgerEntry(change, rule, version)


def _rules_of(passage: Passage) -> Iterator[int]:
    for write in passage.writes:
        yield write.rule
    for reject in passage.rejects:
        if reject.rule_id is not None:
            yield reject.rule_id


def _row(block: Block) -> dict[str, object]:
    return {"rule_id": block.rule, "source_table": block.table, "key": block.key.decode()}


def _encoded(rows: object) -> str:
    return msgspec.json.encode(list(rows)).decode()  # type: ignore[call-overload]
