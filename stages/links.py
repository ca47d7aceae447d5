"""Links: which target row a source record has, so that a record under another key renames its row.

A link is made by the first write that names the record for good (`stages/named.py`), and follows its key. It
tells where the row is, also after a change of key that nobody captured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from stages.link import Link, LinkName, Noted, key_of, text_of
from stages.match import reject
from stages.reject import Cause, Reject
from stages.write import Action, Write

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from stages.change import Change
    from stages.link import Key
    from stages.omit import Omitted
    from stages.passage import Passage
    from stages.rules.compile import CompiledRule, CompiledRules


class Linked(NamedTuple):
    """The passages as they are to be planned, and what is to be noted of their links, in order.

    `renames`: some record came under another key than its row has, and no change told so.
    """

    passages: list[Passage]
    noted: list[Noted]
    renames: bool


def names_of(passages: Iterable[Passage], rules: CompiledRules) -> Iterator[LinkName]:
    """The links that a batch has to know."""
    for passage in passages:
        for write in passage.writes:
            if write.record is not None:
                yield name_of(write.record, rules.by_id[write.rule])


def linked(
    passages: Sequence[Passage], rules: CompiledRules, known: Mapping[LinkName, Link], omitted: Omitted
) -> Linked:
    """Lead a batch's writes to the rows of their records, in its order."""
    book = Book(known)
    found = []
    for passage in passages:
        omitted.meet(passage)
        change = passage.change
        if change is None:
            found.append(passage)
            continue
        writes: list[Write] = []
        rejects = list(passage.rejects)
        for write in passage.writes:
            rule = rules.by_id[write.rule]
            if omitted.has(change, write.rule):
                writes.append(write)
                continue
            outcome = book.lead(change.id, write, rule)
            if outcome is None:
                rejects.append(_without_key(change, rule, write))
                omitted.reject(change, rejects[-1])
            else:
                writes.append(outcome)
        found.append(msgspec.structs.replace(passage, writes=tuple(writes), rejects=tuple(rejects)))
    return Linked(found, book.noted, book.renames)


class Book:
    """The links of some records, kept up while their writes go by."""

    def __init__(self, known: Mapping[LinkName, Link]) -> None:
        self._links = dict(known)
        self._owners = {(name.source, name.target, link.key): name for name, link in known.items()}
        self._keys: dict[str, Key] = {}  # as the rules computed them, by their text
        self.noted: list[Noted] = []
        self.renames = False

    def lead(self, change_id: int, write: Write, rule: CompiledRule) -> Write | None:
        """The write to the row that its record has; None where nobody knows which that is."""
        if write.record is None:
            return self._nameless(change_id, write, rule)
        name = name_of(write.record, rule)
        text = text_of(rule.key_columns, write.key)
        self._keys[text] = write.key
        link = self._links.get(name)
        old = None if link is None or link.key is None else self._key(link.key, rule)
        if link is not None and link.key != text and change_id < link.change_id:
            return _nothing(write)  # later the record was written under its newer key, whole
        if link is None or old is None:
            return self._first(change_id, write, rule, name)
        if link.key == text:
            return self._there(change_id, write, name)
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
            self._note(change_id, write, name_of("", rule), None, text_of(rule.key_columns, write.key))
        return write

    def _first(self, change_id: int, write: Write, rule: CompiledRule, name: LinkName) -> Write | None:
        """A record without a row that we know of."""
        if None in write.key:
            return None
        if write.action is not Action.DELETE and write.revives:
            text = text_of(rule.key_columns, write.key)
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
        self._links.pop(name, None)
        taken = tuple(key for key in (left, link and link.key) if key is not None)
        for key in taken:
            owner = self._owners.pop((name.source, name.target, key), name)
            if owner != name and self._links.pop(owner, None) is not None:
                self.noted.append(Noted(change_id, write.rule, owner, None, ()))
        if link is not None:
            self._links[name] = link
            self._owners[name.source, name.target, link.key] = name
        self.noted.append(Noted(change_id, write.rule, name, link, taken))

    def _key(self, text: str, rule: CompiledRule) -> Key | None:
        known = self._keys.get(text)
        return known if known is not None else key_of(rule.key_columns, text)


def name_of(record: str, rule: CompiledRule) -> LinkName:
    """What the link of a record is kept by under a rule."""
    source, target = rule.source.name, rule.target.name
    return LinkName(f"{source.schema}.{source.name}", f"{target.schema}.{target.name}", record)


def _nothing(write: Write) -> Write:
    return msgspec.structs.replace(
        write, action=Action.NONE, values={}, changed=(), old_key=None, wanted={}, began=None
    )


def _without_key(change: Change, rule: CompiledRule, write: Write) -> Reject:
    column = rule.key_columns[write.key.index(None)]
    message = (
        f"the key column {column} is NULL for this record, and no link knows its target row, so that row "
        "cannot be recognised"
    )
    return reject(change, rule, Cause.NO_KEY, message, column=column)
