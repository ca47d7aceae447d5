"""What stands last in each partition's first stream, as far as the relay knows.

A client connects again without a word, also to a server that came back from its disk and has lost the last
second. So each append says what it expects to stand before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.redis.entry import order_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pipeline.redis.entry import Entry

NOTHING: Final = b"0-0"


class Appended:
    """By partition: one id where it is certain, several where an answer was lost, none where nobody asked."""

    def __init__(self) -> None:
        self._ids: dict[int, frozenset[bytes]] = {}

    def forget(self) -> None:
        """Another relay may have appended since."""
        self._ids.clear()

    def found(self, partition: int, id_: bytes | None) -> None:
        """What the server told where we did not know."""
        self._ids.setdefault(partition, frozenset([id_ or NOTHING]))

    def made_anew(self, partitions: Iterable[int]) -> None:
        """Nothing stands there any more."""
        self._ids.update(dict.fromkeys(partitions, frozenset([NOTHING])))

    def begin(self, entries: Mapping[int, Sequence[Entry]]) -> dict[int, frozenset[bytes]]:
        """What may stand before these; until `end` says otherwise, they may stand there, too."""
        before = {partition: self._ids.get(partition, frozenset()) for partition in entries}
        self._ids |= {p: ids | _after(ids, entries[p]) for p, ids in before.items()}
        return before

    def end(self, entries: Mapping[int, Sequence[Entry]]) -> None:
        """They were appended, all of them."""
        self._ids |= {p: _after(self._ids.get(p, frozenset()), batch) for p, batch in entries.items()}


def _after(ids: frozenset[bytes], batch: Sequence[Entry]) -> frozenset[bytes]:
    """What stands last once a batch was appended, some of which may have stood there already."""
    return frozenset(max(id_, batch[-1].id, key=order_of) for id_ in ids)
