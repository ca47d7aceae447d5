"""One rule of a file: its keys and their types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, cast

from pipeline.rules.declare_limits import declare_breaker, declare_max_deletes
from pipeline.rules.declare_map import declare_conflict, declare_map
from pipeline.rules.declare_tests import declare_tests
from pipeline.rules.instances import FOR
from pipeline.rules.section import Section
from stages.change import ORIGINS, Operation
from stages.rules.declared import DeclaredRule, DeclaredSet

if TYPE_CHECKING:
    from pipeline.rules.instances import Instance
    from stages.rules.place import Fault, Text

    _OnDelete = Literal["delete", "ignore"] | DeclaredSet
    _OnUnmatched = Literal["leave", "delete"] | DeclaredSet

KEYS: Final = {
    *("name", "from", "to", "when", "on", "key", "map"),
    *("on_delete", "on_unmatched", "conflict", "priority", "enabled", "origins"),
    *("max_deletes", "breaker", "tests"),
    FOR,
}
INSTEAD: Final = {
    "template": 'write one rule with parameters: for = { org = ["us", "apac"] } and {org} in its strings'
}
_OPERATIONS: Final = {
    "insert": Operation.INSERT,
    "update": Operation.UPDATE,
    "delete": Operation.DELETE,
}


def declare_rule(instance: Instance, faults: list[Fault]) -> DeclaredRule:
    """The rule, with faults of form noted under its label."""
    section = Section(instance.node, faults, instance.label)
    section.only(KEYS, INSTEAD)
    _require(section)
    return DeclaredRule(
        place=section.place,
        label=instance.label,
        name=_name(section),
        source=section.text("from"),
        target=section.text("to"),
        key=_key(section),
        map=declare_map(section),
        when=section.text("when"),
        on=_operations(section),
        on_delete=cast("_OnDelete", _or_set(section, "on_delete", ("delete", "ignore"))),
        on_unmatched=cast("_OnUnmatched", _or_set(section, "on_unmatched", ("leave", "delete"))),
        conflict=declare_conflict(section) or "newest",
        priority=section.whole("priority", 0),
        enabled=section.boolean("enabled", default=True),
        origins=tuple(_words(section, "origins", ORIGINS)),
        max_deletes=declare_max_deletes(section),
        breaker=declare_breaker(section),
        tests=tuple(declare_tests(section)),
        places=section.places,
    )


def _require(section: Section) -> None:
    section.require("name", 'name = "accounts-emea-to-us"')
    section.require("from", 'from = "emea.account"')
    section.require("to", 'to = "us.account"')
    section.require("key", 'key = { ext_id__c = "ext_id__c" }')
    section.require("map", 'map = { name = "name" }')


def _name(section: Section) -> Text | None:
    name = section.text("name")
    if name is not None and (not name.value.strip() or not name.value.isprintable() or len(name.value) > 200):
        section.fault(name.place, "a rule's name must be 1 to 200 printable characters")
    return name


def _key(section: Section) -> dict[str, Text] | None:
    key = section.text_table("key")
    if key == {} and not section.is_filled("key"):
        section.fault(
            section.place_of("key"), "`key` names no column", 'for example key = { ext_id__c = "ext_id__c" }'
        )
    return key


def _operations(section: Section) -> tuple[Operation, ...]:
    words = _words(section, "on", tuple(_OPERATIONS))
    if "on" in section and not section.is_filled("on"):
        section.fault(
            section.place_of("on"), "`on` names no operation", "to switch a rule off, write enabled = false"
        )
    return tuple(operation for word, operation in _OPERATIONS.items() if word in (words or _OPERATIONS))


def _words(section: Section, key: str, allowed: tuple[str, ...]) -> list[str]:
    """An array of known words, each once, in the order in which they are known."""
    texts = section.texts(key) or []
    for text in texts:
        if text.value not in allowed:
            section.unknown_value(key, text, allowed)
    return [word for word in allowed if any(text.value == word for text in texts)]


def _or_set(section: Section, key: str, allowed: tuple[str, ...]) -> str | DeclaredSet:
    if section.kind(key) is not dict:
        return section.choice(key, allowed) or allowed[0]
    inner = section.section(key)
    columns = None
    if inner is not None:
        inner.only({"set"})
        inner.require("set", 'set = { active__c = "false" }')
        columns = inner.text_table("set")
        if columns == {} and not inner.is_filled("set"):
            inner.fault(inner.place, "`set` names no column", 'for example set = { active__c = "false" }')
    return DeclaredSet(columns or {})
