"""A worker's unbroken run of stages: what becomes of a batch of entries on the way to its effect."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from pipeline.batch import Item, by_partition, by_rules, item_of, onward
from pipeline.leases import START
from pipeline.metrics.worker import Handled, rejects_of
from pipeline.redis.entry import Finished, order_of
from stages.filter import filter_changes
from stages.match import match_changes
from stages.transform import transform_changes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pipeline.leases import EntryId, Grant
    from pipeline.metrics.worker import WorkerMetrics
    from pipeline.ports import Rules, WorkerStreams
    from pipeline.redis.entry import Entry
    from pipeline.topology import Step
    from stages.passage import Passage
    from stages.rules.compile import CompiledRules

_STAGES: Final[Mapping[str, Callable[[Sequence[Passage], CompiledRules], list[Passage | None]]]] = {
    "filter": filter_changes,
    "match": match_changes,
    "transform": transform_changes,
}


# A batch goes through the stages in parts: what they make on the way is dropped, and its memory used again,
# while it is in the processor's cache. All at once takes a tenth longer.
_AT_A_TIME: Final = 100


class Batch(NamedTuple):
    """Entries in hand, read at one step of the run and carried through its stages up to `apply`."""

    place: int  # of the step in the run
    items: list[Item]
    groups: list[tuple[CompiledRules, list[Item]]]  # each decided by one rule set, in order
    newest: dict[int, int]  # partition -> the tick of its last entry
    began: float


class Run:
    """The stages of one worker, between the streams it reads and its effect."""

    def __init__(
        self, steps: Sequence[Step], streams: WorkerStreams, rules: Rules, metrics: WorkerMetrics
    ) -> None:
        self._steps = steps
        self._streams = streams
        self._rules = rules
        self._metrics = metrics

    def begin(
        self,
        place: int,
        entries: Mapping[int, Sequence[Entry]],
        done: Mapping[int, EntryId],
        *,
        reclaimed: bool,
    ) -> Batch:
        """Take entries, read at a step, through the stages; `done`: how far each partition is applied."""
        stage, count = self._steps[place].stage, sum(map(len, entries.values()))
        began = self._metrics.read(stage, count, reclaimed=count if reclaimed else 0)
        try:
            items, groups = self._carry(place, entries, done)
        except BaseException:
            self._metrics.abandoned(stage, count)
            raise
        newest = {partition: batch[-1].order[0] for partition, batch in entries.items()}
        return Batch(place, items, groups, newest, began)

    def finish(self, batch: Batch, held: Mapping[int, Grant]) -> None:
        """Hand on, acknowledge and trim. Raises StreamsLost, Fenced."""
        begun, last = self._steps[batch.place], self._steps[-1]
        finished = [
            Finished(
                partition,
                held[partition].terms[begun.stage],
                [item.id for item in items],
                onward(items) if last.writes else [],
            )
            for partition, items in by_partition(batch.items).items()
        ]
        self._streams.acknowledge(begun.stage, begun.reads, last.writes, finished)
        self._metrics.finished(begun.stage, len(batch.items), batch.began)

    def abandon(self, batch: Batch) -> None:
        """It stays pending, and will be delivered again."""
        self._metrics.abandoned(self._steps[batch.place].stage, len(batch.items))

    def _carry(
        self, place: int, entries: Mapping[int, Sequence[Entry]], done: Mapping[int, EntryId]
    ) -> tuple[list[Item], list[tuple[CompiledRules, list[Item]]]]:
        current = self._rules.current()
        read = [
            (order_of(entry.id), partition, entry) for partition, batch in entries.items() for entry in batch
        ]
        read.sort(key=itemgetter(0))
        items: list[Item] = []
        groups: list[tuple[CompiledRules, list[Item]]] = []
        handled = {step.stage: Handled() for step in self._steps[place:]}
        for begin in range(0, len(read), _AT_A_TIME):
            part = [
                item_of(partition, entry, order, current.version, done.get(partition, START))
                for order, partition, entry in read[begin : begin + _AT_A_TIME]
            ]
            for version, group in by_rules(part):
                rules = current if version in (None, current.version) else self._rules.at(version)
                self._run_stages(place, group, rules, handled)
                if groups and groups[-1][0] is rules:
                    groups[-1][1].extend(group)
                else:
                    groups.append((rules, group))
            items += part
        self._metrics.handled(handled)
        return items, groups

    def _run_stages(
        self, place: int, items: Sequence[Item], rules: CompiledRules, handled: Mapping[str, Handled]
    ) -> None:
        carried = [item for item in items if item.passage is not None]
        passages = [item.passage for item in carried if item.passage is not None]
        rejects = rejects_of(passages)
        for step in self._steps[place:]:
            if step.stage == "apply":
                return
            outcomes = _STAGES[step.stage](passages, rules)
            for item, outcome in zip(carried, outcomes, strict=True):
                item.passage = outcome
            passages = [outcome for outcome in outcomes if outcome is not None]
            if len(passages) < len(carried):
                carried = [item for item in carried if item.passage is not None]
            before, rejects = rejects, rejects_of(passages)
            handled[step.stage].add(len(outcomes), len(passages), rejects - before)
