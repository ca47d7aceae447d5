"""What a worker counts as its batches pass: by stage, by rule, and from end to end."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from pipeline.metrics import catalog, labels
from pipeline.metrics.stage import StageMetrics

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pipeline.applied import Applied
    from pipeline.batch import Item
    from pipeline.metrics.registry import Metrics
    from stages.passage import Passage
    from stages.rules.compile import CompiledRules


class Handled(msgspec.Struct):
    """How many entries a stage was given, how many it handed on, and how many rejects are its own."""

    entries: int = 0
    emitted: int = 0
    rejected: int = 0

    def add(self, entries: int, emitted: int, rejected: int) -> None:
        """Count a part of the batch."""
        self.entries += entries
        self.emitted += emitted
        self.rejected += rejected


class WorkerMetrics:
    """The metrics of one worker."""

    def __init__(self, metrics: Metrics, stages: Sequence[str]) -> None:
        self._metrics = metrics
        self._stages = {stage: StageMetrics(metrics, stage) for stage in stages}
        self._rules_version = 0

    def read(self, stage: str, entries: int, *, reclaimed: int) -> float:
        """Entries were read; the time to give to `finished`."""
        self._stages[stage].received(entries, reclaimed=reclaimed)
        return time.monotonic()

    def finished(self, stage: str, entries: int, began: float) -> None:
        """They are acknowledged."""
        self._stages[stage].acknowledged(entries, seconds=time.monotonic() - began, now=time.time())

    def abandoned(self, stage: str, entries: int) -> None:
        """They were given up, and will be delivered again."""
        self._stages[stage].abandoned(entries)

    def handled(self, handled: Mapping[str, Handled]) -> None:
        """What the stages of a batch said of its entries. What `apply` made of them is told by `applied`."""
        for stage, of in handled.items():
            if stage != "apply":
                counts = {"emit": of.emitted, "skip": of.entries - of.emitted, "reject": of.rejected}
                self._stages[stage].handled(counts, emitted=of.emitted)

    def leases(self, held: int, lost: int) -> None:
        """How many partitions are ours."""
        for stage in self._stages.values():
            stage.leases(held, lost=lost)

    def rules(self, rules: CompiledRules) -> None:
        """These are live: export zero for each of them before its first change."""
        if rules.version == self._rules_version:
            return
        self._rules_version = rules.version
        for compiled in rules.by_id.values():
            rule = compiled.rule
            for result in labels.RESULTS:
                self._write(rule.name, str(rule.target), result, 0)
            for winner in labels.WINNERS if compiled.contest is not None else ():
                self._metrics.add(catalog.CONFLICTS, 0, rule=rule.name, outcome=winner)
            self._metrics.observe(catalog.LATENCY_SECONDS, 0.0, 0, rule=rule.name)

    def applied(self, applied: Applied, rules: CompiledRules, items: Sequence[Item], seconds: float) -> None:
        """An apply transaction. Its oldest change stands for all: latency is never told too low."""
        self._metrics.observe(catalog.APPLY_SECONDS, seconds)
        latency = _latency(items)
        for rule_id, count in applied.written.items():
            rule = rules.by_id[rule_id].rule
            self._write(rule.name, str(rule.target), "applied", count)
            if latency is not None:
                self._metrics.observe(catalog.LATENCY_SECONDS, latency, count, rule=rule.name)
        for rule_id, count in applied.duplicates.items():
            rule = rules.by_id[rule_id].rule
            self._write(rule.name, str(rule.target), "duplicate", count)
        for (rule_id, winner), count in applied.conflicts.items():
            name = rules.by_id[rule_id].rule.name
            self._metrics.add(catalog.CONFLICTS, count, rule=name, outcome=winner)
        for cause, letters in Counter(reject.cause for reject in applied.rejects).items():
            self._stages["apply"].dead_lettered(cause, letters)
        passages = [item.passage for item in items if item.passage is not None]
        refused = len(applied.rejects)
        if refused:  # what earlier stages rejected is counted there
            refused = max(0, refused - rejects_of(passages))
        self._stages["apply"].handled({"emit": len(passages), "reject": refused}, emitted=0)

    def _write(self, rule: str, table: str, result: str, count: int) -> None:
        self._metrics.add(catalog.WRITES, count, rule=rule, table=table, result=result)


def rejects_of(passages: Iterable[Passage]) -> int:
    """How many rejects they carry; mostly none."""
    return sum([len(passage.rejects) for passage in passages if passage.rejects])


def _latency(items: Sequence[Item]) -> float | None:
    for item in items:  # the first is the oldest: items are in the order of their commits
        if item.passage is not None and item.passage.change is not None:
            with contextlib.suppress(ValueError):  # another writer's entry may hold anything
                captured = datetime.fromisoformat(item.passage.change.captured_at)
                return max(0.0, time.time() - captured.timestamp())
    return None
