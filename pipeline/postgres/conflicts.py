"""Conflicts, in the apply transaction: what contested writes meet is read, decided, and remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from pipeline.postgres.knowledge import Edited
from pipeline.postgres.queries import load
from pipeline.postgres.spots import look
from pipeline.postgres.writer import array
from stages.conflicts import resolve
from stages.need import Need
from stages.scene import Scene, spot_of
from stages.stamp import Stamps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import psycopg

    from stages.apply import Plan
    from stages.bout import Conflict
    from stages.omit import Omitted
    from stages.passage import Passage
    from stages.resend import Answer
    from stages.rules.compile import CompiledRule, CompiledRules
    from stages.scene import Present, Spot
    from stages.write import Write

_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_STAMPS: Final = msgspec.json.Decoder(Stamps)


class Conflicts:
    """See `Knowledge`."""

    need = Need.CONFLICTS

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._queries = load("conflicts")

    def edit(
        self, passages: Sequence[Passage], rules: CompiledRules, omitted: Callable[[], Omitted]
    ) -> Edited:
        """Three queries, and two for each target table of contested writes; none where there are none."""
        contested = list(_contested(passages, rules))
        if not contested:
            return Edited(passages)
        scene = Scene(self._spots(contested), self._changes(contested))
        found = resolve(passages, rules, scene, omitted())

        def prepare(_: Plan) -> None:
            self._keep(scene)

        def remember(_: Plan) -> None:
            self._note(found.conflicts)
            self._tell(found.answers)

        noted = tuple((one.rule.rule.id, str(one.winner)) for one in found.conflicts)
        return Edited(found.passages, remember, prepare, noted)

    def _spots(self, contested: Sequence[tuple[int, CompiledRule, Write]]) -> dict[Spot, Present]:
        wanted: dict[tuple[Any, ...], tuple[CompiledRule, dict[Spot, None]]] = {}
        for _, rule, write in contested:
            first = spot_of(rule, write.key)
            _, spots = wanted.setdefault(first[:3], (rule, {}))
            spots[first] = None
            if write.old_key is not None:
                spots[spot_of(rule, write.old_key)] = None
        found: dict[Spot, Present] = {}
        by_name: dict[tuple[str, str, str], Present] = {}  # rules may know one record by different columns
        for rule, spots in wanted.values():
            for spot, one in zip(spots, look(self._connection, rule, list(spots)), strict=True):
                present = one
                if present.name is not None:
                    present = by_name.setdefault((spot.schema, spot.table, present.name), present)
                found[spot] = present
        return found

    def _changes(self, contested: Sequence[tuple[int, CompiledRule, Write]]) -> dict[int, Stamps]:
        ids = {change for change, rule, _ in contested if rule.contest and rule.contest.source_stamped}
        if not ids:
            return {}
        rows = self._connection.execute(self._queries["change_stamps"], {"ids": array(sorted(ids))})
        return {change: _STAMPS.decode(stamps) for change, stamps in rows}

    def _keep(self, scene: Scene) -> None:
        kept: dict[tuple[str, str, str], dict[str, Any]] = {}
        gone: dict[tuple[str, str, str], dict[str, Any]] = {}
        for spot, present in scene.spots.items():
            if not present.touched or present.name is None:
                continue
            name = (spot.schema, spot.table, present.name)
            record = dict(zip(("table_schema", "table_name", "key"), name, strict=True))
            if present.row is None and present.deleted is None:
                gone[name] = record
            else:
                kept[name] = {**record, "stamps": present.stamps, "deleted": present.deleted}
        if gone:
            self._connection.execute(self._queries["drop_stamps"], {"records": _encoded(list(gone.values()))})
        if kept:
            self._connection.execute(self._queries["keep_stamps"], {"records": _encoded(list(kept.values()))})

    def _note(self, conflicts: Sequence[Conflict]) -> None:
        if conflicts:
            rows = [_row(conflict) for conflict in conflicts]
            self._connection.execute(self._queries["note_conflicts"], {"conflicts": _encoded(rows)})

    def _tell(self, answers: Sequence[Answer]) -> None:
        rows = []
        for answer in answers:
            told = answer.change()
            if told is not None:
                row = dict(zip(("operation", "before", "after", "stamps"), told, strict=True))
                rows.append({**row, "table_schema": answer.spot.schema, "table_name": answer.spot.table})
        if rows:
            self._connection.execute(self._queries["tell"], {"answers": _encoded(rows)})


def _contested(
    passages: Sequence[Passage], rules: CompiledRules
) -> Iterator[tuple[int, CompiledRule, Write]]:
    for passage in passages:
        for write in passage.writes if passage.change is not None else ():
            rule = rules.by_id[write.rule]
            if rule.contest is not None and passage.change is not None:
                yield passage.change.id, rule, write


def _row(conflict: Conflict) -> dict[str, Any]:
    rule, target = conflict.rule.rule, conflict.rule.target.name
    return {
        "change_id": conflict.change_id,
        "rule_id": rule.id,
        "rule": rule.name,
        "target_table": f"{target.schema}.{target.name}",
        "key": dict(zip(conflict.rule.key_columns, conflict.key, strict=True)),
        "column_name": conflict.column,
        "source_value": conflict.source_value,
        "target_value": conflict.target_value,
        "winner": conflict.winner,
        "policy": conflict.policy,
        "why": conflict.why,
        "source_edited_at": conflict.edited.time,
        "source_edited_in": conflict.edited.table,
        "target_edited_at": conflict.seen.time,
        "target_edited_in": conflict.seen.table,
    }


def _encoded(rows: object) -> str:
    return _ENCODER.encode(rows).decode()
