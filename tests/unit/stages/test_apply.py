"""Planning a batch: its statements do to a table what its writes, one after the other, would do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hypothesis
import msgspec
import pytest
from hypothesis import strategies as st

from stages.apply import Plan, plan_writes
from stages.change import Change, Operation
from stages.fold import Effect
from stages.hold import Holds
from stages.passage import Passage
from stages.reject import Cause, Reject
from stages.rules.closures import Columns
from stages.rules.compile import CompiledRule, CompiledRules
from stages.rules.model import Rule, Table, TableName
from stages.write import Action, Write

if TYPE_CHECKING:
    from stages.layers import Statement

Key = tuple[Any, ...]
Rows = dict[Key, dict[str, Any]]
Routed = tuple[str, Write]  # the org it came from, and the write

COLUMNS = {1: ("x", "y"), 2: ("y", "z")}  # by rule


def compiled(number: int, keys: tuple[str, ...] = ("k",)) -> CompiledRule:
    """A rule that writes to us.t; no expression of it is needed here."""
    target = TableName("us", "us", "t")
    rule = Rule(
        id=number,
        name=f"r{number}",
        version=3,
        source=target,
        target=target,
        key=dict.fromkeys(keys, "k"),
        map={},
    )
    table = Table(target, "plain", ())
    return CompiledRule(rule, table, table, frozenset(), tuple(rule.key), None, (), Columns({}, ()), (), ())


RULES = CompiledRules(
    version=1,
    tables={},
    by_id={1: compiled(1), 2: compiled(2), 3: compiled(3, ("other",))},
    org_of={"emea": "emea", "apac": "apac"},
)


def plan(writes: list[Routed], applied: frozenset[tuple[int, int]] = frozenset()) -> Plan:
    """The plan of a batch in which each write is one change."""
    batch = [
        Passage(1, Change(number, org, "t", Operation.UPDATE, "application", ""), writes=(write,))
        for number, (org, write) in enumerate(writes, 1)
    ]
    return plan_writes(batch, RULES, Holds({}), applied=applied)


class KeyTaken(Exception):
    """Raised where Postgres would refuse a rename to a key that is taken."""


def one_by_one(rows: Rows, writes: list[Routed]) -> Rows:
    """What the writes mean."""
    rows = {key: dict(row) for key, row in rows.items()}
    for _, write in writes:
        if write.action is Action.DELETE:
            rows.pop(write.key, None)
            continue
        if write.old_key is not None and write.old_key in rows:
            move(rows, write.old_key, write.key)
        if write.key in rows:
            names = write.changed if write.action is Action.UPDATE else tuple(write.values)
            rows[write.key] |= {name: write.values[name] for name in names}
        elif write.revives:
            rows[write.key] = dict(write.values)
    return rows


def move(rows: Rows, old: Key, new: Key) -> None:
    if new in rows and new != old:
        raise KeyTaken
    rows[new] = rows.pop(old)


def executed(rows: Rows, statements: tuple[Statement, ...]) -> Rows:
    """What the statements do, as Postgres does it: each sees the table as it was before it."""
    rows = {key: dict(row) for key, row in rows.items()}
    for statement in statements:
        keys = [record.key for record in statement.records]
        assert len(keys) == len(set(keys)), "a statement may write each row once only"
        for record in statement.records:
            if statement.effect is Effect.RENAME:
                assert record.old_key is not None
                if record.old_key in rows:
                    move(rows, record.old_key, record.key)
            elif statement.effect is Effect.DELETE:
                rows.pop(record.key, None)
            elif record.key in rows:
                source = record.update if statement.effect is Effect.UPDATE else record.insert
                rows[record.key] |= {name: source[name] for name in statement.update_columns}
            elif statement.effect is Effect.UPSERT or statement.insert_columns:
                rows[record.key] = {name: record.insert[name] for name in statement.insert_columns}
    return rows


keys = st.sampled_from([("a",), ("b",), ("c",)])
orgs = st.sampled_from(["emea", "apac"])


@st.composite
def write(draw: st.DrawFn) -> Routed:
    """Any write of one of two rules that share a table and one column."""
    rule = draw(st.sampled_from([1, 2]))
    key = draw(keys)
    values = {name: draw(st.integers(0, 9)) for name in COLUMNS[rule]}
    kind = draw(st.sampled_from(["upsert", "update", "update", "rename", "delete", "set"]))
    if kind == "upsert":
        return draw(orgs), Write(rule, Action.UPSERT, key, values)
    if kind == "delete":
        return draw(orgs), Write(rule, Action.DELETE, key)
    if kind == "set":
        return draw(orgs), Write(rule, Action.UPDATE, key, values, tuple(values), revives=False)
    changed = tuple(draw(st.lists(st.sampled_from(COLUMNS[rule]), unique=True)))
    old = draw(keys.filter(lambda other: other != key)) if kind == "rename" else None
    return draw(orgs), Write(rule, Action.UPDATE, key, values, changed, old)


tables = st.dictionaries(keys, st.fixed_dictionaries({"x": st.just(-1), "y": st.just(-2), "z": st.just(-3)}))


@hypothesis.settings(max_examples=500)
@hypothesis.given(tables, st.lists(write(), max_size=8))
def test_the_statements_do_what_the_writes_mean(rows: Rows, writes: list[Routed]) -> None:
    try:
        wanted = one_by_one(rows, writes)
    except KeyTaken:
        hypothesis.reject()
    assert executed(rows, plan(writes).statements) == wanted


def test_the_check_finds_a_plan_in_the_wrong_order() -> None:
    writes = [
        ("emea", Write(1, Action.DELETE, ("a",))),
        ("emea", Write(1, Action.UPDATE, ("a",), {"x": 1, "y": 1}, ("x",), ("b",))),
    ]
    rows: Rows = {("a",): {"x": 0, "y": 0}, ("b",): {"x": 5, "y": 5}}
    statements = plan(writes).statements
    assert executed(rows, statements) == one_by_one(rows, writes)
    with pytest.raises(KeyTaken):
        executed(rows, statements[::-1])


def test_a_batch_of_the_same_kind_is_one_statement() -> None:
    writes = [("emea", Write(1, Action.UPSERT, (n,), {"x": n, "y": n})) for n in range(100)]
    (statement,) = plan(writes).statements
    assert (statement.effect, len(statement.records)) == (Effect.UPSERT, 100)


def test_two_rules_on_one_row_are_one_record() -> None:
    writes = [
        ("emea", Write(1, Action.UPSERT, ("a",), {"x": 1, "y": 1})),
        ("emea", Write(2, Action.UPSERT, ("a",), {"y": 2, "z": 2})),
    ]
    (statement,) = plan(writes).statements
    assert [record.insert for record in statement.records] == [{"x": 1, "y": 2, "z": 2}]


def test_only_changed_columns_are_updated() -> None:
    (statement,) = plan([("emea", Write(1, Action.UPDATE, ("a",), {"x": 1, "y": 2}, ("y",)))]).statements
    assert (statement.insert_columns, statement.update_columns) == (("x", "y"), ("y",))


def test_a_rule_that_maps_nothing_but_its_key_makes_the_row() -> None:
    (statement,) = plan([("emea", Write(1, Action.UPSERT, ("a",)))]).statements
    assert (statement.effect, statement.insert_columns) == (Effect.UPSERT, ())


def test_rules_that_know_records_by_different_columns_take_turns() -> None:
    writes = [
        ("emea", Write(1, Action.UPSERT, ("a",), {"x": 1})),
        ("emea", Write(3, Action.UPDATE, ("b",), {"x": 2}, ("x",))),
        ("emea", Write(1, Action.UPSERT, ("c",), {"x": 3})),
    ]
    found = [(statement.rule.key_columns, statement.effect) for statement in plan(writes).statements]
    assert found == [(("k",), Effect.UPSERT), (("other",), Effect.UPDATE), (("k",), Effect.UPSERT)]


def test_each_path_has_statements_of_its_own() -> None:
    writes = [(org, Write(1, Action.UPSERT, (org,), {"x": 1})) for org in ("emea", "apac")]
    assert sorted(statement.path for statement in plan(writes).statements) == [("apac",), ("emea",)]


def test_the_ledger_names_every_write_and_its_version() -> None:
    writes: list[Routed] = [("emea", Write(rule, Action.DELETE, ("a",))) for rule in (1, 2)]
    assert [(e.change_id, e.rule_id, e.rule_version) for e in plan(writes).ledger] == [(1, 1, 3), (2, 2, 3)]


def test_what_the_ledger_holds_is_left_out() -> None:
    writes: list[Routed] = [("emea", Write(1, Action.UPSERT, (n,), {"x": n})) for n in range(2)]
    found = plan(writes, frozenset({(1, 1)}))
    assert [record.key for statement in found.statements for record in statement.records] == [(1,)]
    assert [entry.change_id for entry in found.ledger] == [2]


def test_a_change_that_comes_twice_in_one_batch_counts_once() -> None:
    change = Change(7, "emea", "t", Operation.INSERT, "application", "")
    passage = Passage(1, change, writes=(Write(1, Action.UPSERT, ("a",), {"x": 1}),))
    found = plan_writes([passage, passage], RULES, Holds({}), applied=frozenset())
    assert [entry.change_id for entry in found.ledger] == [7]


def test_rejects_pass_through() -> None:
    fault = Reject(None, "stream", Cause.UNREADABLE, "no")
    found = plan_writes([Passage(1, rejects=(fault,))], RULES, Holds({}), applied=frozenset())
    assert (found.rejects, found.ledger, found.statements) == ((fault,), (), ())


def test_parents_are_made_first_and_go_last_where_heroku_connect_sends_them() -> None:
    """The batch names a contact first; the rules name accounts before contacts."""
    rules = CompiledRules(
        version=1,
        tables={},
        by_id={n: msgspec.structs.replace(behind_connect(n, t), place=n) for n, t in ((1, "a"), (2, "c"))},
        org_of={"emea": "emea"},
    )
    for action, expected in ((Action.UPSERT, ["a", "c"]), (Action.DELETE, ["c", "a"])):
        writes = [Write(2, action, ("x",), {"y": 1}), Write(1, action, ("x",), {"y": 1})]
        batch = [
            Passage(1, Change(n, "emea", "t", Operation.UPDATE, "application", ""), writes=(write,))
            for n, write in enumerate(writes, 1)
        ]
        statements = plan_writes(batch, rules, Holds({}), applied=frozenset()).statements
        assert [statement.rule.target.name.name for statement in statements] == expected


def behind_connect(number: int, table: str) -> CompiledRule:
    """A rule that writes to a table of Heroku Connect."""
    rule = compiled(number)
    target = msgspec.structs.replace(
        rule.target, name=TableName("us", "us", table), connector="heroku-connect"
    )
    return msgspec.structs.replace(rule, target=target)
