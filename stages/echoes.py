"""Echoes: changes that Heroku Connect brings and that only repeat what was written.

A table that rules read and write both, and that Heroku Connect maps, sees its own values again. Each of its
changes is weighed, in the order of its record: what was written is noted, and what comes back is left out of
the change, column by column. What another column truly became goes on alone.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from stages.awaited import Patience, Record, Row, came_back, sent_on, told, written
from stages.contest import settle_contest
from stages.match import match_changes
from stages.resend import is_answer
from stages.transform import transform_changes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stages.change import Change
    from stages.expression import SqlType
    from stages.passage import Passage
    from stages.rules.compile import CompiledRules

_ROW: Final = msgspec.json.Decoder(Row | None)
_NULL: Final = b"null"


class RecordName(NamedTuple):
    """A record of an org's table; the key is its identity as JSON text."""

    schema: str
    table: str
    key: str


class Note(msgspec.Struct, frozen=True):
    """What is to be remembered of a change, with its effects."""

    name: RecordName
    record: Record
    change_id: int
    shown: Row | None  # of a change that was edited
    gone: RecordName | None = None  # the name that it had before


class Known(msgspec.Struct):
    """What was remembered: of records, and of changes that were weighed before."""

    records: dict[RecordName, Record] = {}
    weighed: dict[RecordName, int] = {}  # the last change of it
    shown: dict[int, Row] = {}  # change -> how it was edited


def weigh(
    passages: Sequence[Passage], rules: CompiledRules, known: Known, patience: Patience
) -> list[Passage]:
    """The passages without the echoes in them, in the same order; each with what is to be remembered.

    They are those of whole partitions, in order. A change that was weighed before is decided as it was then.
    """
    scales = _Scales(rules, known, patience)
    return [scales.weigh(passage) if passage.echoes else passage for passage in passages]


def names_of(change: Change) -> tuple[RecordName, RecordName | None]:
    """The record of a change, and the name that it had before, where the change changed it."""
    name = RecordName(change.schema, change.table, bytes(change.key).decode())
    old = bytes(change.old_key)
    return name, None if old == _NULL else RecordName(change.schema, change.table, old.decode())


def decode_row(document: str) -> Row:
    """The columns of a JSON object, each still as JSON. Raises msgspec.DecodeError."""
    return _ROW.decode(document) or {}


def show(change: Change, shown: Row) -> Change:
    """The change with these values before and after it."""
    return msgspec.structs.replace(
        change, before=_with(change.before, shown), after=_with(change.after, shown)
    )


def _with(image: msgspec.Raw, shown: Row) -> msgspec.Raw:
    row = _ROW.decode(image)
    return image if row is None else msgspec.Raw(msgspec.json.encode({**row, **shown}))


class _Scales:
    def __init__(self, rules: CompiledRules, known: Known, patience: Patience) -> None:
        self._rules = rules
        self._known = known
        self._patience = patience

    def weigh(self, passage: Passage) -> Passage:
        change = passage.change
        table = None if change is None else self._rules.tables.get((change.schema, change.table))
        if change is None or table is None or table.echoes is None:
            return passage
        name, old = names_of(change)
        if change.id in self._known.shown:
            return self._edited(passage, change, self._known.shown[change.id])
        if change.id <= self._known.weighed.get(name, 0):
            return passage
        try:
            record, shown, contested = self._find(change, old or name, table.echoes)
        except (msgspec.DecodeError, ValueError):  # match has rejected it
            return passage
        self._known.records.pop(old or name, None)
        self._known.records[name], self._known.weighed[name] = record, change.id
        note = Note(name, record, change.id, shown or None, old)
        edited = self._edited(passage, change, shown) if shown else passage
        if contested:
            edited = settle_contest(edited, self._rules, contested, self._patience.rounds)
        return msgspec.structs.replace(edited, note=note)

    def _find(
        self, change: Change, name: RecordName, types: Mapping[str, SqlType]
    ) -> tuple[Record, Row, tuple[str, ...]]:
        """What is outstanding after the change, how it is to be edited, and what goes to and fro."""
        before, after = _ROW.decode(change.before), _ROW.decode(change.after)
        if after is None:
            return {}, {}, ()
        record = self._known.records.get(name, {})
        if is_answer(change):
            return sent_on(record, before, after, types), {}, ()
        at = datetime.fromisoformat(change.captured_at).timestamp()
        if change.origin != "salesforce":
            ours = change.origin == "orgstream"
            record = record if before is not None else {}
            found = written(record, before, after, types, at, ours=ours, change_id=change.id)
            return found, {}, ()
        if before is None and not record:  # made there
            return {}, {}, ()
        if before is not None and not _was_read(before, after):
            return told(record), {}, ()
        # A table that is loaded anew has its rows made again, as they are in Salesforce by then.
        answer = came_back(record, before or {}, after, types, at=at, patience=self._patience)
        return answer.record, answer.shown, answer.contested

    def _edited(self, passage: Passage, change: Change, shown: Row) -> Passage:
        """The passage of the edited change, through the stages again."""
        anew = msgspec.structs.replace(
            passage, change=show(change, shown), transitions=(), writes=(), rejects=(), rows=None
        )
        for stage in (match_changes, transform_changes):
            (outcome,) = stage([anew], self._rules)
            anew = outcome or anew
        return anew


def _was_read(before: Row, after: Row) -> bool:
    """Whether Heroku Connect read the record from Salesforce, rather than told what became of a write.

    The latter it does at once, on top of whatever the row holds by then.
    """
    return any(value != before.get(name) for name, value in after.items() if name not in _TOLD)


_TOLD: Final = frozenset({"sfid", "_hc_lastop", "_hc_err"})
