"""The target: a batch's writes, ledger, letters, holds and position, all or nothing, under the lease."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.ports import LeaseLost
from tests.contract.carried import PARTITION, Carrier, changes
from tests.contract.side import RULES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.applied import Applied
    from pipeline.batch import Item
    from tests.contract.side import Side


class Holder:
    """A target whose partition is granted to it."""

    def __init__(self, side: Side, name: str) -> None:
        ((_, _, self.term, _, _),) = side.leases().grant(name, ["apply"], [PARTITION], seconds=5, count=1)
        self._target = side.target(name)
        self.releaser = side.releaser(name)

    def apply(self, items: Sequence[Item]) -> Applied:
        """Apply a batch."""
        return self._target.apply(items, RULES, {PARTITION: self.term})

    def release(self) -> None:
        """Settle what is asked for."""
        self.releaser.run({PARTITION: self.term}, RULES)


@pytest.fixture
def carrier(side: Side) -> Carrier:
    return Carrier(side)


@pytest.fixture
def holder(side: Side) -> Holder:
    return Holder(side, "h")


def position(side: Side) -> tuple[int, int]:
    return side.positions().applied()[PARTITION]


def test_writes_ledger_and_position_are_one(side: Side, carrier: Carrier, holder: Holder) -> None:
    items = carrier.put(("a", "1"), ("b", "2"), ("c", "3"))
    applied = holder.apply(items)
    assert side.rows() == [("a", "1"), ("b", "2"), ("c", "3")]
    assert side.ledger() == [(change, 1) for change in changes(items)]
    assert (position(side), applied.written, applied.rejects) == ((1, 3), {1: 3}, [])


def test_updates_deletes_and_changes_of_key(side: Side, carrier: Carrier, holder: Holder) -> None:
    holder.apply(carrier.put(("a", "1"), ("b", "2"), ("c", "3")))
    transaction = carrier.begin()
    transaction.put("a", "9")
    transaction.remove("b")
    transaction.rename("c", "d")
    transaction.put("b", "8")
    transaction.rename("d", "e")
    transaction.end(commit=True)
    holder.apply(carrier.take())
    assert side.rows() == [("a", "9"), ("b", "8"), ("e", "3")]


def test_an_update_whose_row_is_missing_inserts_it(side: Side, carrier: Carrier, holder: Holder) -> None:
    carrier.put(("a", "1"))  # which nobody applies
    holder.apply(carrier.put(("a", "2")))
    assert side.rows() == [("a", "2")]


def test_what_the_ledger_holds_is_done_once(side: Side, carrier: Carrier, holder: Holder) -> None:
    first = carrier.put(("a", "1"))
    second = carrier.put(("a", "2"))
    holder.apply(first)
    holder.apply(second)
    holder.apply([*first, *second])
    assert side.rows() == [("a", "2")]
    assert len(side.ledger()) == 2


def test_a_position_never_goes_back(side: Side, carrier: Carrier, holder: Holder) -> None:
    first, second = carrier.put(("a", "1")), carrier.put(("b", "2"))
    holder.apply(second)
    holder.apply(first)
    assert position(side) == (2, 1)


def test_a_former_holder_changes_nothing(side: Side, carrier: Carrier, holder: Holder) -> None:
    items = carrier.put(("a", "1"))
    side.pass_time(6)
    later = Holder(side, "later")
    with pytest.raises(LeaseLost):
        holder.apply(items)
    assert (side.rows(), side.ledger(), position(side)) == ([], [], (0, 0))
    later.apply(items)
    assert side.rows() == [("a", "1")]


def test_a_former_term_of_the_same_holder_changes_nothing(
    side: Side, carrier: Carrier, holder: Holder
) -> None:
    items = carrier.put(("a", "1"))
    again = Holder(side, "h")
    with pytest.raises(LeaseLost):
        holder.apply(items)
    again.apply(items)
    assert side.rows() == [("a", "1")]


def test_a_bad_record_becomes_a_letter_and_the_others_flow(
    side: Side, carrier: Carrier, holder: Holder
) -> None:
    items = carrier.put(("a", "1"), ("bad", None), ("b", "2"), ("c", "3"))
    applied = holder.apply(items)
    assert side.rows() == [("a", "1"), ("b", "2"), ("c", "3")]
    assert [letter[1] for letter in side.letters()] == [changes(items)[1]]
    assert (len(applied.rejects), len(side.ledger()), position(side)) == (1, 3, (1, 4))
    assert side.held() == []


def test_writes_of_one_record_are_one_write_where_they_come_together(
    side: Side, carrier: Carrier, holder: Holder
) -> None:
    holder.apply(carrier.put(("a", None), ("a", "1")))
    assert (side.rows(), side.letters(), len(side.ledger())) == ([("a", "1")], [], 2)


def test_what_follows_a_bad_record_waits_whoever_holds_the_partition(
    side: Side, carrier: Carrier, holder: Holder
) -> None:
    holder.apply(carrier.put(("bad", None)))
    later = Holder(side, "h")
    transaction = carrier.begin()
    transaction.put("bad", "2")
    transaction.rename("bad", "new")
    transaction.put("new", "3")
    transaction.put("other", "4")
    transaction.end(commit=True)
    items = carrier.take()
    later.apply(items)
    assert side.rows() == [("other", "4")]
    ((letter, _, _),) = side.letters()
    assert side.held() == [(change, letter) for change in changes(items)[:3]]


def test_a_key_that_is_taken_in_the_target_is_a_fault_of_the_record(
    side: Side, carrier: Carrier, holder: Holder
) -> None:
    holder.apply(carrier.put(("a", "1"), ("b", "2")))
    transaction = carrier.begin()
    transaction.remove("b")
    transaction.end(commit=True)
    carrier.take()  # which nobody applies
    transaction.rename("a", "b")
    transaction.end(commit=True)
    holder.apply(carrier.take())
    assert side.rows() == [("a", "1"), ("b", "2")]
    assert len(side.letters()) == 1


class TestLetters:
    """What a person asks for."""

    @pytest.fixture(autouse=True)
    def _held(self, side: Side, carrier: Carrier, holder: Holder) -> None:
        """A bad record with two changes behind it."""
        holder.apply(carrier.put(("bad", None)))
        holder.apply(carrier.put(("bad", "2"), ("bad", "3")))
        assert len(side.held()) == 2

    def ask(self, side: Side, what: str) -> None:
        side.request(side.letters()[0][0], what)

    def test_a_retry_that_fails_again_counts(self, side: Side, carrier: Carrier, holder: Holder) -> None:
        holder.apply(carrier.put(("bad", None)))  # or all together would come to a good record
        ((letter, change, attempts),) = side.letters()
        self.ask(side, "retry")
        holder.release()
        assert side.letters() == [(letter, change, attempts + 1)]
        assert len(side.held()) == 3
        holder.release()  # nobody asks any more
        assert side.letters() == [(letter, change, attempts + 1)]

    def test_a_retry_that_works_lets_go_what_waits(
        self, side: Side, carrier: Carrier, holder: Holder
    ) -> None:
        side.mend()
        self.ask(side, "retry")
        holder.release()
        assert (side.rows(), side.letters(), side.held()) == ([("bad", "3")], [], [])
        assert len(side.ledger()) == 3
        holder.apply(carrier.put(("bad", "4")))
        assert side.rows() == [("bad", "4")]

    def test_what_is_skipped_is_given_up_and_the_rest_goes_on(self, side: Side, holder: Holder) -> None:
        ((_, change, _),) = side.letters()
        self.ask(side, "skip")
        holder.release()
        assert (side.rows(), side.letters(), side.held()) == ([("bad", "3")], [], [])
        assert change not in {one for one, _ in side.ledger()}

    def test_what_fails_when_it_is_released_is_the_letter_for_the_rest(
        self, side: Side, carrier: Carrier, holder: Holder
    ) -> None:
        items = carrier.put(("bad", None))
        holder.apply(items)
        self.ask(side, "skip")
        holder.release()
        ((letter, change, _),) = side.letters()
        assert (side.rows(), [change]) == ([("bad", "3")], changes(items))
        holder.apply(carrier.put(("bad", "5")))
        assert [behind for _, behind in side.held()] == [letter]
        self.ask(side, "skip")
        holder.release()
        assert (side.rows(), side.letters(), side.held()) == ([("bad", "5")], [], [])

    def test_a_former_holder_settles_nothing(self, side: Side, holder: Holder) -> None:
        Holder(side, "h")
        self.ask(side, "skip")
        with pytest.raises(LeaseLost):
            holder.release()
        assert (side.rows(), len(side.held())) == ([], 2)
