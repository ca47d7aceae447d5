"""Ordered and merged writes."""

from __future__ import annotations

from pipeline.connect.log import Action, Entry
from pipeline.connect.plan import plan

TABLES = ["account", "contact"]


def entry(
    number: int, table: str, record: int, action: Action, /, sfid: str | None = None, **values: str
) -> Entry:
    return Entry(number, table, action, record, sfid, dict(values))


LOGGED = [
    entry(1, "contact", 1, "INSERT", lastname="L"),
    entry(2, "account", 1, "UPDATE", "A", name="a"),
    entry(3, "account", 2, "INSERT", name="b", phone="1"),
    entry(4, "account", 1, "UPDATE", "A", name="aa", phone="2"),
    entry(5, "account", 2, "UPDATE", name="bb"),
    entry(6, "account", 3, "UPDATE", "C", name="c"),
    entry(7, "account", 3, "DELETE", "C"),
]


def test_ordered_writes_keep_every_change_apart_and_in_order() -> None:
    units = plan(LOGGED, "ordered", TABLES)
    assert [unit.entries for unit in units] == [(n,) for n in range(1, 8)]


def test_merged_writes_condense_each_record_and_sort_by_object_and_action() -> None:
    units = plan(LOGGED, "merged", TABLES)
    assert [(u.table, u.action, u.record_id, u.values, u.entries) for u in units] == [
        ("account", "INSERT", 2, {"name": "bb", "phone": "1"}, (3, 5)),
        ("account", "UPDATE", 1, {"name": "aa", "phone": "2"}, (2, 4)),
        ("account", "DELETE", 3, {"name": "c"}, (6, 7)),
        ("contact", "INSERT", 1, {"lastname": "L"}, (1,)),
    ]
