"""A link: the target row of one source record; what a batch asks of links, and what it leaves of them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from stages.write import Action

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from stages.rules.compile import CompiledRule, CompiledRules
    from stages.write import Write

Key = tuple[Any, ...]
SEVERAL: Final = ""  # in the place of a key's text: a record comes under several
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_DECODER: Final = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


class LinkName(NamedTuple):
    """What a link is kept by: both tables as schema.table, and the record's lasting name as JSON text."""

    source: str
    target: str
    record: str


class Link(NamedTuple):
    """The key of the target row as JSON text, and the change that gave it to the row.

    Without a key the row was deleted by a change under another key: older changes must not make it again.
    """

    key: str | None
    change_id: int


class Noted(NamedTuple):
    """What a write does to a link: None ends it. `taken` are the keys whose rows are nobody else's now."""

    change_id: int
    rule: int
    name: LinkName
    link: Link | None
    taken: tuple[str, ...]


class Kept(NamedTuple):
    """What is to be written of links, in this order."""

    taken: list[tuple[LinkName, str]]  # who has taken which key
    ended: list[LinkName]
    links: list[tuple[LinkName, Link, int | None]]  # with the change of the link that stood there


class Asked:
    """The links that some writes have to know: by name, and the key under which each comes.

    `settled`: where all links are as they are asked for, the writes go to their rows as they are.
    """

    def __init__(self, writes: Iterable[Write], rules: CompiledRules) -> None:
        self.names: dict[LinkName, str] = {}
        self.settled = True
        self.keys: dict[str, Key] = {}  # as the rules computed them, by their text
        self._found: dict[int, tuple[LinkName, str]] = {}  # by the identity of the write
        tables: dict[int, tuple[CompiledRule, str, str]] = {}
        for write in writes:
            if write.old_key is not None or write.action is Action.DELETE:
                self.settled = False
            if write.record is None:
                continue
            if write.rule not in tables:
                rule = rules.by_id[write.rule]
                tables[write.rule] = (rule, *tables_of(rule))
            rule, source, target = tables[write.rule]
            name, text = LinkName(source, target, write.record), text_of(rule.key_columns, write.key)
            self.keys[text] = write.key
            self._found[id(write)] = name, text
            if self.names.setdefault(name, text) != text:
                self.names[name], self.settled = SEVERAL, False

    def of(self, write: Write) -> tuple[LinkName, str]:
        """The link of one of the writes, and its key's text."""
        return self._found[id(write)]

    def known(self, others: Mapping[LinkName, Link | None]) -> dict[LinkName, Link]:
        """The links, of which `others` are not as they are asked for: another, or none."""
        links = {name: Link(key, 0) for name, key in self.names.items() if name not in others}
        links.update((name, link) for name, link in others.items() if link is not None)
        return links


def tables_of(rule: CompiledRule) -> tuple[str, str]:
    """The tables of a rule's links, as schema.table."""
    source, target = rule.source.name, rule.target.name
    return f"{source.schema}.{source.name}", f"{target.schema}.{target.name}"


def kept(noted: Iterable[Noted], known: Mapping[LinkName, Link], done: Collection[tuple[int, int]]) -> Kept:
    """What is left in the end of what was noted, for the writes that were `done`, as (change, rule)."""
    last: dict[LinkName, Link | None] = {}
    taken: dict[tuple[str, str, str], LinkName] = {}  # by whom last
    for one in noted:
        if (one.change_id, one.rule) in done:
            last[one.name] = one.link
            for key in one.taken:
                taken[one.name.source, one.name.target, key] = one.name
    links: list[tuple[LinkName, Link, int | None]] = []
    for name, link in last.items():
        before = known.get(name)
        if link is not None and (before is None or link.key is None or before.key != link.key):
            links.append((name, link, None if before is None else before.change_id))
    ends = [name for name, link in last.items() if link is None and name in known]
    return Kept([(name, key) for (_, _, key), name in taken.items()], ends, links)


def text_of(columns: Sequence[str], key: Key) -> str:
    """A target key as JSON text."""
    row = {columns[0]: key[0]} if len(columns) == 1 else dict(zip(columns, key, strict=True))
    return _ENCODER.encode(row).decode()


def key_of(columns: Sequence[str], text: str) -> Key | None:
    """A target key from its text; None where it is one of other columns."""
    found = _DECODER.decode(text)
    return tuple(found[name] for name in columns) if found.keys() == set(columns) else None
