"""What a rule writes: its `map` and its conflict policies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast, get_args

from stages.rules.declared import DeclaredMapping
from stages.rules.model import Missing, Policy

if TYPE_CHECKING:
    from pipeline.rules.section import Section

KEYS: Final = {"expr", "values", "default", "lookup", "where", "take", "missing", "conflict"}
#: Until conflicts are decided, the source's change wins; of the policies only these mean just that.
_SUPPORTED_POLICIES: Final = {"newest", "source"}


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
        section.fault(
            section.place_of("lookup"), "`lookup` is not supported yet", f"map `{column}` by an expression"
        )
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


def declare_conflict(section: Section) -> Policy | None:
    """The conflict policy of a rule or a column."""
    policy = section.choice("conflict", get_args(Policy))
    if policy is not None and policy not in _SUPPORTED_POLICIES:
        message = f'`conflict = "{policy}"` is not supported yet'
        section.fault(
            section.place_of("conflict"), message, "until it is, the source's change wins: remove it"
        )
    return cast("Policy | None", policy)
