"""What capture writes for each change of a record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

if TYPE_CHECKING:
    from tests.fixtures.world import World


def captured(world: World, table: str = "account") -> list[dict[str, Any]]:
    """What the outbox tells of a table, oldest first."""
    rows = world.app.execute(
        "SELECT operation, key, old_key, before, after, origin, path, xid::text, table_schema"
        " FROM orgstream.change_queue WHERE table_name = %s ORDER BY id",
        [table],
    )
    names = [column.name for column in rows.description or ()]
    return [dict(zip(names, row, strict=True)) for row in rows]


@pytest.fixture(autouse=True)
def _captured(world: World) -> None:
    world.capture("account", "ext_id")


def test_each_change_of_a_record_is_one_row_with_the_whole_of_it(world: World) -> None:
    world.app.execute("INSERT INTO emea.account VALUES ('a', 'Ann', 'Rome', 1.50, true)")
    world.app.execute("UPDATE emea.account SET name = 'Bea'")
    world.app.execute("DELETE FROM emea.account")
    first = {"ext_id": "a", "name": "Ann", "city": "Rome", "amount": 1.5, "active": True}
    second = first | {"name": "Bea"}
    rows = captured(world)
    assert [(row["operation"], row["before"], row["after"]) for row in rows] == [
        ("INSERT", None, first),
        ("UPDATE", first, second),
        ("DELETE", second, None),
    ]
    assert all(row["key"] == {"ext_id": "a"} and row["old_key"] is None for row in rows)
    assert {(row["table_schema"], row["origin"], tuple(row["path"])) for row in rows} == {
        ("emea", "application", ())
    }


def test_a_statement_of_many_rows_is_one_transaction_of_many_changes(world: World) -> None:
    session = world.session()
    session.execute("INSERT INTO emea.account SELECT n::text FROM generate_series(1, 5) AS n")
    (xid,) = session.execute("SELECT pg_current_xact_id()::text").fetchone() or ()
    session.commit()
    rows = captured(world)
    assert [row["key"]["ext_id"] for row in rows] == ["1", "2", "3", "4", "5"]
    assert {row["xid"] for row in rows} == {xid}


def test_a_subtransaction_has_the_transaction_of_its_commit(world: World) -> None:
    with world.session() as session:
        session.execute("SELECT 1")  # begins the transaction
        with session.transaction():
            session.execute("INSERT INTO emea.account VALUES ('kept')")
        with session.transaction(force_rollback=True):
            session.execute("INSERT INTO emea.account VALUES ('undone')")
        (xid,) = session.execute("SELECT pg_current_xact_id()::text").fetchone() or ()
    assert [(row["key"], row["xid"]) for row in captured(world)] == [({"ext_id": "kept"}, xid)]


def test_a_change_of_the_key_has_both_keys(world: World) -> None:
    world.app.execute("INSERT INTO emea.account (ext_id) VALUES ('a')")
    world.app.execute("UPDATE emea.account SET ext_id = 'b'")
    assert (captured(world)[1]["key"], captured(world)[1]["old_key"]) == ({"ext_id": "b"}, {"ext_id": "a"})


def test_an_identity_of_several_columns(world: World) -> None:
    world.app.execute('CREATE TABLE emea.line ("Order No" text, n integer, item text)')
    world.capture("line", "n", "Order No")
    world.app.execute("INSERT INTO emea.line VALUES ('o1', 7, 'tea')")
    world.app.execute("UPDATE emea.line SET item = 'milk'")
    world.app.execute("UPDATE emea.line SET n = NULL")
    keys = world.rows("SELECT key::text, old_key::text FROM orgstream.change_queue ORDER BY id")
    assert keys == [
        ('{ "n" : 7, "Order No" : "o1" }', None),
        ('{ "n" : 7, "Order No" : "o1" }', None),
        ('{ "n" : null, "Order No" : "o1" }', '{ "n" : 7, "Order No" : "o1" }'),
    ]


def test_an_update_that_changes_nothing_is_no_change(world: World) -> None:
    world.app.execute("INSERT INTO emea.account (ext_id, amount) VALUES ('a', 1.0)")
    world.app.execute("UPDATE emea.account SET ext_id = ext_id, name = NULL, amount = 1.0")
    assert [row["operation"] for row in captured(world)] == ["INSERT"]
    world.app.execute("UPDATE emea.account SET amount = 1.00")  # equal, and yet another value
    assert [row["operation"] for row in captured(world)] == ["INSERT", "UPDATE"]


def test_truncate_is_recorded_and_names_no_record(world: World) -> None:
    world.app.execute("INSERT INTO emea.account VALUES ('a')")
    world.app.execute("TRUNCATE emea.account")
    row = captured(world)[1]
    assert [row[name] for name in ("operation", "key", "old_key", "before", "after")] == [
        "TRUNCATE",
        *[None] * 4,
    ]


def test_a_rolled_back_change_is_not_there(world: World) -> None:
    with world.session() as session:
        session.execute("INSERT INTO emea.account VALUES ('a')")
        session.rollback()
    assert captured(world) == []


@pytest.mark.parametrize(
    ("settings", "origin", "path"),
    [
        ({}, "application", []),
        ({"xmlbinary": "base64"}, "application", []),
        ({"xmlbinary": "hex"}, "salesforce", []),
        ({"orgstream.path": ""}, "application", []),
        ({"orgstream.path": "apac"}, "orgstream", ["apac"]),
        ({"orgstream.path": "apac,us", "xmlbinary": "hex"}, "orgstream", ["apac", "us"]),
    ],
)
def test_the_writer_is_told_by_its_session(
    world: World, settings: dict[str, str], origin: str, path: list[str]
) -> None:
    with world.session() as session:
        for name, value in settings.items():
            session.execute("SELECT set_config(%s, %s, true)", [name, value])
        session.execute("INSERT INTO emea.account VALUES ('a')")
    (row,) = captured(world)
    assert (row["origin"], row["path"]) == (origin, path)


def test_a_path_ends_with_its_transaction(world: World) -> None:
    with world.session() as session:
        session.execute("SELECT set_config('orgstream.path', 'apac', true)")
        session.execute("INSERT INTO emea.account VALUES ('a')")
        session.commit()
        session.execute("INSERT INTO emea.account VALUES ('b')")
    assert [row["origin"] for row in captured(world)] == ["orgstream", "application"]


def test_the_later_change_of_a_later_trigger_is_captured_second(world: World) -> None:
    world.app.execute("""
        CREATE FUNCTION emea.stamp() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            UPDATE emea.account SET city = 'stamped' WHERE ext_id = NEW.ext_id;
            RETURN NULL;
        END $$;
        CREATE TRIGGER "1_stamp" AFTER INSERT ON emea.account FOR EACH ROW EXECUTE FUNCTION emea.stamp();
        """)
    world.app.execute("INSERT INTO emea.account (ext_id, city) VALUES ('a', 'Rome')")
    assert [(row["operation"], row["after"]["city"]) for row in captured(world)] == [
        ("INSERT", "Rome"),
        ("UPDATE", "stamped"),
    ]


def test_the_ids_of_one_record_rise_in_the_order_of_commits(world: World) -> None:
    world.app.execute("INSERT INTO emea.account VALUES ('a', 'first')")
    early, late = world.session(), world.session()
    early.execute("SELECT pg_current_xact_id()")  # begins before the other one
    late.execute("UPDATE emea.account SET name = 'second'")
    late.commit()
    early.execute("UPDATE emea.account SET name = 'third'")
    early.commit()
    rows = captured(world)
    assert [row["after"]["name"] for row in rows] == ["first", "second", "third"]
    assert int(rows[2]["xid"]) < int(rows[1]["xid"])  # which is why transactions do not decide the order


def test_the_sequence_caches_nothing(world: World) -> None:
    assert world.rows("SELECT cache_size FROM pg_sequences WHERE sequencename = 'change_queue_id_seq'") == [
        (1,)
    ]


def test_a_missing_identity_column_is_refused(world: World) -> None:
    with pytest.raises(psycopg.errors.UndefinedColumn, match="has no column nowhere"):
        world.capture("account", "ext_id", "nowhere")
