"""Capture on all kinds of tables and for all kinds of writers; its installing and its bell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from pipeline.wakeup import Wakeup

if TYPE_CHECKING:
    from tests.fixtures.world import World

TRIGGERS = (
    "SELECT tgname FROM pg_trigger WHERE tgrelid = 'emea.account'::regclass AND NOT tgisinternal ORDER BY 1"
)
BELL = "LISTEN orgstream_relay"


def test_documents_arrays_and_bytes(world: World) -> None:
    world.app.execute("CREATE TABLE emea.kinds (id integer, doc json, docb jsonb, tags text[], raw bytea)")
    world.capture("kinds", "id")
    values = [r'{"a": "\u0000"}', '{"b": 1}', ["p", "q r"], b"\xff\x00"]
    world.app.execute("INSERT INTO emea.kinds VALUES (1, %s, %s, %s, %s)", values)
    world.app.execute("UPDATE emea.kinds SET doc = '[2]'")
    (inserted,), (updated,) = world.rows("SELECT after::text FROM orgstream.change_queue ORDER BY id")
    assert inserted == (r'{"id":1,"doc":{"a": "\u0000"},"docb":{"b": 1},"tags":["p","q r"],"raw":"\\xff00"}')
    assert updated.startswith('{"id":1,"doc":[2],')


@pytest.mark.parametrize("text", [r"\u0000", r"a\\u0000\\\u0000b", r"\\", "\\"])
def test_texts_that_look_like_escapes(world: World, text: str) -> None:
    world.app.execute("CREATE TABLE emea.kinds (id text, doc json)")
    world.capture("kinds", "id")
    world.app.execute("INSERT INTO emea.kinds VALUES (%s, %s)", [text, r'{"a": "\u0000\u0000\\\u0000"}'])
    assert world.rows("SELECT key ->> 'id' FROM orgstream.change_queue") == [(text,)]
    ((after,),) = world.rows("SELECT after FROM orgstream.change_queue")
    assert after == {"id": text, "doc": {"a": "\0\0\\\0"}}


def test_xml(world: World) -> None:
    try:
        world.app.execute("SELECT '<a/>'::xml")
    except psycopg.errors.FeatureNotSupported:
        pytest.skip("this Postgres was built without libxml")
    world.app.execute("CREATE TABLE emea.page (id integer, x xml)")
    world.capture("page", "id")
    world.app.execute("INSERT INTO emea.page VALUES (1, '<a/>')")
    world.app.execute("UPDATE emea.page SET x = '<b/>'")
    assert world.rows("SELECT after FROM orgstream.change_queue ORDER BY id") == [
        ({"id": 1, "x": "<a/>"},),
        ({"id": 1, "x": "<b/>"},),
    ]


def test_identifiers_that_need_quotes(world: World) -> None:
    world.app.execute('CREATE SCHEMA "My Org"')
    world.app.execute('CREATE TABLE "My Org"."Big ""Table""" ("Ext Id" text, "it\'s" text)')
    world.capture('Big "Table"', "Ext Id", schema="My Org")
    world.app.execute('INSERT INTO "My Org"."Big ""Table""" VALUES (%s, %s)', ["a", "b"])
    assert world.rows("SELECT table_schema, table_name, key, after FROM orgstream.change_queue") == [
        ("My Org", 'Big "Table"', {"Ext Id": "a"}, {"Ext Id": "a", "it's": "b"})
    ]


def test_columns_that_come_and_go_later(world: World) -> None:
    world.capture("account", "ext_id")
    world.app.execute("INSERT INTO emea.account VALUES ('a')")
    world.app.execute("ALTER TABLE emea.account ADD COLUMN later integer DEFAULT 5, DROP COLUMN city")
    world.app.execute("UPDATE emea.account SET later = 6")
    (row,) = world.rows("SELECT before, after FROM orgstream.change_queue WHERE operation = 'UPDATE'")
    assert ["city" in side for side in row] == [False, False]
    assert [side["later"] for side in row] == [5, 6]


def test_a_writer_without_any_right_on_our_schema(world: World) -> None:
    world.capture("account", "ext_id")
    world.app.execute("""
        CREATE ROLE orgstream_test_writer;
        GRANT USAGE ON SCHEMA emea TO orgstream_test_writer;
        GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON emea.account TO orgstream_test_writer;
        """)
    session = world.session()
    try:
        session.execute("SET ROLE orgstream_test_writer")
        with (
            session.transaction(),
            pytest.raises(psycopg.errors.InsufficientPrivilege),
            session.transaction(),
        ):
            session.execute("SELECT FROM orgstream.change_queue")
        session.execute("INSERT INTO emea.account VALUES ('a')")
        session.execute("TRUNCATE emea.account")
        session.commit()
        assert world.rows("SELECT operation FROM orgstream.change_queue ORDER BY id") == [
            ("INSERT",),
            ("TRUNCATE",),
        ]
    finally:
        session.close()
        world.app.execute("DROP OWNED BY orgstream_test_writer; DROP ROLE orgstream_test_writer")


