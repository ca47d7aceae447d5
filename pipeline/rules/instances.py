"""From one [[rules]] of a file to the rules it stands for: one for each value of `for`, and for each `to`."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from pipeline.rules.document import Node
from pipeline.rules.fill import Filling
from pipeline.rules.section import Section
from stages.rules.place import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stages.rules.place import Fault

FOR: Final = "for"
_PARAMETER: Final = re.compile(r"[A-Za-z_]\w*")
_EXAMPLE: Final = 'for example for = { org = ["us", "apac"] }'
_Values = dict[str, str]


class Instance(msgspec.Struct, frozen=True):
    """A rule as it would stand alone in the file, and how faults name it."""

    node: Node
    label: str


def instances(node: Node, number: int, faults: list[Fault]) -> list[Instance]:
    """The rules that a [[rules]] stands for; `number` names one that has no name."""
    label = _name(node) or f"#{number}"
    if FOR not in node.value:
        return list(_targets(node, label, "", faults))
    found: list[Instance] = []
    section = Section(node, faults, label)
    for values in _fillings(section):
        filling = Filling(values, faults, label)
        others = Node({key: inner for key, inner in node.value.items() if key != FOR}, node.place)
        said = ", ".join(f"{name} = {value}" for name, value in values.items())
        filled = filling.node(others)
        found += _targets(filled, _name(filled) or f"#{number}", f" ({said})", faults)
    return found


def _name(node: Node) -> str | None:
    name = node.value["name"].value if "name" in node.value else None
    return name.value if isinstance(name, Text) and name.value else None


def _targets(node: Node, label: str, said: str, faults: list[Fault]) -> Iterator[Instance]:
    """One rule for each target; where `to` is an array, the target is part of the rule's name."""
    section = Section(node, faults, label + said)
    if section.kind("to") is not list:
        yield Instance(node, label + said)
        return
    targets = section.texts("to") or []
    if not section.is_filled("to"):
        section.fault(section.place_of("to"), "`to` names no table", 'for example to = ["us.account"]')
    for target in targets:
        name = f"{label}/{target.value}"
        changed: dict[str, Node] = {"to": Node(target, section.place_of("to"))}
        if _name(node) is not None:
            written = node.value["name"]
            changed["name"] = Node(msgspec.structs.replace(written.value, value=name), written.place)
        yield Instance(Node(node.value | changed, node.place), name + said)


def _fillings(section: Section) -> Iterator[_Values]:
    """Every set of values: all combinations of a table of arrays, or the tables of an array."""
    if section.kind(FOR) is list:
        yield from _listed(section)
        return
    inner = section.section(FOR)
    if inner is None:
        return
    for name in inner:
        _check_name(inner, name)
        if inner.kind(name) is list and not inner.is_filled(name):
            inner.fault(inner.place_of(name), f"`for` gives `{name}` no value", _EXAMPLE)
    if not list(inner):
        section.fault(section.place_of(FOR), "`for` names no parameter", _EXAMPLE)
        return
    choices = [[text.value for text in inner.texts(name) or []] for name in inner]
    for chosen in itertools.product(*choices):
        yield dict(zip(inner, chosen, strict=True))


def _listed(section: Section) -> Iterator[_Values]:
    sections = section.sections(FOR)
    if not section.is_filled(FOR):
        section.fault(section.place_of(FOR), "`for` names no parameter", _EXAMPLE)
    names = {name: None for table in sections for name in table}
    for table in sections:
        for name in names:
            if name in table:
                _check_name(table, name)
            else:
                table.fault(
                    table.place, f"`{name}` is missing here", "give each of `for` the same parameters"
                )
        values: dict[str, Any] = {name: table.text(name) for name in table}
        if values.keys() == names.keys() and None not in values.values():
            yield {name: text.value for name, text in values.items()}


def _check_name(section: Section, name: str) -> None:
    if not _PARAMETER.fullmatch(name):
        message = f"`{name}` cannot name a parameter"
        section.fault(section.place_of(name), message, "use letters, digits and _, as {org} has")
