"""Tables in bulk, and tables that change."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.fixtures.connected import Connected


def test_a_bulk_of_updates_reaches_heroku_connect_by_object_and_once_for_each_record(uk: Connected) -> None:
    """Heroku Connect goes over to bulk at 2,000 changes of one kind and object that follow each other."""
    world = uk.world
    relay, worker = world.relay(batch=20_000, max_entries=50_000), world.worker(batch=2_000)
    world.app.execute("""
        INSERT INTO emea.contact SELECT n, 'new' FROM generate_series(1, 2500) AS n;
        INSERT INTO emea.account (ext_id, name) SELECT n, 'new' FROM generate_series(1, 2500) AS n;
        """)
    world.settle(relay, worker)
    world.app.execute("DELETE FROM uk._trigger_log")
    world.app.execute("""
        DO $$ BEGIN
        FOR turn IN 1..2 LOOP FOR n IN 1..2500 LOOP
            UPDATE emea.contact SET account = 'turn ' || turn WHERE ext_id = n::text;
            UPDATE emea.account SET name = 'turn ' || turn WHERE ext_id = n::text;
        END LOOP; END LOOP;
        END $$
        """)
    world.settle(relay, worker)
    log = world.rows("SELECT table_name, action FROM uk._trigger_log WHERE state = 'NEW' ORDER BY id")
    runs = [(*kind, len(list(entries))) for kind, entries in groupby(log)]
    assert runs == [("account", "UPDATE", 2_500), ("contact", "UPDATE", 2_500)]  # as the rules name them
    assert world.rows("SELECT DISTINCT name FROM uk.account") == [("turn 2",)]
    assert world.rows("SELECT DISTINCT name FROM uk.contact") == [("turn 2",)]
    assert world.rows("SELECT count(*) FROM orgstream.applied") == [(15_000,)]
