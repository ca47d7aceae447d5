"""How many records a transaction of a replay takes on."""

from __future__ import annotations

from pipeline.replay.portion import CHANGES, MOST, Portion


def test_as_many_as_there_may_be_while_records_have_few_changes() -> None:
    portion = Portion()
    for _ in range(3):
        assert portion.records == MOST
        portion.took(changes=2 * MOST)


def test_fewer_of_records_with_many_changes_and_more_again_after_them() -> None:
    portion = Portion()
    portion.took(changes=4 * CHANGES)
    assert portion.records == MOST // 4
    portion.took(changes=CHANGES)
    assert portion.records == MOST // 4
    portion.took(changes=25)
    assert portion.records == MOST // 2


def test_one_record_at_least() -> None:
    portion = Portion()
    portion.took(changes=10**9)
    assert portion.records == 1


def test_a_rate_is_kept_even_by_portions_of_a_quarter_of_a_second() -> None:
    portion = Portion(rate=40)
    assert portion.records == 10
    portion.took(changes=20)  # two of a record
    assert portion.records == 5
    portion.took(changes=1_000)
    assert portion.records == 1
