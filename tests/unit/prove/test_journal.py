"""The journal: read while it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.prove.journal import Committed, Event, JournalReader, JournalWriter

if TYPE_CHECKING:
    from pathlib import Path

FIRST = Committed(2, (Event("a", 1, (1, 2, 3, -4)), Event("b", 7, None)))
SECOND = Committed(1, (Event("c", 1, (1, 1, 1, 1)),))


def test_what_was_written_is_read_once(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path / "journal")
    reader = JournalReader(tmp_path / "journal")
    assert list(reader.read()) == []
    writer.write(FIRST)
    assert list(reader.read()) == [FIRST]
    writer.write(SECOND)
    writer.write(FIRST)
    assert list(reader.read()) == [SECOND, FIRST]
    assert list(reader.read()) == []
    writer.close()
    reader.close()


def test_half_a_line_waits_for_its_other_half(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    writer = JournalWriter(path)
    writer.write(FIRST)
    writer.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:10])
    reader = JournalReader(path)
    assert list(reader.read()) == []
    with path.open("ab") as file:
        file.write(whole[10:])
    assert list(reader.read()) == [FIRST]
    reader.close()
