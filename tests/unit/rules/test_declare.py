"""The form of a rules file: unknown keys, missing keys, wrong types; each where it stands."""

from __future__ import annotations

from datetime import date

import pytest

from pipeline.rules.declare import declare
from pipeline.rules.document import parse
from stages.change import Operation
from stages.rules.declared import Declared, DeclaredLimit, DeclaredSet

ORGS = '[orgs.emea]\nschema = "emea"\n[orgs.us]\nschema = "us"\n'
RULE = '[[rules]]\nname = "accounts"\nfrom = "emea.account"\nto = "us.account"\nkey = { x = "x" }\n'
LOOKUP = "lookup = 'us.u', take = 'b', where = { a = 'b' }"


def declared(*files: str) -> tuple[Declared, list[str]]:
    documents = [parse(text.encode(), f"{number}.toml") for number, text in enumerate(files, start=1)]
    found, faults = declare(documents)
    return found, [str(fault) for fault in faults]


def faults_of(text: str) -> list[str]:
    return declared(text)[1]


def test_a_rule_with_all_defaults() -> None:
    found, faults = declared(ORGS + RULE + 'map = { name = "upper(name)" }')
    assert not faults
    (rule,) = found.rules
    assert rule.on == (Operation.INSERT, Operation.UPDATE, Operation.DELETE)
    assert (rule.on_delete, rule.on_unmatched, rule.conflict) == ("delete", "leave", "newest")
    assert (rule.priority, rule.enabled, rule.origins, rule.when) == (0, True, (), None)


