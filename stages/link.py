"""A link: the target row of one source record, and what a transaction keeps of the links that it changed."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

Key = tuple[Any, ...]
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


def kept(noted: Iterable[Noted], known: Mapping[LinkName, Link], done: Collection[tuple[int, int]]) -> Kept:
    """What is left in the end of what was noted, for the writes that were `done`, as (change, rule)."""
    last: dict[LinkName, Link | None] = {}
    taken: dict[tuple[LinkName, str], None] = {}
    for one in noted:
        if (one.change_id, one.rule) in done:
            last[one.name] = one.link
            taken.update(dict.fromkeys((one.name, key) for key in one.taken))
    return Kept(
        list(taken),
        [name for name, link in last.items() if link is None and name in known],
        [
            (name, link, known[name].change_id if name in known else None)
            for name, link in last.items()
            if link is not None
        ],
    )


def text_of(columns: Sequence[str], key: Key) -> str:
    """A target key as JSON text."""
    return _ENCODER.encode(dict(zip(columns, key, strict=True))).decode()


def key_of(columns: Sequence[str], text: str) -> Key | None:
    """A target key from its text; None where it is one of other columns."""
    found = _DECODER.decode(text)
    return tuple(found[name] for name in columns) if found.keys() == set(columns) else None
