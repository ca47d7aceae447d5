"""The outbox: what a look tells, what a tick's batch is, whatever commits when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from pipeline.ports import Fenced
from pipeline.ticker import Due
from pipeline.ticks import Snapshot

if TYPE_CHECKING:
    from pipeline.ports import Outbox
    from pipeline.ticks import Tick
    from tests.contract.side import Side, Transaction


@pytest.fixture
def term(side: Side) -> int:
    """The relay's lease."""
    leases = side.leases()
    leases.prepare(["relay"], 1)
    ((_, _, term, _, _),) = leases.grant("r", ["relay"], [0], seconds=60, count=1)
    return term


def put(side: Side, *ext_ids: str) -> None:
    transaction = side.begin()
    for ext_id in ext_ids:
        transaction.put(ext_id, "x")
    transaction.end(commit=True)


def take(outbox: Outbox, last: Tick, term: int) -> Tick:
    return outbox.take(last.id + 1, outbox.look(last).position, term)


def batch(outbox: Outbox, previous: Tick, tick: Tick, after: int = 0, rows: int = 100) -> list[str]:
    """The records of a batch, by change id."""
    found = outbox.batch(Due(previous, tick, after, fresh=True), after, rows=rows, size=2**20)
    assert [row[0] for row in found] == sorted(row[0] for row in found)
    return [msgspec.json.decode(row[3])["key"]["ext_id"] for row in found]


def test_only_what_is_committed_is_news(side: Side) -> None:
    outbox = side.outbox()
    (first,) = outbox.unpublished()
    assert (first.id, first.published, outbox.look(first).news) == (0, True, False)
    transaction = side.begin()
    transaction.put("a", "x")
    assert not outbox.look(first).news
    transaction.end(commit=True)
    assert outbox.look(first).news
    assert outbox.look(first).position >= 1


def test_what_is_rolled_back_is_never_news(side: Side) -> None:
    outbox = side.outbox()
    (first,) = outbox.unpublished()
    transaction = side.begin()
    transaction.put("a", "x")
    transaction.end(commit=False)
    assert not outbox.look(first).news


def test_a_late_commit_is_in_the_batch_of_the_first_tick_that_sees_it(side: Side, term: int) -> None:
    outbox = side.outbox()
    (first,) = outbox.unpublished()
    late, never = side.begin(), side.begin()
    late.put("late", "x")
    never.put("never", "x")
    put(side, "a", "b")
    second = take(outbox, first, term)
    late.end(commit=True)
    never.end(commit=False)
    put(side, "c")
    third = take(outbox, second, term)
    for _ in range(2):  # and the same again whenever it is asked
        assert batch(outbox, first, second) == ["a", "b"]
        assert batch(outbox, second, third) == ["late", "c"]


def test_changes_that_committed_late_are_told_from_transactions_without_any(side: Side, term: int) -> None:
    outbox = side.outbox()
    (first,) = outbox.unpublished()
    late, never = side.begin(), side.begin()
    late.put("late", "x")
    never.put("never", "x")
    put(side, "a")
    tick = take(outbox, first, term)
    never.end(commit=False)
    ended = tick.parsed.ended_by(Snapshot.parse(outbox.look(tick).snapshot))
    assert len(ended) == 1
    assert not outbox.late_changes(ended, 0, tick.position)
    late.end(commit=True)
    ended = tick.parsed.ended_by(Snapshot.parse(outbox.look(tick).snapshot))
    assert len(ended) == 2
    assert not outbox.look(tick).news  # its id is not above the tick's position
    assert outbox.late_changes(ended, 0, tick.position)
    assert not outbox.late_changes(ended, tick.position, tick.position)


def begin_beyond(side: Side, outbox: Outbox, last: Tick, term: int) -> tuple[Transaction, Tick]:
    """A transaction with a change, and a tick whose snapshot does not reach it: nothing younger has ended."""
    for _ in range(50):  # somebody else on the server may end just then
        early = side.begin()
        early.put("early", "x")
        last = take(outbox, last, term)
        outbox.mark_published(last.id, 1)
        if max(last.parsed.open) >= Snapshot.parse(last.snapshot).xmax:
            return early, last
        early.end(commit=False)
    pytest.fail("there is always somebody who ends a transaction")


