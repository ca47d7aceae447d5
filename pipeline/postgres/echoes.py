"""Weighing echoes: what is remembered is read before a batch is planned, and written with its effects.

Between the two nobody else can change it: the records are of partitions whose lease the transaction confirms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.postgres.queries import load
from stages.awaited import Record
from stages.echoes import Known, Note, RecordName, decode_row, names_of, weigh

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import psycopg

    from pipeline.batch import Item
    from stages.awaited import Patience
    from stages.passage import Passage
    from stages.rules.compile import CompiledRules

_RECORD: Final = msgspec.json.Decoder(Record)


class Echoes:
    """What one worker asks and tells of echoes, on its connection."""

    def __init__(self, connection: psycopg.Connection, patience: Patience) -> None:
        self._connection = connection
        self._queries = load("echoes")
        self._patience = patience

    def weigh(self, items: Sequence[Item], rules: CompiledRules) -> Sequence[Item]:
        """The items without the echoes in them; the same where no table has any. Raises psycopg.Error."""
        passages = [item.passage for item in items if item.passage is not None and item.passage.echoes]
        if not passages:
            return items
        weighed = iter(weigh(passages, rules, self._known(passages), self._patience))
        return [
            msgspec.structs.replace(item, passage=next(weighed))
            if item.passage is not None and item.passage.echoes
            else item
            for item in items
        ]

    def remember(self, items: Iterable[Item]) -> None:
        """Write down what is to be remembered of weighed items, in the transaction of their effects."""
        notes: list[Note] = [
            item.passage.note for item in items if item.passage is not None and item.passage.note is not None
        ]
        if not notes:
            return
        last: dict[RecordName, Note | None] = {}
        for note in notes:
            if note.gone is not None:
                last[note.gone] = None
            last[note.name] = note
        self._write("forget", "names", [name._asdict() for name, note in last.items() if not _awaits(note)])
        kept = [note for note in last.values() if note is not None and _awaits(note)]
        self._write("remember", "records", [_row(note) for note in kept])
        shown = {note.change_id: note.shown for note in notes if note.shown is not None}
        self._write("decide", "changes", [{"change_id": id_, "shown": row} for id_, row in shown.items()])

    def _write(self, query: str, name: str, rows: Sequence[object]) -> None:
        if rows:
            self._connection.execute(self._queries[query], {name: msgspec.json.encode(rows).decode()})

    def _known(self, passages: Sequence[Passage]) -> Known:
        known = Known()
        asked: dict[RecordName, int] = {}
        changes: list[tuple[RecordName, int]] = []
        for passage in passages:
            if passage.change is not None:
                name, old = names_of(passage.change)
                changes.append((name, passage.change.id))
                if old is not None:
                    asked[old] = 0
        pairs = [*asked.items(), *changes]
        rows = self._connection.execute(
            self._queries["known"],
            {
                "schemas": [name.schema for name, _ in pairs],
                "tables": [name.table for name, _ in pairs],
                "keys": [name.key for name, _ in pairs],
                "changes": [change for _, change in pairs],
            },
        ).fetchall()
        for schema, table, key, last, columns, change, shown in rows:
            name = RecordName(schema, table, key)
            if columns is not None and name not in known.records:
                known.records[name], known.weighed[name] = _RECORD.decode(columns), last
            if shown is not None:
                known.shown[change] = decode_row(shown)
        return known


def _awaits(note: Note | None) -> bool:
    return note is not None and bool(note.record)


def _row(note: Note) -> dict[str, object]:
    overtaken = any(awaited.stands for awaited in note.record.values())
    named = {**note.name._asdict(), "change_id": note.change_id}
    return {**named, "columns": note.record, "overtaken": overtaken}
