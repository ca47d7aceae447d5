"""A change on its way: what the stages have found out about it so far."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec

from stages.change import Change
from stages.reject import Reject
from stages.wait import Wait
from stages.write import Write


class Kind(StrEnum):
    """How a rule sees a record: by whether it met `when` before the change and meets it after."""

    ENTER = "enter"  # no, yes; an insert too
    INSIDE = "inside"  # yes, yes
    LEAVE = "leave"  # yes, no
    DELETE = "delete"  # yes, gone


class Transition(msgspec.Struct, frozen=True, gc=False):
    """What a change is to one rule that wants it."""

    rule: int
    kind: Kind


class Rows(msgspec.Struct, frozen=True, gc=False):
    """The decoded rows of a change, kept between two stages of one process; never sent."""

    before: dict[str, Any] | None
    after: dict[str, Any] | None
    faults: dict[str, str] = {}  # column -> why it could not be read


class Passage(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One entry between two stages.

    `rules` is the rule set that decides this change from the first stage to the last, whatever becomes
    live meanwhile.
    """

    rules: int
    change: Change | None = None  # None: the entry was unreadable, and only `rejects` tells of it
    transitions: tuple[Transition, ...] = ()
    writes: tuple[Write, ...] = ()
    rejects: tuple[Reject, ...] = ()
    echoes: bool = False  # of a table that Heroku Connect writes back: apply has to weigh it
    rows: Any = None  # Rows, within one process
    note: Any = None  # what apply is to remember of it, see stages/echoes.py; within one process
    waits: tuple[Wait, ...] = ()  # found in apply: never sent


def _leave_out(_: object) -> None:
    """A note is for apply in the same process."""


_ENCODER = msgspec.json.Encoder(enc_hook=_leave_out, decimal_format="number")
# As everywhere: a number keeps every digit.
_DECODER = msgspec.json.Decoder(Passage, float_hook=Decimal)


def encode(passage: Passage) -> bytes:
    """The passage as the JSON of a stream entry; without the change's rows once no stage needs them."""
    done = not passage.transitions and not passage.echoes and (passage.writes or passage.rejects)
    if passage.change is not None and done:
        passage = msgspec.structs.replace(passage, change=passage.change.without_rows())
    if passage.rows is not None:  # they are decoded again where the next stage is another process
        passage = msgspec.structs.replace(passage, rows=None)
    return _ENCODER.encode(passage)


def decode(document: bytes) -> Passage:
    """The passage of a stream entry. Raises msgspec.DecodeError for anything else."""
    return _DECODER.decode(document)
