"""Which rules are linked, and how a batch's writes are led to the rows of their records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
import pytest

from stages.hold import Holds
from stages.link import Link, LinkName, kept
from stages.links import Linked, asked_by, linked
from stages.need import Need
from stages.omit import Omitted
from stages.rules.compile import compile_rules
from stages.rules.model import Column, Mapping, Rule, RuleSet, Table, TableName
from stages.write import Action, Write
from tests.unit.stages.ruled import passage

if TYPE_CHECKING:
    from stages.passage import Passage
    from stages.rules.compile import CompiledRules

EMEA, US = TableName("emea", "emea", "account"), TableName("us", "us", "account")
COLUMNS: Final = tuple(Column(name, "text") for name in ("id", "sfid", "k", "name"))
PLAIN: Final = Table(EMEA, "plain", COLUMNS, ("k",), primary_key=("id",), unique=(("id",), ("k",)))
HEROKU: Final = Table(EMEA, "heroku-connect", COLUMNS, ("k",), unique=(("id",), ("k",), ("sfid",)))


def compiled(source: Table = PLAIN, *keys: str) -> CompiledRules:
    """Rules from one table to another by these keys."""
    rules = tuple(
        Rule(number, f"r{number}", 1, EMEA, US, {"k": key}, {"name": Mapping("name")})
        for number, key in enumerate(keys or ("k",), 1)
    )
    tables = (source, Table(US, source.connector, COLUMNS))
    return compile_rules(RuleSet(1, {"emea": "emea", "us": "us"}, tables, rules))


@pytest.mark.parametrize(
    ("source", "keys", "names"),
    [
        (PLAIN, ["k"], ("id",)),
        (PLAIN, ["COALESCE(k, id)"], ("id",)),
        (PLAIN, ["k", "k"], ("id",)),
        (HEROKU, ["k"], ("sfid",)),
        (HEROKU, ["COALESCE(k, 'emea:' || sfid)"], ("sfid",)),
    ],
)
def test_linked_rules(source: Table, keys: list[str], names: tuple[str, ...]) -> None:
    rules = compiled(source, *keys)
    assert {rule.lasting for rule in rules.by_id.values()} == {names}
    assert rules.needs == {Need.LINKS}


@pytest.mark.parametrize(
    ("source", "keys"),
    [
        (PLAIN, ["id"]),  # the key is the name
        (HEROKU, ["sfid"]),
        (PLAIN, ["name"]),  # several records may share a row
        (PLAIN, ["k", "upper(k)"]),  # a record may have two rows
        (msgspec.structs.replace(PLAIN, primary_key=()), ["k"]),  # nothing outlasts the key
    ],
)
def test_rules_that_are_not_linked(source: Table, keys: list[str]) -> None:
    rules = compiled(source, *keys)
    assert {rule.lasting for rule in rules.by_id.values()} == {()}
    assert rules.needs == frozenset()


def name(record: str) -> LinkName:
    return LinkName("emea.account", "us.account", record)


def text(key: str) -> str:
    return f'{{"k":"{key}"}}'


def write(record: str, key: str, action: Action = Action.UPSERT, rule: int = 1, **given: Any) -> Write:
    return Write(rule, action, (key,), {"name": "n"}, record=record, **given)


def led(known: dict[str, Link], *writes: tuple[int, Write], rules: CompiledRules | None = None) -> Linked:
    """What becomes of writes, each of a change of its own."""
    batch: list[Passage] = []
    for change_id, one in writes:
        given = passage(None, {"k": one.key[0]})
        assert given.change is not None
        change = msgspec.structs.replace(given.change, id=change_id)
        batch.append(msgspec.structs.replace(given, change=change, writes=(one,)))
    links = {name(record): link for record, link in known.items()}
    rules = rules or compiled()
    return linked(batch, rules, asked_by(batch, rules), links, Omitted(Holds({}), frozenset()))


def the_writes(found: Linked) -> list[tuple[str, Any, Any]]:
    return [(w.action, w.old_key and w.old_key[0], w.key[0]) for p in found.passages for w in p.writes]


def test_a_key_is_followed_through_a_batch() -> None:
    found = led({"x": Link(text("a"), 1)}, (5, write("x", "b")), (6, write("x", "b")), (7, write("x", "c")))
    assert the_writes(found) == [("upsert", "a", "b"), ("upsert", None, "b"), ("upsert", "b", "c")]
    assert found.renames
    left = kept(found.noted, {name("x"): Link(text("a"), 1)}, {(5, 1), (6, 1), (7, 1)})
    assert left.links == [(name("x"), Link(text("c"), 7), 1)]
    assert left.ended == []


def test_an_older_change_under_another_key_writes_nothing() -> None:
    found = led({"x": Link(text("b"), 5)}, (4, write("x", "a")), (3, write("x", "a", Action.DELETE)))
    assert the_writes(found) == [("none", None, "a"), ("none", None, "a")]
    assert (found.noted, found.renames) == ([], False)


def test_an_older_change_under_the_same_key_is_like_any_other() -> None:
    assert the_writes(led({"x": Link(text("b"), 5)}, (4, write("x", "b")))) == [("upsert", None, "b")]


def test_a_record_whose_row_another_one_took_makes_its_own() -> None:
    found = led({"x": Link(text("a"), 1)}, (5, write("y", "a")), (6, write("x", "b")))
    assert the_writes(found) == [("upsert", None, "a"), ("upsert", None, "b")]
    left = kept(found.noted, {name("x"): Link(text("a"), 1)}, {(5, 1), (6, 1)})
    assert left.links == [(name("x"), Link(text("b"), 6), 1), (name("y"), Link(text("a"), 5), None)]
    left = kept(
        found.noted, {name("x"): Link(text("a"), 1)}, {(5, 1)}
    )  # where the other write came to nothing
    assert left.ended == [name("x")]


def test_two_rules_rename_a_row_once() -> None:
    rules = compiled(PLAIN, "k", "k")
    found = led({"x": Link(text("a"), 1)}, (5, write("x", "b")), (5, write("x", "b", rule=2)), rules=rules)
    assert the_writes(found) == [("upsert", "a", "b"), ("upsert", None, "b")]


def test_a_row_that_bears_the_new_key_already_is_not_renamed() -> None:
    given = write("x", "b", Action.UPDATE, changed=("name",), old_key=("a",))
    assert the_writes(led({"x": Link(text("b"), 1)}, (5, given))) == [("update", None, "b")]
    assert the_writes(led({"x": Link(text("a"), 1)}, (5, given))) == [("update", "a", "b")]


def test_a_link_by_other_columns_says_nothing() -> None:
    found = led({"x": Link('{"other":"a"}', 1)}, (5, write("x", "b")))
    assert the_writes(found) == [("upsert", None, "b")]
    assert [one.link for one in found.noted] == [Link(text("b"), 5)]


def test_what_only_sets_columns_goes_to_the_row_that_is_there() -> None:
    found = led({"x": Link(text("a"), 1)}, (5, write("x", "b", Action.UPDATE, revives=False)))
    assert (the_writes(found), found.noted) == ([("update", None, "a")], [])