def test_a_rule_with_everything_said() -> None:
    said = """
    when = "a = 1"
    on = ["delete", "insert"]
    on_delete = { set = { active__c = "false" } }
    on_unmatched = "delete"
    conflict = "source"
    priority = 10
    enabled = false
    origins = ["salesforce"]
    max_deletes = { count = 1000, share = 0.2 }
    breaker = 50
    [[rules.tests]]
    name = "a sale"
    before = { stage = "New" }
    after = { stage = "Open", day = 2026-01-02 }
    expect = "inside"
    values = { status = "New" }
    nulls = ["name"]
    [rules.map]
    name = "name"
    status = { expr = "stage", values = { Open = "New" }, default = "'Other'", conflict = "newest" }
    """
    found, faults = declared(ORGS + RULE + said)
    assert not faults
    (rule,) = found.rules
    assert rule.on == (Operation.INSERT, Operation.DELETE)
    assert isinstance(rule.on_delete, DeclaredSet)
    assert rule.on_delete.columns["active__c"].value == "false"
    assert (rule.on_unmatched, rule.conflict, rule.priority) == ("delete", "source", 10)
    assert (rule.enabled, rule.origins) == (False, ("salesforce",))
    assert (rule.max_deletes, rule.breaker) == (DeclaredLimit(1000, 0.2), 50)
    (test,) = rule.tests
    assert (test.label, {name: cell.value for name, cell in (test.after or {}).items()}) == (
        'test "a sale"',
        {"stage": "Open", "day": date(2026, 1, 2)},
    )
    status = (rule.map or {})["status"]
    assert status.values is not None
    assert status.default is not None
    assert (status.values["Open"].value, status.default.value) == ("New", "'Other'")


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("form = 1", "unknown key `form` (did you mean `from`?)"),
        ("priority = 1.5", "`priority` must be a whole number, not a number"),
        ("priority = true", "`priority` must be a whole number, not true or false"),
        ('enabled = "no"', "`enabled` must be true or false, not a string"),
        ("when = true", '`when` must be a string, not true or false (write `when = "true"`)'),
        ("when = 2024-01-01", "`when` must be a string, not a date or time"),
        ('on = "insert"', "`on` must be an array, not a string"),
        ("on = [1]", "`on` must be an array of strings; this is a whole number"),
        ("on = []", "`on` names no operation (to switch a rule off, write enabled = false)"),
        ('on = ["upsert"]', '`on` cannot be "upsert" (did you mean `insert`?)'),
        ('on = ["Insert"]', '`on` cannot be "Insert" (did you mean `insert`?)'),
        ('on_delete = "leave"', '`on_delete` cannot be "leave" (known: delete, ignore)'),
        ("on_delete = {}", '`set` is missing (for example set = { active__c = "false" })'),
        ("on_delete = { set = {} }", '`set` names no column (for example set = { active__c = "false" })'),
        ("on_delete = { ste = { a = 'b' }, set = { a = 'b' } }", "unknown key `ste` (did you mean `set`?)"),
        ('on_unmatched = "ignore"', '`on_unmatched` cannot be "ignore" (known: delete, leave)'),
        ('conflict = "newset"', '`conflict` cannot be "newset" (did you mean `newest`?)'),
        ('origins = ["sales"]', '`origins` cannot be "sales" (did you mean `salesforce`?)'),
        ("max_deletes = {}", "`max_deletes` names no limit (for example max_deletes = { count = 1000, share"),
        ("max_deletes = true", "`max_deletes` must be a table, not true or false"),
        ("max_deletes = { cuont = 5, share = 1 }", "unknown key `cuont` (did you mean `count`?)"),
        ("max_deletes = { count = -1 }", "`count` cannot be negative (0 holds every delete)"),
        ('max_deletes = { count = "5" }', "`count` must be a whole number, not a string"),
        ("max_deletes = { share = 20 }", "`share` must be from 0 to 1 (a fifth is share = 0.2)"),
        ('max_deletes = { share = "1" }', "`share` must be a number, not a string"),
        ("breaker = 0", "`breaker` must be 1 or more (for example breaker = 100)"),
        ("breaker = true", "`breaker` must be a whole number, not true or false"),
        ("template = 'x'", "unknown key `template` (write one rule with parameters: for = { org = ["),
        ("tests = 1", "`tests` must be an array of tables (begin each test with [[rules.tests]])"),
        ("tests = [1]", "`tests` must be an array of tables; this is a whole number"),
        ("tests = [{ given = {} }]", '`expect` is missing (for example expect = "enter")'),
        ("tests = [{ expect = 'enter' }]", "there is no record to test with (for example given = {"),
        ("tests = [{ given = {}, expect = 'entre' }]", '`expect` cannot be "entre" (did you mean `enter`?)'),
        ("tests = [{ given = {}, cause = 'nokey' }]", '`cause` cannot be "nokey" (did you mean `no-key`?)'),
        ("tests = [{ given = {}, cause = 'no-key', nulls = ['a'] }]", "`cause` and `values` exclude each"),
        ("tests = [{ given = {}, after = {}, expect = 'none' }]", "has no place beside `after` (write `befo"),
        (
            "tests = [{ givn = {}, after = {}, expect = 'none' }]",
            "unknown key `givn` (did you mean `given`?)",
        ),
        ("map.a = 1", '`a` must be a string, not a whole number (write `a = "1"`)'),
        ("map.a = { lookup = 'us.u', where = { a = 'b' } }", '`take` is missing (for example take = "sfid")'),
        ("map.a = { lookup = 'us.u', take = 'b' }", "`where` is missing (for example where = { username ="),
        ("map.a = { lookup = 'us.u', take = 'b', where = {} }", "`where` names no column (for example"),
        (f"map.a = {{ {LOOKUP}, expr = 'a' }}", "`expr` has no place beside `lookup` (write the expression"),
        (f"map.a = {{ {LOOKUP}, default = 'a' }}", '`default` is only taken with missing = "default" (write'),
        (f"map.a = {{ {LOOKUP}, missing = 'default' }}", "`default` is missing (for example default ="),
        (f"map.a = {{ {LOOKUP}, missing = 'wiat' }}", '`missing` cannot be "wiat" (did you mean `wait`?)'),
        ("map.a = { exp = 'b', expr = 'b' }", "unknown key `exp` (did you mean `expr`?)"),
        ("map.a = {}", '`expr` is missing (for example expr = "a")'),
        ("map.a = { expr = 'a', take = 'b' }", "`take` belongs to a `lookup` (remove it)"),
        (
            "map.a = { expr = 'a', default = 'b' }",
            "`default` belongs to `values` (use COALESCE in `expr` for NULL)",
        ),
    ],
)
def test_a_fault_of_form(line: str, fault: str) -> None:
    mapped = line if line.startswith("map.") else f"map = {{}}\n{line}"
    (found,) = faults_of(ORGS + RULE + mapped)
    assert fault in found.split("rule accounts: ")[-1]


