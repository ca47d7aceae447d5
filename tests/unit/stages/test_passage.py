"""A passage between two stages of different processes is what it was within one."""

from __future__ import annotations

from decimal import Decimal

from stages.change import Change, Operation
from stages.passage import Kind, Passage, Rows, Transition, decode, encode
from stages.write import Action, Write

CHANGE = Change(7, "emea", "account", Operation.INSERT, "application", "2026-11-23 06:01:05+00")


def test_numbers_keep_every_digit_on_the_way() -> None:
    amount, key = Decimal("12345678901234567890.123456789"), Decimal("0.1000")
    write = Write(1, Action.UPSERT, (key, 2**70), {"amount": amount})
    [came] = decode(encode(Passage(3, CHANGE, writes=(write,)))).writes
    assert (came.values, came.key) == ({"amount": amount}, (key, 2**70))
    assert str(came.key[0]) == "0.1000"


def test_decoded_rows_are_left_behind() -> None:
    passage = Passage(3, CHANGE, (Transition(1, Kind.ENTER),), rows=Rows(None, {"a": object()}))
    came = decode(encode(passage))
    assert came.rows is None
    assert came.transitions == passage.transitions
