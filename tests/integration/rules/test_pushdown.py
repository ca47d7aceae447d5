"""The counts of a plan against the stages: what Postgres counts is what each record would come to."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, Final

import msgspec
import pytest

from pipeline.rules.touched import Counter, Touched
from pipeline.rules.validate import validate
from stages.passage import Kind
from stages.rules.cells import column_value
from stages.rules.difference import RuleChange
from stages.rules.trial import Trial, change_of

if TYPE_CHECKING:
    from pathlib import Path

    import psycopg

    from stages.rules.model import Rule, RuleSet, Table

RULE: Final = """
[orgs.emea]
schema = "emea"
[orgs.us]
schema = "us"
[[rules]]
name = "{name}"
from = "emea.thing"
to = "us.thing"
when = "{when}"
key = {{ k = "{key}" }}
map = {{ {map} }}
"""
TABLES: Final = """
CREATE TABLE emea.thing (
    k text PRIMARY KEY, word varchar(20), n integer, price numeric(10, 2), share double precision,
    flag boolean, day date, at timestamptz, doc json, guid uuid
);
CREATE TABLE us.thing (
    k text PRIMARY KEY, word varchar(20), n bigint, price numeric(8, 1), share double precision,
    flag boolean, day date, at timestamptz, doc json, guid uuid
);
"""
#: Pairs of what a rule said and says: condition, key, map.
PAIRS: Final = [
    (("flag", "k", 'word = "word"'), ("flag AND n > 3", "k", 'word = "word"')),
    (("n > 2 OR word IS NULL", "k", 'word = "word"'), ("NOT flag", "k", 'word = "upper(word)"')),
    (("true", "k", 'price = "price"'), ("true", "k", 'price = "trunc(price, 1)"')),
    (("true", "k", 'n = "n"'), ("true", "k", 'n = "COALESCE(n, 0)"')),
    (("true", "k", 'share = "share"'), ("true", "k", 'share = "CAST(price AS double precision)"')),
    (("true", "k", 'flag = "flag"'), ("flag IS NOT NULL", "k", 'flag = "n > 4"')),
    (("true", "k", 'day = "day"'), ("true", "k", 'day = "at"')),
    (("true", "k", 'doc = "doc", guid = "guid"'), ("flag", "k", 'doc = "NULL", guid = "NULL"')),
    (("true", "k", 'word = "word"'), ("true", "'x' || k", 'word = "word"')),
    (
        ("true", "k", 'word = "word"'),
        ("true", "k", 'word = { expr = "word", values = { ann = "Ann" }, default = "word" }'),
    ),
    (
        ("true", "k", 'word = { expr = "word", values = { ann = \'A\' }, default = "CAST(n AS text)" }'),
        ("true", "k", "word = { expr = \"word\", values = { ann = 'A', BOB = 'B' }, default = \"'none'\" }"),
    ),
    (("true", "k", "word = \"'a'\""), ("word LIKE 'a%'", "k", 'word = "left(word, 1)"')),
]


def rows() -> list[dict[str, Any]]:
    """Sixty records, with NULLs and equal values among them."""
    chance = random.Random(7)
    choices: dict[str, list[Any]] = {
        "word": ["ann", "a", "BOB", "", None],
        "n": [0, 1, 3, 5, None],
        "price": [0, "1.04", "2.50", "12.35", None],
        "share": [0.0, 2.5, "12.35", None],
        "flag": [True, False, None],
        "day": ["2026-01-02", "2026-07-01", None],
        "at": ["2026-01-02T10:00:00+00:00", "2026-07-02T10:00:00+00:00", None],
        "doc": [{"a": 1}, None],
        "guid": ["6ba7b810-9dad-11d1-80b4-00c04fd430c8", None],
    }
    return [
        {"k": f"k{number}", **{name: chance.choice(values) for name, values in choices.items()}}
        for number in range(60)
    ]


def candidate(connection: psycopg.Connection, folder: Path, said: tuple[str, str, str]) -> RuleSet:
    when, key, mapped = said
    (folder / "orgstream.toml").write_text(RULE.format(name="r", when=when, key=key, map=mapped))
    return validate(connection, folder).require()


def outcome(rule_set: RuleSet, rule: Rule, record: dict[str, Any]) -> dict[str, Any] | None:
    """What the stages would have the target hold of a record; None where the rule does not take it."""
    source: Table = next(table for table in rule_set.tables if table.name == rule.source)
    trial = Trial(rule_set, rule)
    found = trial.run(change_of(source, None, record))
    assert found.reject is None, found.reject
    if found.kind is not Kind.ENTER or found.write is None:
        return None
    types = {column.name: column.type for column in trial.rule.target.columns}
    written = {**found.write.values, **dict(zip(rule.key, found.write.key, strict=True))}
    return {name: column_value(value, types[name]) for name, value in written.items()}


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_postgres_counts_what_the_stages_would_do(
    connection: psycopg.Connection,
    tmp_path: Path,
    before: tuple[str, str, str],
    after: tuple[str, str, str],
) -> None:
    connection.execute(TABLES)
    records = rows()
    connection.execute(
        "INSERT INTO emea.thing SELECT * FROM json_populate_recordset(NULL::emea.thing, %s)",
        [msgspec.json.encode(records).decode()],
    )
    connection.execute("SET timezone = 'UTC'")
    was, now = (candidate(connection, tmp_path, said) for said in (before, after))
    stored = [row for (row,) in connection.execute("SELECT row_to_json(t) FROM emea.thing AS t ORDER BY k")]
    pairs = [(outcome(was, was.rules[0], row), outcome(now, now.rules[0], row)) for row in stored]
    expected = Touched(
        enter=sum(old is None and new is not None for old, new in pairs),
        leave=sum(old is not None and new is None for old, new in pairs),
        change=sum(old is not None and new is not None and old != new for old, new in pairs),
    )
    assert expected != Touched()
    change = RuleChange("changed", was.rules[0], now.rules[0])
    assert Counter(connection, 5).count(change, now) == expected
