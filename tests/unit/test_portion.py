"""How many records a transaction of a replay takes on."""

from __future__ import annotations

from pipeline.replay.portion import AIM_SECONDS, MOST, Portion


def test_as_many_as_there_may_be_while_it_is_fast() -> None:
    portion = Portion()
    for _ in range(3):
        assert portion.records == MOST
        portion.took(changes=MOST, seconds=0.01)


def test_fewer_after_a_slow_one_and_more_again_after_a_fast_one() -> None:
    portion = Portion()
    portion.took(changes=10_000, seconds=4 * AIM_SECONDS)
    assert portion.records == MOST // 4
    portion.took(changes=2_500, seconds=AIM_SECONDS)
    assert portion.records == MOST // 4
    portion.took(changes=25, seconds=0.0)
    assert portion.records == MOST // 2


def test_one_record_at_least() -> None:
    portion = Portion()
    portion.took(changes=1, seconds=3_600)
    assert portion.records == 1


def test_a_rate_is_kept_even_by_portions_of_a_quarter_of_a_second() -> None:
    portion = Portion(rate=40)
    assert portion.records == 10
    portion.took(changes=20, seconds=0.01)  # two of a record
    assert portion.records == 5
    portion.took(changes=1_000, seconds=0.01)
    assert portion.records == 1