@pytest.mark.parametrize("key", ["name", "from", "to", "key"])
def test_a_missing_key(key: str) -> None:
    rule = "\n".join(line for line in RULE.splitlines() if not line.startswith(f"{key} ="))
    (fault,) = faults_of(f"{ORGS}{rule}\nmap = {{}}")
    label = "#1" if key == "name" else "accounts"
    assert fault.startswith(f"1.toml:5: rule {label}: `{key}` is missing (for example {key} = ")


def test_an_empty_key_and_a_missing_map() -> None:
    faults = faults_of(ORGS + RULE.replace('{ x = "x" }', "{}"))
    assert [fault.split(": ", 2)[2].split(" (")[0] for fault in faults] == [
        "`map` is missing",
        "`key` names no column",
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("rules = 1", "1.toml:1: `rules` must be an array of tables (begin each rule with [[rules]])"),
        ("rules = [1]", "1.toml:1: a rule must be a table, not a whole number"),
        ("[[templates]]", "1.toml:1: unknown key `templates` (write one rule with parameters: for = {"),
        ("[rule]", "1.toml:1: unknown key `rule` (did you mean `rules`?)"),
        ("[orgs]\nemea = 1", "1.toml:2: `emea` must be a table, not a whole number"),
        ("[orgs.a]", '1.toml:1: `schema` is missing (for example schema = "a")'),
        ("[orgs.'a.b']\nschema = 'x'", "1.toml:1: `a.b` cannot name an org (use letters, digits, _ and -)"),
        (
            "[orgs.a]\nschema = 'a'\nconnector = 'heroku'",
            '1.toml:3: `connector` cannot be "heroku" (did you mean `heroku-connect`?)',
        ),
        (
            "[orgs.a]\nschema = 'a'\ntables.t = {}",
            '1.toml:3: `identity` is missing (for example identity = ["ext_id__c"])',
        ),
        (
            "[orgs.a]\nschema = 'a'\ntables.t.identity = []",
            "1.toml:3: `identity` names no column (name one, or remove the key)",
        ),
    ],
)
def test_a_fault_outside_rules(text: str, fault: str) -> None:
    (found,) = faults_of(text)
    assert found.startswith(fault)


def test_names_are_unique_across_files() -> None:
    rule = f"{RULE}map = {{}}\n"
    _, faults = declared(ORGS + rule, rule)
    (fault,) = faults
    assert fault.startswith("2.toml:2: rule accounts: another rule at 1.toml:6 has the same name")


def test_an_org_may_be_described_in_two_files_that_agree() -> None:
    more = '[orgs.emea]\nschema = "emea"\n[orgs.emea.tables.account]\nidentity = ["x"]'
    found, faults = declared(ORGS, more)
    assert not faults
    assert [column.value for column in found.orgs["emea"].tables["account"].identity] == ["x"]
    _, faults = declared(ORGS, more.replace('schema = "emea"', 'schema = "europe"'), more)
    assert faults == [
        "2.toml:2: org emea has another `schema` at 1.toml:2 (state it once)",
        "3.toml:3: table emea.account is described already at 2.toml:3 (describe it once)",
    ]
