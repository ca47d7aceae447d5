"""Stage three: what each rule writes. An update writes only the columns whose mapped value changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from stages.claim import claimed
from stages.expression import EvaluationError
from stages.match import reject
from stages.named import name_of, named
from stages.passage import Kind, Passage, Rows, Transition
from stages.read import read_rows
from stages.reject import Cause, Reject
from stages.rules.closures import Evaluate, Row, UnmappedValue
from stages.rules.looking import changed_of, wanted_of
from stages.rules.model import SetColumns
from stages.write import Action, Wanted, Write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stages.change import Change
    from stages.rules.compile import CompiledRule, CompiledRules

_NOTHING: Final[dict[str, Wanted]] = {}
# The members themselves: it takes as long to look one up as to call a function.
_ENTER: Final = Kind.ENTER
_INSIDE: Final = Kind.INSIDE
_LEAVE: Final = Kind.LEAVE
_UPSERT: Final = Action.UPSERT
_UPDATE: Final = Action.UPDATE


def transform_changes(batch: Sequence[Passage], rules: CompiledRules) -> list[Passage | None]:
    """Turn each change's matches into writes; None where nothing is to be written."""
    return [_transform(passage, rules) for passage in batch]


def _transform(passage: Passage, rules: CompiledRules) -> Passage | None:
    change = passage.change
    if change is None or not passage.transitions:
        return passage
    rows = passage.rows or read_rows(change, rules.tables[change.schema, change.table])
    writes: list[Write] = []
    rejects: list[Reject] = []
    for transition in passage.transitions:
        outcome = _write_or_reject(change, transition, rules.by_id[transition.rule], rows)
        if isinstance(outcome, Reject):
            rejects.append(outcome)
        elif outcome is not None:
            writes.append(outcome)
    all_rejects = (*passage.rejects, *rejects) if rejects else passage.rejects
    if not writes and not all_rejects and not passage.echoes:
        return None
    return Passage(passage.rules, change, (), tuple(writes), all_rejects, passage.echoes)


def _write_or_reject(
    change: Change, transition: Transition, rule: CompiledRule, rows: Rows
) -> Write | Reject | None:
    try:
        write = _write(transition.kind, rule, rows)
        if write is not None and rule.lasting:
            write = named(write, rule, rows.before if rows.after is None else rows.after)
        return write if write is None or rule.contest is None else claimed(write, rule, change, rows)
    except EvaluationError as error:
        return reject(change, rule, Cause.EXPRESSION, error.message, error.sqlstate, column=error.target)
    except UnmappedValue as error:
        return reject(change, rule, Cause.UNMAPPED, str(error), column=error.target)
    except NoKey as error:
        return reject(change, rule, Cause.NO_KEY, str(error), column=error.column)


def _write(kind: Kind, rule: CompiledRule, rows: Rows) -> Write | None:
    if kind is _ENTER and rows.after is not None:
        return upsert_of(rule, _key(rule, rows.after), rows.after)
    if kind is _INSIDE and rows.before is not None and rows.after is not None:
        return update_of(rule, rows.before, rows.after)
    if rows.before is None:  # neither leaving nor deleted: such a transition is not made
        return None
    if kind is _LEAVE:
        return _removal(rule, rule.rule.on_unmatched, rule.set_on_unmatched, rows.before)
    return _removal(rule, rule.rule.on_delete, rule.set_on_delete, rows.before)


def upsert_of(rule: CompiledRule, key: tuple[Any, ...], after: Row) -> Write:
    """The whole mapped row."""
    values = rule.columns.values(after)
    if not rule.lookups:
        return Write(rule.rule.id, _UPSERT, key, values)
    return Write(
        rule.rule.id,
        _UPSERT,
        key,
        _with_places(rule, values),
        wanted=wanted_of(rule.lookups, after),
    )


def update_of(rule: CompiledRule, before: Row, after: Row) -> Write | None:
    """What a change from one row to another, both within the rule, writes; None where nothing.

    Raises EvaluationError, UnmappedValue, NoKey.
    """
    key = _key(rule, after)
    old_key = _known(rule, before)
    if None in old_key:  # until now the record could not be recognised
        return upsert_of(rule, key, after)
    values, wanted = rule.columns.values(after), _NOTHING
    if rule.lookups:
        values, wanted = _with_places(rule, values), wanted_of(rule.lookups, after)
    changed = rule.columns.changed(before, values)
    if rule.lookups:
        changed += [n for n in changed_of(rule.lookups, before, wanted) if n not in changed]
    if key == old_key and not changed:
        return None
    old = None if key == old_key else old_key
    return Write(rule.rule.id, _UPDATE, key, values, tuple(changed), old, wanted=wanted)


def _with_places(rule: CompiledRule, values: dict[str, Any]) -> dict[str, Any]:
    """The values, with a place for each that is to be looked up: so all writes of a rule are alike."""
    return {**values, **dict.fromkeys(lookup.column for lookup in rule.lookups)}


def _removal(
    rule: CompiledRule, policy: str | SetColumns, columns: tuple[tuple[str, Evaluate], ...], before: Row
) -> Write | None:
    if policy == "delete":
        return Write(rule.rule.id, Action.DELETE, _last_key(rule, before))
    if isinstance(policy, SetColumns):
        values = _values(columns, before)
        key = _last_key(rule, before)
        return Write(rule.rule.id, Action.UPDATE, key, values, tuple(values), revives=False)
    return None


def _values(columns: tuple[tuple[str, Evaluate], ...], row: Row) -> dict[str, Any]:
    return {name: evaluate(row) for name, evaluate in columns}


def _key(rule: CompiledRule, row: Row) -> tuple[Any, ...]:
    key = _known(rule, row)
    if None in key:
        column = rule.key_columns[key.index(None)]
        raise NoKey(column)
    return key


def _known(rule: CompiledRule, row: Row) -> tuple[Any, ...]:
    """The key, of which columns may be NULL."""
    if len(rule.key) == 1:
        return (rule.key[0](row),)
    return tuple([evaluate(row) for evaluate in rule.key])


def _last_key(rule: CompiledRule, before: Row) -> tuple[Any, ...]:
    """The key of a record that goes; where it has none, the link may know its row."""
    if rule.lasting and name_of(rule, before) is not None:
        return _known(rule, before)
    return _key(rule, before)


class NoKey(Exception):
    """Raised when a record's key is NULL."""

    def __init__(self, column: str) -> None:
        super().__init__(
            f"the key column {column} is NULL for this record, so its target row cannot be recognised"
        )
        self.column = column
