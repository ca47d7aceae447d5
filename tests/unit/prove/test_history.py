"""The history of all keys: transactions as a whole, and a source that has to agree."""

from __future__ import annotations

import pytest

from pipeline.proof.verdict import Kind
from pipeline.prove.history import End, History, Seen, SourceDisagrees
from pipeline.prove.journal import Committed, Event

A1, A2, B1 = (1, 1, 1, 1), (2, 2, 1, 1), (1, 2, 1, 1)


def history() -> History:
    """Key `a` gets a record, which is then given the key `b`."""
    made = History()
    made.commit([Committed(1, (Event("a", 1, A1),))])
    made.commit([Committed(1, (Event("a", 2, None), Event("b", 1, B1)))])
    return made


def test_changes_are_counted() -> None:
    assert history().changes == 2


def test_only_what_a_transaction_leaves_counts() -> None:
    """A rename shows the old values under the new key, until the same transaction writes the new ones."""
    made = history()
    made.see([Seen(1, 100, "a", list(A1), 1)])
    made.see(
        [Seen(2, 101, "a", None, 2), Seen(3, 101, "b", list(A1), 1), Seen(4, 101, "b", list(B1), 1)],
    )
    made.end([End("a", 2, None, None), End("b", 1, list(B1), list(B1))])
    assert made.findings == []
    assert made.effects == 3


def test_what_another_transaction_leaves_is_judged_by_itself() -> None:
    made = history()
    made.see([Seen(1, 100, "b", list(B1), 1), Seen(2, 101, "b", list(B1), 1)])
    made.judge()
    assert [(finding.kind, finding.key) for finding in made.findings] == [(Kind.REPEATED, "b")]


@pytest.mark.parametrize("end", [End("b", 2, list(B1), None), End("b", 1, [1, 9, 9, 9], None)])
def test_a_source_that_disagrees_proves_nothing(end: End) -> None:
    with pytest.raises(SourceDisagrees, match="the source holds version"):
        history().end([end])


def test_what_is_missing_in_the_end_is_found() -> None:
    made = history()
    made.end([End("a", 2, None, list(A1)), End("b", 1, list(B1), None)])
    assert [finding.kind for finding in made.findings] == [Kind.LOST, Kind.LOST]
