"""The worker: an unbroken run of stages over the partitions it holds.

It moves in steps, so that a process, `drain` and a test drive it alike. Whatever goes wrong in a step, the
entries of its batch stay pending in Redis; the partitions are then taken over again, as from a dead worker.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, NoReturn

from pipeline.batch import BatchSize
from pipeline.leases import START
from pipeline.ports import Stolen, StreamsLost
from pipeline.redis.entry import order_of
from pipeline.run import Batch, Run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pipeline.leases import EntryId, Grant, Leases
    from pipeline.metrics.worker import WorkerMetrics
    from pipeline.ports import Positions, Releaser, Rules, Target, WorkerStreams
    from pipeline.redis.entry import Entry
    from pipeline.topology import Step

_RELEASE_SECONDS: Final = 1.0


class Worker:
    """One worker's state: which partitions are ready, and how far each is applied."""

    def __init__(
        self,
        positions: Positions,
        streams: WorkerStreams,
        leases: Leases,
        rules: Rules,
        steps: Sequence[Step],
        *,
        consumer: str,
        batch: int,
        target: Target | None,
        releaser: Releaser | None,
        metrics: WorkerMetrics,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._positions = positions
        self._streams = streams
        self._leases = leases
        self._rules = rules
        self._run = Run(steps, streams, rules, metrics)
        self._steps = steps
        self._consumer = consumer
        self._batch = batch
        self._size = BatchSize(batch)
        self._target = target  # where the run ends with `apply`, and the releaser too
        self._metrics = metrics
        self._releaser = releaser
        self._clock = clock
        self._release_at = 0.0
        self._ready: dict[int, EntryId] = {}  # partition -> position
        self._newest_tick = 0  # the newest we know of

    def step(self, block: float | None = None) -> bool:
        """Tend the leases, then read and carry one batch; whether there was anything to do.

        Waits up to `block` seconds for entries. Raises what the ports raise; the next step then
        takes its partitions over anew, as from a dead worker.
        """
        try:
            return self._step(block)
        except Stolen:
            self._start_anew()
            return True
        except BaseException:
            self._start_anew()
            raise

    def _step(self, block: float | None) -> bool:
        gained, lost = self._leases.tend()
        for partition in lost:
            self._ready.pop(partition, None)
        self._metrics.leases(len(self._leases.held), self._leases.losses())
        if self._target is not None and self._ready and self._clock() >= self._release_at:
            self._release_at = self._clock() + _RELEASE_SECONDS
            self._release()
        waiting = [partition for partition in self._leases.held if partition not in self._ready]
        took_over = self._take_over(waiting) if waiting or gained else False
        if not self._ready:
            return took_over
        batch = self._read(None if took_over else block)
        if batch is not None:
            self._settle(batch)
        return batch is not None or took_over

    def _read(self, block: float | None) -> Batch | None:
        """A new batch, taken through the stages before `apply`."""
        first = self._steps[0]
        partitions = list(self._ready)
        entries = self._streams.read(
            first.reads,
            first.stage,
            self._consumer,
            partitions,
            count=self._size.of_each(len(partitions)),
            block=block,
        )
        if not entries:
            return None
        self._size.learn(entries)
        batch = self._run.begin(0, entries, self._done, reclaimed=False)
        if self._target is not None:
            self._size.gather(bulk=any(rules.gathers for rules, _ in batch.groups))
        return batch

    def _start_anew(self) -> None:
        """Whatever went wrong: all partitions are taken over again."""
        self._ready.clear()

    @property
    def _done(self) -> Mapping[int, EntryId]:
        return self._ready if self._target is not None else {}

    @property
    def ready(self) -> bool:
        """Whether it has a partition to work on."""
        return bool(self._ready)

    @property
    def waiting(self) -> bool:
        """Whether it holds partitions and can work on none of them."""
        return bool(self._leases.held) and not self._ready

    def _release(self) -> None:
        """What a person asked for dead letters of our partitions."""
        if self._releaser is not None:
            terms = {partition: self._leases.held[partition].terms["apply"] for partition in self._ready}
            rules = self._rules.current()
            self._metrics.rules(rules)
            self._releaser.run(terms, rules)

    def _take_over(self, partitions: Sequence[int]) -> bool:
        """Make partitions ours in Redis and finish what was begun there; whether any became ready."""
        positions = self._positions.applied()
        before = len(self._ready)
        for partition in partitions:
            try:
                self._fence(self._leases.held[partition])
                self._ready[partition] = positions.get(partition, START)
                self._finish_begun(partition)
            except StreamsLost:  # the relay will make them again; until then we try at each step
                self._ready.pop(partition, None)
        return len(self._ready) > before

    def _fence(self, grant: Grant) -> None:
        streams = {step.reads for step in self._steps} | {step.writes for step in self._steps if step.writes}
        self._streams.fence(grant.partition, grant.terms, sorted(streams))

    def _finish_begun(self, partition: int) -> None:
        """What lies furthest down the way is oldest, so it goes first: then order holds."""
        for place in range(len(self._steps) - 1, -1, -1):
            step = self._steps[place]
            pending, trimmed = self._streams.reclaim(step.reads, step.stage, self._consumer, partition)
            if any(order_of(id_) > self._ready[partition] for id_ in trimmed):
                self._give_up([partition], "entries were trimmed that nobody had finished")
            if pending:
                self._carry(place, {partition: pending}, reclaimed=True)
            while place > 0:  # nobody appends to a stream between our own stages
                entries = self._streams.read(
                    step.reads, step.stage, self._consumer, [partition], count=self._batch, block=None
                )
                if not entries:
                    break
                self._carry(place, entries, reclaimed=False)

    def _carry(self, place: int, entries: Mapping[int, Sequence[Entry]], *, reclaimed: bool) -> None:
        """Take entries read at a step through the rest of the run, and finish them there."""
        self._settle(self._run.begin(place, entries, self._done, reclaimed=reclaimed))

    def _settle(self, batch: Batch) -> None:
        """Apply a batch that went through the stages, where that is our last one, and acknowledge it."""
        try:
            self._require_ours(batch)
            if self._target is not None:
                self._apply(self._target, batch)
            self._run.finish(batch, self._leases.held)
        except BaseException:
            self._run.abandon(batch)
            raise

    def _apply(self, target: Target, batch: Batch) -> None:
        for rules, items in batch.groups:
            terms = {p: self._leases.held[p].terms["apply"] for p in {item.partition for item in items}}
            began = time.monotonic()
            applied = target.apply(items, rules, terms)
            self._metrics.applied(applied, rules, items, time.monotonic() - began)
            last = {item.partition: item.order for item in items if item.order != START}  # they are in order
            for partition, order in last.items():
                self._ready[partition] = max(order, self._ready[partition])

    def _require_ours(self, batch: Batch) -> None:
        """A tick stands in Postgres before its entries do in Redis: what lies beyond the last is not ours.

        Its id would count as a position, and all that the relay publishes would lie before it.
        """
        if max(batch.newest.values()) <= self._newest_tick:
            return
        self._newest_tick = self._positions.newest_tick()
        foreign = [partition for partition, tick in batch.newest.items() if tick > self._newest_tick]
        if foreign:
            self._give_up(foreign, "entries of another writer stand in the streams")

    def _give_up(self, partitions: Sequence[int], why: str) -> NoReturn:
        """Have the relay make partitions anew. Raises StreamsLost."""
        self._streams.give_up(partitions)
        raise StreamsLost(f"{why}: partitions {', '.join(map(str, partitions))}")