def test_a_writer_with_an_empty_search_path(world: World) -> None:
    world.capture("account", "ext_id")
    with world.session() as session:
        session.execute("SET search_path = ''")
        session.execute("INSERT INTO emea.account VALUES ('a')")
        session.execute("UPDATE emea.account SET ext_id = 'b'")
        session.execute("DELETE FROM emea.account")
        session.execute("TRUNCATE emea.account")
    assert world.rows("SELECT count(*) FROM orgstream.change_queue") == [(4,)]


def test_a_writers_own_types_and_operators_are_not_used(world: World) -> None:
    """The functions run with our rights: nothing that a writer puts into its search_path may be called."""
    world.capture("account", "ext_id")
    world.app.execute("""
        CREATE SCHEMA evil;
        CREATE FUNCTION evil.same(bigint, integer) RETURNS boolean LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION 'called'; END $$;
        CREATE OPERATOR evil.= (LEFTARG = bigint, RIGHTARG = integer, FUNCTION = evil.same);
        CREATE DOMAIN evil.text AS pg_catalog.text CHECK (VALUE <> 'ext_id');
        CREATE DOMAIN evil.json AS pg_catalog.json CHECK (VALUE IS NULL);
        """)
    with world.session() as session:
        session.execute("SET search_path = evil, pg_catalog")
        session.execute("INSERT INTO emea.account VALUES ('a')")
        session.execute("UPDATE emea.account SET ext_id = 'b'")
    assert world.rows("SELECT key FROM orgstream.change_queue ORDER BY id") == [
        ({"ext_id": "a"},),
        ({"ext_id": "b"},),
    ]


def test_installing_and_removing_may_be_repeated(world: World) -> None:
    for _ in range(2):
        world.capture("account", "ext_id")
    assert [name for (name,) in world.rows(TRIGGERS)] == [
        "00_orgstream_capture",
        "00_orgstream_truncate",
        "00_orgstream_update",
    ]
    world.app.execute("INSERT INTO emea.account VALUES ('a')")
    assert world.rows("SELECT count(*) FROM orgstream.change_queue") == [(1,)]
    for _ in range(2):
        world.app.execute("SELECT orgstream.remove_capture('emea', 'account')")
    assert world.rows(TRIGGERS) == []
    assert world.rows("SELECT FROM orgstream.captured_table") == []
    world.app.execute("INSERT INTO emea.account VALUES ('b')")
    assert world.rows("SELECT count(*) FROM orgstream.change_queue") == [(1,)]


def test_a_new_identity_takes_the_place_of_the_old(world: World) -> None:
    world.capture("account", "ext_id")
    world.capture("account", "name", "city")
    world.app.execute("INSERT INTO emea.account VALUES ('a', 'Ann', 'Rome')")
    assert world.rows("SELECT key FROM orgstream.change_queue") == [({"name": "Ann", "city": "Rome"},)]
    assert world.rows("SELECT identity FROM orgstream.captured_table") == [(["name", "city"],)]


def test_removing_from_a_table_that_is_gone(world: World) -> None:
    world.capture("account", "ext_id")
    world.app.execute("DROP TABLE emea.account")
    world.app.execute("SELECT orgstream.remove_capture('emea', 'account')")
    assert world.rows("SELECT FROM orgstream.captured_table") == []


class TestBell:
    """Capture rings only while the relay sleeps."""

    @staticmethod
    def write(world: World, name: str) -> None:
        world.app.execute("INSERT INTO emea.account VALUES (%s)", [name])

    @staticmethod
    def rang(listener: psycopg.Connection) -> bool:
        """Whether it rang up to now: what was sent before an answer arrives with that answer."""
        listener.execute("SELECT 1")
        return bool(list(listener.notifies(timeout=0)))

    def test_before_any_relay_and_while_it_sleeps(self, world: World) -> None:
        world.capture("account", "ext_id")
        bell = world.session()
        bell.autocommit = True
        bell.execute(BELL)
        self.write(world, "before any relay")
        assert self.rang(bell)
        wakeup = Wakeup(bell)
        wakeup.wake()
        self.write(world, "awake")
        assert not self.rang(bell)
        wakeup.sleep()
        self.write(world, "asleep")
        assert wakeup.wait(10)

    def test_a_relay_after_one_that_died_awake(self, world: World) -> None:
        world.capture("account", "ext_id")
        bell = world.session()
        bell.autocommit = True
        Wakeup(bell).wake()
        after = Wakeup(bell)
        after.sleep()
        self.write(world, "rings")
        assert after.wait(10)
