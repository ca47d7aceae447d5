"""What was written to a record and has yet to come back from Salesforce, column by column.

Such a column can come back with any of the values written to it: with an old one too, after a newer one was
written; and with the value of before, until Heroku Connect has told of a write. What comes back settles what
was written before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from stages.canonical import canonical

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stages.expression import SqlType

#: Values of a column that are remembered; the oldest go first.
MOST: Final = 100
_NULL: Final = msgspec.Raw(b"null")

Row = dict[str, msgspec.Raw]  # column -> JSON


class Version(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """A value that was written, when (in seconds, by the database), whether by Orgstream, by which change."""

    written_at: float
    value: msgspec.Raw
    ours: bool = True
    change_id: int = 0


class Awaited(msgspec.Struct, frozen=True, omit_defaults=True):
    """A column's outstanding versions, oldest first; and how often in a row Salesforce answered otherwise."""

    versions: tuple[Version, ...] = ()
    stands: tuple[msgspec.Raw, ...] = ()  # the older value, where one came back over the newest version
    rounds: int = 0
    answered_at: float = 0.0
    base: tuple[msgspec.Raw, ...] = ()  # what Salesforce held before, until it is told of a write


Record = dict[str, Awaited]  # by column; a column that awaits nothing is left out
NOTHING: Final = Awaited()


class Patience(NamedTuple):
    """How long a version is outstanding, in seconds; and how many rounds two rules may rewrite a value."""

    seconds: float
    rounds: int


class Answer(msgspec.Struct, frozen=True):
    """What a change made in Salesforce tells of what was written."""

    record: Record  # what is still outstanding
    shown: Row  # columns it did not truly change, with the value that goes for them before and after it
    contested: tuple[str, ...]  # columns that went to and fro too often


def written(
    record: Record,
    before: Row | None,
    after: Row,
    types: Mapping[str, SqlType],
    at: float,
    *,
    ours: bool,
    change_id: int = 0,
) -> Record:
    """A change that goes to Salesforce: what it changed is outstanding from now on."""
    found = dict(record)
    for name in types:
        value = after.get(name, _NULL)
        if before is None or before.get(name, _NULL) != value:
            awaited = found.get(name, NOTHING)
            base = awaited.base
            if before is not None and not awaited.versions:
                base = (before.get(name, _NULL),)
            versions = (*awaited.versions[1 - MOST :], Version(at, value, ours, change_id))
            found[name] = msgspec.structs.replace(awaited, versions=versions, stands=(), base=base)
    return found


def told(record: Record) -> Record:
    """Heroku Connect told what became of a write: from now on the value of before is a change like others."""
    return {name: msgspec.structs.replace(awaited, base=()) for name, awaited in record.items()}


def sent_on(record: Record, before: Row | None, after: Row, types: Mapping[str, SqlType]) -> Record:
    """The other orgs were told of the record as it stands: so they have to get what follows it, too."""
    found = dict(record)
    for name, awaited in record.items():
        value = after.get(name, _NULL)
        is_told = before is None or before.get(name, _NULL) != value
        if is_told and awaited.versions and name in types:
            newest = canonical(awaited.versions[-1].value, types[name])
            if newest != canonical(value, types[name]):
                del found[name]
    return found


def came_back(
    record: Record, before: Row, after: Row, types: Mapping[str, SqlType], *, at: float, patience: Patience
) -> Answer:
    """A change that Heroku Connect brought: which columns only repeat what was written."""
    found: Record = {}
    shown: Row = {}
    contested: list[str] = []
    for name, type_ in types.items():
        old, new = before.get(name, _NULL), after.get(name, _NULL)
        awaited = record.get(name, NOTHING)
        if old == new and not awaited.versions:
            left = awaited
        else:
            left, value = _compared(awaited, old, new, type_, at=at, patience=patience)
            if value is not None and not old == value == new:
                shown[name] = value
            if left.rounds >= patience.rounds:
                contested.append(name)
                left = NOTHING  # whoever lets it go on gives it as many rounds again
        if left != NOTHING:
            found[name] = left
    return Answer(found, shown, tuple(contested))


def overtaken(record: Record, row: Row, wanted: Row, types: Mapping[str, SqlType]) -> dict[str, Version]:
    """The columns that are to be written as they stand, over which a newer version has yet to come back.

    Nothing would be sent to Salesforce of them, and then the newer version, which is returned, would win.
    """
    found: dict[str, Version] = {}
    for name, value in wanted.items():
        awaited, type_ = record.get(name), types.get(name)
        if awaited is None or type_ is None or not (awaited.stands and awaited.versions):
            continue
        stands = canonical(awaited.stands[0], type_)
        if stands == canonical(value, type_) == canonical(row.get(name, _NULL), type_):
            found[name] = awaited.versions[-1]
    return found


def _compared(
    awaited: Awaited, old: msgspec.Raw, new: msgspec.Raw, type_: SqlType, *, at: float, patience: Patience
) -> tuple[Awaited, msgspec.Raw | None]:
    """What is left outstanding of a column, and its value where the change did not truly change it.

    That is the newest version: what the record will hold when everything has come back.
    """
    since = at - patience.seconds
    versions = tuple(version for version in awaited.versions if version.written_at >= since)
    value = canonical(new, type_)
    for place in range(len(versions) - 1, -1, -1):
        if canonical(versions[place].value, type_) == value:
            left = versions[place + 1 :]
            base = (new,) if left and awaited.base else ()
            if left and canonical(left[-1].value, type_) != value:
                return Awaited(left, (new,), base=base), left[-1].value
            return Awaited(left, base=base), left[-1].value if left else new
    if versions and awaited.base and canonical(awaited.base[0], type_) == value:
        return msgspec.structs.replace(awaited, versions=versions, stands=(new,)), versions[-1].value
    if canonical(old, type_) == value:  # the same to Salesforce
        return msgspec.structs.replace(awaited, versions=versions), versions[-1].value if versions else new
    # Another value than any that was written. The other orgs get it, so they have to get what follows it,
    # should it be one of ours: nothing is outstanding any more.
    answers = any(version.ours for version in versions)
    lately = awaited.rounds if awaited.answered_at >= since else 0
    return (Awaited(rounds=lately + 1, answered_at=at) if answers else NOTHING), None
