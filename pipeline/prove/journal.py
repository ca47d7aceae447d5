"""The journal: what the writers committed, as they know it themselves; a line for each transaction.

It is a file, so that nothing of the history has to be kept in memory and a lost reader loses nothing.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

State: TypeAlias = tuple[int, ...] | None
"""What stands under a key: version, two stamps and the hash of a text; None where nothing does."""


class Event(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What stands under a key after a change. The versions of a key rise by one, in the order of commits."""

    key: str
    version: int
    state: State


class Committed(msgspec.Struct, frozen=True, array_like=True):
    """One committed transaction: how many changes of rows it made, and what it left under each key."""

    changes: int
    events: tuple[Event, ...]


class JournalWriter:
    """Appends to a journal; several threads may, each line is written at once."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def write(self, committed: Committed) -> None:
        """Note a transaction that has committed."""
        os.write(self._file, msgspec.json.encode(committed) + b"\n")

    def close(self) -> None:
        """Give the file back."""
        os.close(self._file)


class JournalReader:
    """Reads a journal while it is written."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._rest = b""

    def read(self) -> Iterator[Committed]:
        """What has been written since the last time, but for a line that is not whole yet."""
        while chunk := self._file.read(_CHUNK):
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            yield from map(_DECODER.decode, lines)

    def close(self) -> None:
        """Give the file back."""
        self._file.close()


_CHUNK: Final = 1 << 20
_DECODER: Final = msgspec.json.Decoder(Committed)
