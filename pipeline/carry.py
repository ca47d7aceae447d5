"""Past changes through the stages once more, read from the queue by their ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pipeline.postgres.queries import load
from stages.echoes import decode_row, show
from stages.filter import filter_changes, read_change
from stages.hold import EVERY_RULE
from stages.match import match_changes
from stages.transform import transform_changes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import psycopg

    from stages.passage import Passage
    from stages.rules.compile import CompiledRules

Waiting = tuple[int, int]  # change, rule


def read_changes(connection: psycopg.Connection, ids: Iterable[int], version: int) -> list[Passage]:
    """The changes with these ids that the queue still holds, in order, for rule set `version`."""
    rows = connection.execute(load("holds")["changes"], {"ids": list(ids)}).fetchall()
    return [
        _as_decided(read_change(document.encode(), "change_queue", version), shown)
        for _, document, shown in rows
    ]


def _as_decided(passage: Passage, shown: str | None) -> Passage:
    """The passage without what was found to be an echo when its change was live."""
    if passage.change is None or shown is None:
        return passage
    return msgspec.structs.replace(passage, change=show(passage.change, decode_row(shown)))


def carried(passages: Sequence[Passage], rules: CompiledRules) -> list[Passage]:
    """What the stages make of changes; those that no rule wants are left out."""
    passages = [_settled(passage) for passage in filter_changes(passages, rules) if passage is not None]
    for stage in (match_changes, transform_changes):
        passages = [passage for passage in stage(passages, rules) if passage is not None]
    return list(passages)


def _settled(passage: Passage) -> Passage:
    """What is past is not weighed again: it would be out of its turn."""
    return msgspec.structs.replace(passage, echoes=False) if passage.echoes else passage


def by_change(waiting: Sequence[Waiting]) -> dict[int, set[int]]:
    """The rules that are meant, of each change."""
    wanted: dict[int, set[int]] = {}
    for change, rule in waiting:
        wanted.setdefault(change, set()).add(rule)
    return wanted


def under(passage: Passage, wanted: Mapping[int, set[int]]) -> Passage:
    """The passage under the rules that are meant for its change, and no others."""
    rules = wanted[passage.change.id] if passage.change is not None else {EVERY_RULE}
    if EVERY_RULE in rules:
        return passage
    writes = tuple(write for write in passage.writes if write.rule in rules)
    rejects = tuple(reject for reject in passage.rejects if reject.rule_id in (None, *rules))
    return msgspec.structs.replace(passage, writes=writes, rejects=rejects)
