"""One [[rules]] for many rules: `for` with its placeholders, and several `to`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.rules.declare import declare
from pipeline.rules.document import parse
from stages.rules.place import Text, merged

if TYPE_CHECKING:
    from stages.rules.declared import DeclaredRule

SPOKES = """
[[rules]]
for  = { org = ["us", "apac"] }
name = "accounts-emea-to-{org}"
from = "emea.account"
to   = "{org}.account"
when = "region__c = '{org}'"
key  = { "{org}_id__c" = "ext_id__c" }
[rules.map]
note = "'{{org}} {} {\\"a\\": {\\"b\\": 1}}'"
"""


def rules_of(text: str) -> tuple[list[DeclaredRule], list[str]]:
    declared, faults = declare([parse(text.encode(), "1.toml")])
    return list(declared.rules), [str(fault) for fault in merged(faults)]


def value(text: Text | None) -> str | None:
    return text.value if text else None


def test_a_rule_for_each_value() -> None:
    (us, apac), faults = rules_of(SPOKES)
    assert not faults
    assert [value(rule.name) for rule in (us, apac)] == ["accounts-emea-to-us", "accounts-emea-to-apac"]
    assert (value(apac.target), value(apac.when)) == ("apac.account", "region__c = 'apac'")
    assert list(apac.key or {}) == ["apac_id__c"]
    assert apac.label == "accounts-emea-to-apac (org = apac)"
    assert us.place == apac.place


def test_the_tests_of_a_rule_are_filled_too() -> None:
    test = '[[rules.tests]]\nname = "of {org}"\ngiven = { "{org}__c" = "{org}-1" }\nexpect = "none"\n'
    (_, apac), faults = rules_of(SPOKES + test)
    assert not faults
    (found,) = apac.tests
    given = {name: cell.value for name, cell in (found.after or {}).items()}
    assert (found.label, given) == ('test "of apac"', {"apac__c": "apac-1"})


def test_other_braces_stay() -> None:
    (us, _), _ = rules_of(SPOKES)
    assert value((us.map or {})["note"].expr) == """'{org} {} {"a": {"b": 1}}'"""


def test_all_combinations_of_several_parameters() -> None:
    both = SPOKES.replace('"us", "apac"] }', '"us", "apac"], object = ["account", "contact"] }')
    rules, faults = rules_of(
        both.replace("emea.account", "emea.{object}").replace("to-{org}", "{object}-{org}")
    )
    assert not faults
    names = [value(rule.name) for rule in rules]
    assert names == [
        f"accounts-emea-{object_}-{org}" for org in ("us", "apac") for object_ in ("account", "contact")
    ]


def test_values_that_belong_together() -> None:
    listed = SPOKES.replace(
        '{ org = ["us", "apac"] }', """[{ org = "us", zone = "A" }, { org = "apac", zone = "it''s" }]"""
    )
    (us, apac), faults = rules_of(listed.replace("region__c = '{org}'", "region__c = '{zone}'"))
    assert not faults
    assert (value(us.when), value(apac.when)) == ("region__c = 'A'", "region__c = 'it''s'")


def test_a_rule_for_each_target() -> None:
    text = SPOKES.replace('to   = "{org}.account"', 'to   = ["{org}.account", "hub.account"]')
    rules, faults = rules_of(text)
    assert not faults
    assert [(value(rule.name), value(rule.target)) for rule in rules[2:]] == [
        ("accounts-emea-to-apac/apac.account", "apac.account"),
        ("accounts-emea-to-apac/hub.account", "hub.account"),
    ]
    assert rules[3].label == "accounts-emea-to-apac/hub.account (org = apac)"


def test_a_fault_is_placed_where_the_template_has_it() -> None:
    (us, apac), _ = rules_of(
        SPOKES.replace("region__c = '{org}'", "region__c = '{org}' AND nothing = '{org}'")
    )
    for rule in (us, apac):
        assert rule.when is not None
        at = rule.when.value.index("nothing") + 1
        assert rule.when.at(1, at).column == 1 + len("""when = "region__c = '{org}' AND """)
        inside = rule.when.value.index("'") + 3
        assert rule.when.at(1, inside).column == 1 + len("""when = "region__c = '""")


def test_places_in_a_template_of_several_lines() -> None:
    text = SPOKES.replace('''"region__c = '{org}'"''', '''"""\na = '{org}'\nAND b = '{org}' AND c"""''')
    (rule, _), _ = rules_of(text)
    assert rule.when is not None
    line = rule.when.value.splitlines()[1]
    place = rule.when.at(2, line.index("c") + 1)
    assert (place.line, place.column) == (9, 1 + len("AND b = '{org}' AND "))


@pytest.mark.parametrize(
    ("before", "after", "faults"),
    [
        (
            'for  = { org = ["us", "apac"] }',
            "for = 1",
            ["3: rule {0}: `for` must be a table, not a whole number"],
        ),
        (
            '{ org = ["us", "apac"] }',
            "{}",
            ["3: rule {0}: `for` names no parameter (for example for = {{ org"],
        ),
        (
            '{ org = ["us", "apac"] }',
            "[]",
            ["3: rule {0}: `for` names no parameter (for example for = {{ org"],
        ),
        ('["us", "apac"]', "[]", ["3: rule {0}: `for` gives `org` no value (for example"]),
        ('["us", "apac"]', '"us"', ["3: rule {0}: `org` must be an array, not a string"]),
        ('{ org = ["us", "apac"] }', '{ org = ["us"], "a b" = ["c"] }', ["3: rule {0}: `a b` cannot name a"]),
        (
            '{ org = ["us", "apac"] }',
            '[{ org = "us", x = "1" }, { org = "apac" }]',
            ["3: rule {0}: `x` is missing here (give each of `for` the same parameters)"],
        ),
        (
            "region__c = '{org}'",
            "'{ogr}'",
            ["7: rule {0}: `{{ogr}}` is no parameter of the rule's `for` (did you mean `org`?)"],
        ),
        (
            'name = "accounts-emea-to-{org}"',
            'name = "accounts"',
            ["4: rule accounts (org = apac): it is said for accounts (org = us) too (put a parameter of"],
        ),
        (
            'when = "',
            'whem = "',
            ["7: rule accounts-emea-to-us (org = us) and 1 more: unknown key `whem` (did"],
        ),
        (
            '"{org}.account"',
            "[]",
            ["6: rule accounts-emea-to-us (org = us) and 1 more: `to` names no table (for"],
        ),
    ],
)
def test_faults_of_for(before: str, after: str, faults: list[str]) -> None:
    _, found = rules_of(SPOKES.replace(before, after))
    expected = ["1.toml:" + fault.format("accounts-emea-to-{org}") for fault in faults]
    assert len(found) == len(expected)
    assert all(said.startswith(start) for said, start in zip(found, expected, strict=True)), found
