"""Links in a replay: its writes go to the rows that their records have now, whatever their keys were then."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from pipeline.postgres.links import Links
from stages.link import Asked
from stages.links import Book
from stages.need import Need
from stages.write import Action, Write

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import psycopg

    from stages.link import Link, LinkName, Noted
    from stages.rules.compile import CompiledRule, CompiledRules

Past = tuple[int, Write]  # change, what is to be written for it


class _Led(NamedTuple):
    writes: list[Past]
    noted: list[Noted]
    renames: bool


class ReplayLinks:
    """The links of what one transaction replays; a rehearsal takes no lock and keeps nothing."""

    def __init__(self, connection: psycopg.Connection, *, rehearses: bool = False) -> None:
        self._links = Links(connection)
        self._rehearses = rehearses
        self._known: Mapping[LinkName, Link] = {}
        self._noted: Sequence[Noted] = ()

    def lead(self, writes: Sequence[Past], rules: CompiledRules) -> Sequence[Past]:
        """The writes, which are in order, to the rows of their records. Raises psycopg.Error."""
        if Need.LINKS not in rules.needs:
            return writes
        asked = Asked((write for _, write in writes), rules)
        if self._rehearses:
            return _followed(writes, rules, asked, asked.known(self._links.read(asked))).writes
        led, others = self._links.lead(
            asked, lambda others: _followed(writes, rules, asked, asked.known(others))
        )
        self._noted, self._known = led.noted, asked.known(others)
        return led.writes

    def keep(self, done: Collection[tuple[int, int]]) -> None:
        """Write what became of the links by what was `done`, as (change, rule). Raises psycopg.Error."""
        self._links.keep(self._noted, self._known, done)


def _followed(
    writes: Sequence[Past], rules: CompiledRules, asked: Asked, known: Mapping[LinkName, Link]
) -> _Led:
    book = Book(asked, known)
    led = []
    for change, write in writes:
        rule = rules.by_id[write.rule]
        found = book.lead(change, write, rule)
        if found is not None and found.action is not Action.NONE:
            led.append((change, _without_unasked(write, found, rule)))
    return _Led(led, book.noted, book.renames)


def _without_unasked(write: Write, led: Write, rule: CompiledRule) -> Write:
    """A row that is to be written whole, but for looked-up columns that nobody looked up for this change."""
    if write.action is led.action or not rule.lookups:
        return led
    unasked = {lookup.column for lookup in rule.lookups}.difference(write.changed)
    return msgspec.structs.replace(
        led, action=Action.UPDATE, changed=tuple(name for name in led.values if name not in unasked)
    )
