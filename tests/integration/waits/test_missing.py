"""What a lookup does where no row is found, one is found, or more than one; and where nothing is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from tests.integration.waits.conftest import Family

OWNER: Final = (
    'owner = {{ lookup = "us.owner", where = {{ username = "owner" }}, take = "sfid", missing = "{}" }}'
)


def _owners(family: Family) -> list[tuple[str, str | None]]:
    return [(a, b) for a, b in family.world.rows("SELECT ext_id, owner FROM us.child ORDER BY 1")]


def _write(family: Family) -> None:
    family.world.app.execute("INSERT INTO us.owner VALUES ('ann', '005A'), ('idle', NULL)")
    for name in ("ann", "bob", "idle", None):
        family.child(f"of {name}", None, owner=name)


def test_null(family: Family) -> None:
    family.apply(OWNER.format("null"))
    _write(family)
    family.settle()
    assert _owners(family) == [("of None", None), ("of ann", "005A"), ("of bob", None), ("of idle", None)]


def test_a_default(family: Family) -> None:
    family.apply(
        OWNER.format("default")
        .replace(" }\n", " }")
        .replace('"default" }', '"default", default = "\'of \' || ext_id" }')
    )
    _write(family)
    family.settle()
    assert _owners(family) == [
        ("of None", None),
        ("of ann", "005A"),
        ("of bob", "of of bob"),
        ("of idle", "of of idle"),
    ]


def test_a_dead_letter(family: Family) -> None:
    family.apply(OWNER.format("dead-letter"))
    _write(family)
    family.settle()
    assert _owners(family) == [("of None", None), ("of ann", "005A")]
    assert [(cause, key) for cause, _, key, _ in family.letters()] == [
        ("not-found", "of bob"),
        ("not-found", "of idle"),
    ]
    family.world.app.execute("INSERT INTO us.owner VALUES ('bob', '005B')")
    family.world.app.execute("UPDATE orgstream.dead_letter SET requested = 'retry', request_reason = 'test'")
    family.settle()
    assert ("of bob", "005B") in _owners(family)
    assert [key for *_, key, _ in family.letters()] == ["of idle"]


@pytest.mark.parametrize("missing", ["null", "wait", "dead-letter"])
def test_more_than_one_row_is_a_dead_letter(family: Family, missing: str) -> None:
    family.apply(OWNER.format(missing))
    family.world.app.execute("INSERT INTO us.owner VALUES ('ann', '1'), ('ann', '2'), ('ann', '3')")
    family.child("c1", None, owner="ann")
    family.settle()
    ((cause, _, key, message),) = family.letters()
    assert (cause, key) == ("ambiguous", "c1")
    assert "more than one row of us.owner by username" in message


def test_the_orgs_own_table_is_looked_into_too(family: Family) -> None:
    family.apply('parent = { lookup = "emea.account", where = { name = "parent" }, take = "ext_id" }')
    family.world.app.execute("INSERT INTO emea.account (ext_id, name) VALUES ('A1', 'Ann')")
    family.child("c1", "Ann")
    family.settle()
    assert family.children() == [("c1", "A1", "e")]


def test_an_update_writes_the_column_only_where_the_key_changed(family: Family) -> None:
    family.apply(OWNER.format("wait"))
    family.world.app.execute("INSERT INTO us.owner VALUES ('ann', '1'), ('bob', '2')")
    family.child("c1", None, owner="ann")
    family.settle()
    family.world.app.execute("UPDATE us.child SET owner = 'by hand'")
    family.world.app.execute("DELETE FROM us.owner WHERE username = 'ann'")
    family.child("c1", None, "other", owner="ann")
    family.settle()
    assert _owners(family) == [("c1", "by hand")]
    assert family.children() == [("c1", None, "other")]
    family.child("c1", None, "other", owner="bob")
    family.settle()
    assert _owners(family) == [("c1", "2")]


def test_each_key_is_asked_once_and_a_batch_costs_one_query(family: Family) -> None:
    family.apply(OWNER.format("wait"))
    family.world.app.execute("INSERT INTO us.owner SELECT 'u' || n, n FROM generate_series(1, 3) AS n")
    with family.world.app.transaction():
        for number in range(300):
            family.child(f"c{number}", None, owner=f"u{number % 3 + 1}")
    family.world.app.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    family.settle()
    assert family.world.rows("SELECT count(*) FROM us.child WHERE owner IS NOT NULL") == [(300,)]
