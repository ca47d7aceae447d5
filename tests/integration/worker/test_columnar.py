"""Many records go to Postgres as one array for each column: every value arrives as it would as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
import pytest

from pipeline.postgres import columnar
from tests.integration.worker.conftest import letters, names

if TYPE_CHECKING:
    from tests.fixtures.world import World

MANY: Final = 2 * columnar.MANY
TABLES: Final = """
CREATE TABLE emea.thing (
    id text PRIMARY KEY, t text, v varchar(12), b boolean, s smallint, i integer, l bigint, n numeric,
    m numeric(9, 2), r real, f double precision, d date, w timestamp(3), z timestamptz, u uuid
);
CREATE TABLE us.thing (LIKE emea.thing INCLUDING ALL);
"""
RULES: Final = """
[orgs.emea]
schema = "emea"
[orgs.us]
schema = "us"
[[rules]]
name = "things"
from = "emea.thing"
to = "us.thing"
key = { id = "id" }
[rules.map]
"""
COLUMNS: Final = ("t", "v", "b", "s", "i", "l", "n", "m", "r", "f", "d", "w", "z", "u")
#: What means something in JSON, in the text of an array, or in both.
TEXTS: Final = (
    *("", " ", "NULL", "null", "a,b", '"', '""', "\\", "\\n", "\\\\", '\\"', "{", "}", "{a,b}", "[1]"),
    *("\n", "\r\n\t", "\b\f", "\x01\x1f\x7f", "\\u0041", "\\u0000", "é", "\U0001f600", "'", "true", "1e3"),
)
SETS: Final = """
INSERT INTO emea.thing SELECT
    'k' || n, (%(texts)s::text [])[1 + n %% %(count)s], left((%(texts)s::text [])[1 + n %% %(count)s], 12),
    n %% 2 = 0, -n, n * 1000, n * 10000000000, n / 7.0, n * 1.005, n / 3.0::real,
    CASE WHEN n %% 3 = 0 THEN 'NaN' ELSE n * 1e30 END,
    date '0044-03-15 BC' + n, timestamp '2026-01-01 00:00:00.0005' + n * interval '1.0007 s',
    timestamptz '2026-11-23 06:01:05.123456+05:30' + n * interval '1 h', md5(n::text)::uuid
FROM generate_series(1, %(records)s) AS n
"""


@pytest.fixture
def things(world: World) -> World:
    world.app.execute(TABLES)
    world.apply_rules(RULES + "\n".join(f'{name} = "{name}"' for name in COLUMNS))
    return world


def differences(world: World) -> list[tuple[Any, ...]]:
    """Rows of the source that the target does not hold as they are."""
    return world.rows("SELECT s.*::text FROM (SELECT * FROM emea.thing EXCEPT SELECT * FROM us.thing) AS s")


def write(world: World) -> None:
    world.app.execute(SETS, {"texts": list(TEXTS), "count": len(TEXTS), "records": MANY})
    world.app.execute("INSERT INTO emea.thing (id) VALUES ('empty')")


def test_every_value_arrives(things: World, monkeypatch: pytest.MonkeyPatch) -> None:
    went = watched(monkeypatch)
    relay, worker = things.relay(), things.worker()
    write(things)
    things.settle(relay, worker)
    assert any(went)
    assert differences(things) == []
    assert things.rows("SELECT count(*) FROM us.thing") == [(MANY + 1,)]


def test_what_is_there_already_is_not_written_again(things: World, monkeypatch: pytest.MonkeyPatch) -> None:
    went = watched(monkeypatch)
    write(things)
    things.app.execute("TRUNCATE us.thing")
    things.app.execute("INSERT INTO us.thing SELECT * FROM emea.thing")
    things.app.execute("UPDATE us.thing SET t = 'other' WHERE id = 'k7'")
    before = things.rows("SELECT id, xmin::text FROM us.thing WHERE id <> 'k7' ORDER BY 1")
    things.settle(things.relay(), things.worker())
    assert any(went)
    assert differences(things) == []
    assert things.rows("SELECT id, xmin::text FROM us.thing WHERE id <> 'k7' ORDER BY 1") == before


def test_a_text_that_is_too_long_is_refused_and_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.app.execute("ALTER TABLE us.account ALTER COLUMN name TYPE varchar(8)")
    world.apply_rules()
    went = watched(monkeypatch)
    world.app.execute(
        "INSERT INTO emea.account SELECT 'k' || n, repeat('x', 8 + (n = 7)::integer), 'Rome', n, true"
        " FROM generate_series(1, %s) AS n",
        [MANY],
    )
    world.settle(world.relay(), world.worker())
    assert any(went)
    assert letters(world) == [("refused", "accounts", {"ext_id": "k7"})]
    assert set(names(world)) == {f"k{n}" for n in range(1, MANY + 1)} - {"k7"}


def test_values_that_no_array_of_texts_can_hold_go_as_json() -> None:
    assert columnar.array_of(["[", "{x}", None, 1, True]) == '{"[","{x}",null,1,true}'
    assert columnar.array_of(["a", {"b": 1}]) == ""
    assert columnar.array_of(["a", [1]]) == ""
    assert columnar.array_of(["a", msgspec.Raw(b'{"b":1}')]) == ""
    assert columnar.array_of(["a", "\0"]) == ""


def watched(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of each statement from now on, whether it went as arrays."""
    went: list[bool] = []
    real = columnar.columnar

    def watch(statement: Any) -> Any:
        found = real(statement)
        went.append(found is not None)
        return found

    monkeypatch.setattr("pipeline.postgres.writer.columnar", watch)
    return went
