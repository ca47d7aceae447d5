"""Stage one: does any rule heed this change at all? Decided without reading its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from stages.change import Change, Operation
from stages.passage import Passage, decode
from stages.reject import Cause, Reject

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stages.rules.compile import CompiledRules

_DECODER = msgspec.json.Decoder(Change)
_TRUNCATE: Final = Operation.TRUNCATE  # the member itself: to look it up takes longer than all else here


def read_change(document: bytes, stream: str | int, version: int) -> Passage:
    """The passage of an entry as the relay wrote it; one with a reject where it cannot be read.

    `stream` names where it was found, or is the number of its partition.
    """
    try:
        return Passage(version, _DECODER.decode(document))
    except msgspec.DecodeError as error:
        return _unreadable(document, stream, version, f"the entry is not a change: {error}")


def read_passage(document: bytes, stream: str | int, version: int) -> Passage:
    """The passage of an entry as a stage handed it on; one with a reject where it cannot be read."""
    try:
        return decode(document)
    except msgspec.DecodeError as error:
        return _unreadable(document, stream, version, f"the entry is not a passage between stages: {error}")


def _unreadable(document: bytes, stream: str | int, version: int, message: str) -> Passage:
    table = stream if isinstance(stream, str) else f"partition {stream}"
    text = document.decode("utf-8", "backslashreplace").replace("\0", r"\x00")  # which Postgres cannot hold
    fault = Reject(change_id=None, table=table, cause=Cause.UNREADABLE, message=message, payload=text)
    return Passage(version, rejects=(fault,))


def filter_changes(batch: Sequence[Passage], rules: CompiledRules) -> list[Passage | None]:
    """Keep the changes that at least one rule of their table heeds; None for each of the others."""
    return [_kept(passage, rules) for passage in batch]


def _kept(passage: Passage, rules: CompiledRules) -> Passage | None:
    change = passage.change
    if change is None:  # unreadable: it goes on to become a dead letter
        return passage
    table = rules.tables.get((change.schema, change.table))
    # A truncated table sends no deletes; the record of it stays in the outbox.
    if table is None or change.operation is _TRUNCATE:
        return None
    if table.echoes is not None:  # apply has to see all its changes
        return msgspec.structs.replace(passage, echoes=True)
    return passage if change.operation in table.operations else None
