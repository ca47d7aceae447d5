"""What a rule writes: its `map` and its conflict policies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast, get_args

from stages.rules.declared import DeclaredMapping
from stages.rules.model import Missing, Policy

if TYPE_CHECKING:
    from pipeline.rules.section import Section

KEYS: Final = {"expr", "values", "default", "lookup", "where", "take", "missing", "conflict"}


def declare_map(section: Section) -> dict[str, DeclaredMapping] | None:
    """The rule's `map`: an expression or a table for each target column."""
    inner = section.section("map")
    if inner is None:
        return None
    mappings: dict[str, DeclaredMapping] = {}
    for column in inner:
        table = inner.section(column) if inner.kind(column) is dict else None
        text = inner.text(column) if table is None else None
        if table is not None:
            mappings[column] = _mapping(column, table)
        elif text is not None:
            mappings[column] = DeclaredMapping(inner.place_of(column), expr=text)
    return mappings


def _mapping(column: str, section: Section) -> DeclaredMapping:
    section.only(KEYS)
    mapping = DeclaredMapping(
        section.place,
        section.places,
        section.text("expr"),
        section.text_table("values"),
        section.text("default"),
        section.text("lookup"),
        section.text_table("where"),
        section.text("take"),
        cast("Missing | None", section.choice("missing", get_args(Missing))),
        declare_conflict(section),
    )
    if "lookup" in section:
        _check_lookup(section, mapping)
        return mapping
    section.require("expr", f'expr = "{column}"')
    for key in ("where", "take", "missing"):
        if key in section:
            section.fault(section.place_of(key), f"`{key}` belongs to a `lookup`", "remove it")
    if "default" in section and "values" not in section:
        section.fault(
            section.place_of("default"), "`default` belongs to `values`", "use COALESCE in `expr` for NULL"
        )
    return mapping


def _check_lookup(section: Section, mapping: DeclaredMapping) -> None:
    section.require("where", 'where = { username = "owner_username__c" }')
    section.require("take", 'take = "sfid"')
    for key in ("expr", "values"):
        if key in section:
            advice = "write the expression in `where`" if key == "expr" else "remove it"
            section.fault(section.place_of(key), f"`{key}` has no place beside `lookup`", advice)
    if "where" in section and not section.is_filled("where"):
        section.fault(
            section.place_of("where"), "`where` names no column", 'for example where = { sfid = "ownerid" }'
        )
    if mapping.missing == "default":
        section.require("default", "default = \"'005000000000000AAA'\"")
    elif "default" in section:
        message = '`default` is only taken with missing = "default"'
        section.fault(section.place_of("default"), message, 'write missing = "default", or remove it')


def declare_conflict(section: Section) -> Policy | None:
    """The conflict policy of a rule or a column."""
    return cast("Policy | None", section.choice("conflict", get_args(Policy)))
