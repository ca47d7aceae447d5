"""Answers: what stands in a target, queued once more."""

from __future__ import annotations

from stages.change import Operation
from stages.resend import Answer
from stages.scene import Present, Spot
from stages.stamp import ALL, Stamp

SPOT = Spot("us", "account", ("k",), ("1",))
STAMP = Stamp(1, "us.account")


def test_an_answer_of_a_row_that_its_batch_makes_has_all_columns() -> None:
    """Of such a row only what the batch writes is known; but whoever reads the change decodes a whole row."""
    present = Present("1", {"k": "1", "name": "Ann"}, {ALL: STAMP})
    whole = {"k": "1", "name": "Ann", "city": None}
    told = Answer(SPOT, present, ("k", "name", "city"), {"name": "Bea"})
    assert told.change() == (Operation.UPDATE, {**whole, "name": "Bea"}, whole, {ALL: STAMP})
    revived = Answer(SPOT, present, ("k", "name", "city"), revive=True)
    assert revived.change() == (Operation.INSERT, None, whole, {ALL: STAMP})
