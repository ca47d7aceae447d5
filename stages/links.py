"""Links: which target row a source record has, so that a record under another key renames its row.

A link is made by the first write that names the record for good (`stages/named.py`), and follows its key. It
tells where the row is, also after a change of key that nobody captured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from stages.link import Asked, Link, LinkName, Noted, key_of, tables_of, text_of
from stages.match import reject
from stages.reject import Cause, Reject
from stages.write import Action, Write

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from stages.change import Change
    from stages.link import Key
    from stages.omit import Omitted
    from stages.passage import Passage
    from stages.rules.compile import CompiledRule, CompiledRules


class Linked(NamedTuple):
    """The passages as they are to be planned, and what is to be noted of their links, in order.

    `renames`: some record came under another key than its row has, and no change told so.
    """

    passages: Sequence[Passage]
    noted: list[Noted]
    renames: bool


def asked_by(passages: Iterable[Passage], rules: CompiledRules) -> Asked:
    """The links that a batch has to know."""
    return Asked((write for passage in passages for write in passage.writes), rules)


def linked(
    passages: Sequence[Passage],
    rules: CompiledRules,
    asked: Asked,
    known: Mapping[LinkName, Link],
    omitted: Omitted,
) -> Linked:
    """Lead a batch's writes to the rows of their records, in its order."""
    book = Book(asked, known)
    found: list[Passage] = []
    for passage in passages:
        omitted.meet(passage)
        change = passage.change
        if change is None:
            found.append(passage)
            continue
        changed: dict[int, Write | Reject] = {}
        for write in passage.writes:
            if not omitted.has(change, write.rule):
                outcome = _outcome(book, change, write, rules.by_id[write.rule])
                if outcome is not write:
                    changed[write.rule] = outcome
                if isinstance(outcome, Reject):
                    omitted.reject(change, outcome)
        found.append(_with(passage, changed) if changed else passage)
    return Linked(found, book.noted, book.renames)


def _with(passage: Passage, changed: Mapping[int, Write | Reject]) -> Passage:
    outcomes = [changed.get(write.rule, write) for write in passage.writes]
    writes = tuple(one for one in outcomes if isinstance(one, Write))
    rejects = (*passage.rejects, *(one for one in outcomes if isinstance(one, Reject)))
    return msgspec.structs.replace(passage, writes=writes, rejects=rejects)


def _outcome(book: Book, change: Change, write: Write, rule: CompiledRule) -> Write | Reject:
    led = book.lead(change.id, write, rule)
    if led is not None:
        return led
    column = rule.key_columns[write.key.index(None)]
    message = (
        f"the key column {column} is NULL for this record, and no link knows its target row, so that row "
        "cannot be recognised"
    )
    return reject(change, rule, Cause.NO_KEY, message, column=column)


class Book:
    """The links of some records, kept up while their writes go by."""

    def __init__(self, asked: Asked, known: Mapping[LinkName, Link]) -> None:
        self._asked = asked
        self._known = known
        self._links = dict(known)
        self._owners: dict[tuple[str, str, str | None], LinkName] | None = None  # until it is asked for
        self.noted: list[Noted] = []
        self.renames = False

    def lead(self, change_id: int, write: Write, rule: CompiledRule) -> Write | None:
        """The write to the row that its record has; None where nobody knows which that is."""
        if write.record is None:
            return self._nameless(change_id, write, rule)
        name, text = self._asked.of(write)
        link = self._links.get(name)
        if link is not None and link.key == text:
            return self._there(change_id, write, name)
        if link is not None and change_id < link.change_id:
            return _nothing(write)  # later the record was written under its newer key, whole
        old = None if link is None or link.key is None else self._key(link.key, rule)
        if old is None:
            return self._first(change_id, write, rule, name, text)
        return self._elsewhere(change_id, write, rule, name, old)

    def _elsewhere(self, change_id: int, write: Write, rule: CompiledRule, name: LinkName, old: Key) -> Write:
        """A record whose row bears the key `old`."""
        if write.action is Action.DELETE:
            self._note(change_id, write, name, Link(None, change_id))
            return msgspec.structs.replace(write, key=old)
        if not write.revives:
            return msgspec.structs.replace(write, key=old)
        left = text_of(rule.key_columns, old)
        self._note(change_id, write, name, Link(text_of(rule.key_columns, write.key), change_id), left)
        if write.old_key is not None and text_of(rule.key_columns, write.old_key) == left:
            return write
        self.renames = True
        return msgspec.structs.replace(write, action=Action.UPSERT, changed=(), old_key=old)

    def _nameless(self, change_id: int, write: Write, rule: CompiledRule) -> Write:
        """A record that nothing names for good; whose row it deletes has none any more."""
        if write.action is Action.DELETE and rule.lasting and None not in write.key:
            nobody = LinkName(*tables_of(rule), "")
            self._note(change_id, write, nobody, None, text_of(rule.key_columns, write.key))
        return write

    def _first(
        self, change_id: int, write: Write, rule: CompiledRule, name: LinkName, text: str
    ) -> Write | None:
        """A record without a row that we know of."""
        if None in write.key:
            return None
        if write.action is not Action.DELETE and write.revives:
            left = None if write.old_key is None else text_of(rule.key_columns, write.old_key)
            self._note(change_id, write, name, Link(text, change_id), left)
        return write

    def _there(self, change_id: int, write: Write, name: LinkName) -> Write:
        """A record whose row bears its key already."""
        if write.action is Action.DELETE:
            self._note(change_id, write, name, None)
        return write if write.old_key is None else msgspec.structs.replace(write, old_key=None)

    def _note(
        self, change_id: int, write: Write, name: LinkName, link: Link | None, left: str | None = None
    ) -> None:
        """A record has another row, or none: who had the rows that it takes or leaves has them no more."""
        if self._owners is None:
            self._owners = {(name.source, name.target, link.key): name for name, link in self._known.items()}
        self._links.pop(name, None)
        taken = tuple([key for key in (left, link and link.key) if key is not None])
        for key in taken:
            owner = self._owners.pop((name.source, name.target, key), name)
            if owner != name and self._links.pop(owner, None) is not None:
                self.noted.append(Noted(change_id, write.rule, owner, None, ()))
        if link is not None:
            self._links[name] = link
            self._owners[name.source, name.target, link.key] = name
        self.noted.append(Noted(change_id, write.rule, name, link, taken))

    def _key(self, text: str, rule: CompiledRule) -> Key | None:
        known = self._asked.keys.get(text)
        return known if known is not None else key_of(rule.key_columns, text)


def _nothing(write: Write) -> Write:
    return msgspec.structs.replace(
        write, action=Action.NONE, values={}, changed=(), old_key=None, wanted={}, began=None
    )