def test_transactions_beyond_the_snapshot_drew_their_ids_above_the_position(side: Side, term: int) -> None:
    outbox = side.outbox()
    (first,) = outbox.unpublished()
    put(side, "a")
    early, tick = begin_beyond(side, outbox, first, term)
    put(side, "b")
    later = take(outbox, tick, term)
    early.end(commit=True)
    last = take(outbox, later, term)
    (xid,) = later.parsed.ended_by(last.parsed)
    after = outbox.position_before(later.id, xid)
    assert after < later.position
    assert batch(outbox, tick, later) == ["b"]
    assert batch(outbox, later, last, after) == ["early"]


def test_a_batch_comes_in_pieces_of_one_change_at_least(side: Side, term: int) -> None:
    outbox = side.outbox()
    (first,) = outbox.unpublished()
    put(side, "a", "b", "c", "d")
    tick = take(outbox, first, term)
    due = Due(first, tick, 0, fresh=True)
    assert batch(outbox, first, tick, rows=3) == ["a", "b", "c"]
    ids = [row[0] for row in outbox.batch(due, 0, rows=100, size=2**20)]
    assert batch(outbox, first, tick, after=ids[2]) == ["d"]
    assert len(outbox.batch(due, 0, rows=100, size=1)) == 1
    assert [outbox.change_at(due, place) for place in (1, 4, 5)] == [ids[0], ids[3], None]


def test_only_the_relay_whose_lease_it_is_takes_ticks(side: Side, term: int) -> None:
    outbox = side.outbox()
    (first,) = outbox.unpublished()
    put(side, "a")
    with pytest.raises(Fenced):
        take(outbox, first, term - 1)
    assert outbox.unpublished() == [first]
    assert side.positions().newest_tick() == 0
    take(outbox, first, term)
    assert side.positions().newest_tick() == 1


def test_ticks_are_remembered_with_what_was_published(side: Side, term: int) -> None:
    outbox = side.outbox()
    (first,) = outbox.unpublished()
    ticks = [first]
    for name in ("a", "b", "c"):
        put(side, name)
        ticks.append(take(outbox, ticks[-1], term))
    outbox.mark_published(1, 7)
    again = side.outbox()
    assert [(t.id, t.published, t.changes) for t in again.unpublished()] == [
        (1, True, 7),
        (2, False, 0),
        (3, False, 0),
    ]
    outbox.mark_published(1, 8)  # a second time changes nothing
    assert [(t.id, t.snapshot, t.xid, t.changes) for t in again.ticks_from(1)] == [
        (t.id, t.snapshot, t.xid, 7 if t.id == 1 else 0) for t in ticks[1:]
    ]
    assert outbox.taken_at(2).startswith("20")
    assert outbox.taken_at(9) == ""


def test_what_a_change_holds(side: Side, term: int) -> None:
    outbox = side.outbox()
    (first,) = outbox.unpublished()
    put(side, "a")
    transaction = side.begin()
    transaction.put("a", "y", account="m")
    transaction.rename("a", "b")
    transaction.remove("b")
    transaction.end(commit=True)
    tick = take(outbox, first, term)
    rows = outbox.batch(Due(first, tick, 0, fresh=True), 0, rows=100, size=2**20)
    found: list[dict[str, Any]] = [msgspec.json.decode(document) for _, _, _, document in rows]
    assert [row[0] for row in rows] == [change["id"] for change in found]
    old = {"ext_id": "a", "account": "", "email": "x"}
    new = {"ext_id": "a", "account": "m", "email": "y"}
    expected = [
        ("INSERT", "a", None, None, old),
        ("UPDATE", "a", None, old, new),
        ("UPDATE", "b", "a", new, new | {"ext_id": "b"}),
        ("DELETE", "b", None, new | {"ext_id": "b"}, None),
    ]
    for change, (operation, key, old_key, before, after) in zip(found, expected, strict=True):
        assert (change["schema"], change["table"], change["origin"]) == ("emea", "contact", "application")
        assert (change["operation"], change["key"]) == (operation, {"ext_id": key})
        assert change.get("old_key") == (None if old_key is None else {"ext_id": old_key})
        assert (change["before"], change["after"]) == (before, after)
    routes = [(route, old_route) for _, route, old_route, _ in rows]
    assert routes[0] == routes[1] == (routes[2][1], None)
    assert routes[3] == (routes[2][0], None)
    assert routes[0] != routes[3]
