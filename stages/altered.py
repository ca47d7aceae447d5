"""A table that was altered under a live rule: what of the rule does not fit any more, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stages.expression import SqlType, assignment, sql_type
from stages.rules.suggest import closest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from stages.rules.compile import CompiledRule
    from stages.rules.facts import TableFacts
    from stages.rules.model import Table


def altered(compiled: CompiledRule, tables: Mapping[tuple[str, str], TableFacts]) -> str | None:
    """What is wrong, for a person, with the edit of the rules file that would do; None where all fits.

    `tables` are the rule's source and target as they are now; one that is not among them is gone.
    """
    found = [*_source(compiled, tables), *_target(compiled, tables)]
    if not found:
        return None
    return (
        f"{'; '.join(found)}. Put it back, or edit the rule {compiled.rule.name} and run "
        "`orgstream rules apply`: then it goes on by itself, with what waits first"
    )


def written(compiled: CompiledRule) -> set[str]:
    """The target columns that a rule may write."""
    rule = compiled.rule
    sets = {name for name, _ in (*compiled.set_on_delete, *compiled.set_on_unmatched)}
    return {*rule.key, *rule.map, *sets}


def _source(compiled: CompiledRule, tables: Mapping[tuple[str, str], TableFacts]) -> Iterator[str]:
    known = compiled.source
    now = tables.get((known.name.schema, known.name.name))
    if now is None:
        yield f"{known.name} is gone, which `from` names"
        return
    for column, type_ in _columns(known, compiled.reads):
        new = now.column(column)
        if new is None:
            yield f"{_lacks(column, known)}, which the rule reads{_renamed(column, known, now)}"
        elif sql_type(new.type) is not sql_type(type_):
            yield f"`{column}` of {known.name} is {new.type} now, and was {type_}"


def _target(compiled: CompiledRule, tables: Mapping[tuple[str, str], TableFacts]) -> Iterator[str]:
    known = compiled.target
    now = tables.get((known.name.schema, known.name.name))
    if now is None:
        yield f"{known.name} is gone, which `to` names"
        return
    for column, type_ in _columns(known, written(compiled)):
        new = now.column(column)
        if new is None:
            yield f"{_lacks(column, known)}, which the rule writes{_renamed(column, known, now)}"
        elif not new.writable:
            yield f"`{column}` of {known.name} is generated now and cannot be written"
        elif not _takes(new.type, type_):
            yield f"`{column}` of {known.name} is {new.type} now, and was {type_}"
    if not any(set(index) == set(compiled.key_columns) for index in now.unique):
        key = ", ".join(compiled.key_columns)
        yield f"{known.name} has no unique index on ({key}) any more, by which the rule knows its records"


def _lacks(column: str, table: Table) -> str:
    return f"{table.name} has no column `{column}` any more"


def _columns(table: Table, names: Iterable[str]) -> list[tuple[str, str]]:
    wanted = set(names)
    return [(column.name, column.type) for column in table.columns if column.name in wanted]


def _takes(new: str, old: str) -> bool:
    """Whether what was written to a column of the old type can be written to one of the new."""
    if new == old:
        return True
    known = sql_type(old)
    return known is not SqlType.OTHER and assignment(known, new) is not None


def _renamed(column: str, known: Table, now: TableFacts) -> str:
    """A column that is new, and may be the same under another name."""
    before = {one.name: one.type for one in known.columns}
    new = [one.name for one in now.columns if one.name not in before]
    alike = [name for name in new if (found := now.column(name)) and found.type == before[column]]
    guess = closest(column, new) or (alike[0] if len(alike) == 1 else None)
    return f" (renamed to `{guess}`?)" if guess else ""
