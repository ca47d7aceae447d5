"""What is to be written of some groups: for each rule its first selected change and all that follow it."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from pipeline.carry import carried, read_changes
from pipeline.postgres.lookups import look_up
from pipeline.replay.histories import Group
from pipeline.replay.settled import settled
from stages.apply import LedgerEntry, Plan
from stages.hold import EVERY_RULE
from stages.layers import Layers
from stages.lookup import without_waits
from stages.need import Need
from stages.passage import Passage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import psycopg

    from pipeline.replay.links import ReplayLinks
    from stages.reject import Reject
    from stages.rules.compile import CompiledRules
    from stages.write import Write

Pair = tuple[int, int]  # change, rule


class Failure(NamedTuple):
    """A selected change that cannot be applied."""

    change: int
    rule: int
    why: Reject


class Folded(msgspec.Struct):
    """What a group comes to."""

    group: Group
    selected: frozenset[Pair]  # what is replayed
    passages: list[Passage]  # with the writes to fold, in order
    failures: list[Failure]
    applied: frozenset[Pair]  # what the ledger has, under the rules that are replayed

    def writes(self) -> dict[int, list[tuple[int, Write]]]:
        """The writes of each rule, each with its change, in order."""
        found: dict[int, list[tuple[int, Write]]] = {}
        for passage in self.passages:
            if passage.change is not None:
                for write in passage.writes:
                    found.setdefault(write.rule, []).append((passage.change.id, write))
        return found

    def onward(self, org_of: Mapping[str, str]) -> dict[int, tuple[str, ...]]:
        """The orgs that the write of each change comes through."""
        changes = [passage.change for passage in self.passages if passage.change is not None]
        return {change.id: (*change.path, org_of[change.schema]) for change in changes}


class Told(msgspec.Struct, frozen=True):
    """What Postgres knows of a group's changes."""

    ledger: Collection[Pair]  # what was applied
    force: bool  # whether that is replayed too
    waiting: Collection[Pair]  # they wait behind a letter, or their rule is paused
    rules: Collection[int]  # the rules that are live and meant


def to_replay(group: Group, told: Told) -> tuple[frozenset[Pair], int]:
    """Which changes of a group are to be replayed, under which rule; how many are left because they wait."""
    pairs = {
        (change, rule)
        for change, rules in group.changes.items()
        for rule in rules
        if rule in told.rules and (told.force or (change, rule) not in told.ledger)
    }
    held = {rule for rule in {rule for _, rule in pairs} if _waits(group, rule, told.waiting)}
    return frozenset(pair for pair in pairs if pair[1] not in held), sum(rule in held for _, rule in pairs)


def _waits(group: Group, rule: int, waiting: Collection[Pair]) -> bool:
    return any((change, one) in waiting for change in group.changes for one in (rule, EVERY_RULE))


def read_passages(
    connection: psycopg.Connection, ids: Iterable[int], rules: CompiledRules
) -> dict[int, Passage]:
    """What the stages make of changes, also of those that came through the target's org.

    Such a change is never sent back. Here it has a part all the same: the target has it already, and it is
    later than what is replayed.
    """
    read = read_changes(connection, ids, rules.version)
    paths = {passage.change.id: passage.change.path for passage in read if passage.change is not None}
    anywhere = carried([_over(passage, ()) for passage in read], rules)
    if Need.LOOKUPS in rules.needs:
        anywhere = [without_waits(passage) for passage in look_up(connection, anywhere, rules)]
    return {
        passage.change.id: _over(passage, paths[passage.change.id])
        for passage in anywhere
        if passage.change is not None
    }


def fold(group: Group, selected: frozenset[Pair], passages: dict[int, Passage], told: Told) -> Folded:
    """The part that each change of a group has, under each rule from its first selected change on."""
    first: dict[int, int] = {}
    for change, rule in sorted(selected):
        first.setdefault(rule, change)
    pairs = ((change, rule) for change in group.changes for rule in first)
    folded = Folded(group, selected, [], [], frozenset(pair for pair in pairs if pair in told.ledger))
    for change in group.changes:
        passage = passages.get(change)
        if passage is None:
            continue
        folded.failures += [
            Failure(change, rule, reject)
            for reject in passage.rejects
            for rule in first
            if reject.rule_id in (None, rule) and (change, rule) in selected
        ]
        writes = tuple(write for write in passage.writes if first.get(write.rule, change + 1) <= change)
        if writes:
            folded.passages.append(msgspec.structs.replace(passage, writes=writes, rejects=()))
    return folded


def pairs_of(passages: Sequence[Passage]) -> list[Pair]:
    """The writes by change and rule."""
    return [(p.change.id, write.rule) for p in passages if p.change is not None for write in p.writes]


def plan_of(
    folded: Sequence[Folded], rules: CompiledRules, links: ReplayLinks, only: int | None = None
) -> Plan:
    """What is to be written of groups, under all rules or `only` one."""
    layers, ledger, paths = Layers(), [], dict[int, tuple[str, ...]]()
    alike: dict[tuple[str, ...], tuple[str, ...]] = {}
    writes: list[tuple[int, Write]] = []
    for one in folded:
        onward = one.onward(rules.org_of)
        for rule, past in one.writes().items():
            if only in (None, rule):
                version = rules.by_id[rule].rule.version
                ledger += [LedgerEntry(change, rule, version) for change, _ in past]
                applied = {change for change, other in one.applied if other == rule}
                for change, write in settled(past, applied):
                    paths[change] = alike.setdefault(onward[change], onward[change])
                    writes.append((change, write))
    for change, write in links.lead(sorted(writes, key=lambda known: known[0]), rules):
        layers.add(rules.by_id[write.rule], paths[change], write)
    return Plan(tuple(layers.statements()), tuple(ledger), (), (), {})


def _over(passage: Passage, path: tuple[str, ...]) -> Passage:
    if passage.change is None:
        return passage
    return msgspec.structs.replace(passage, change=msgspec.structs.replace(passage.change, path=path))
