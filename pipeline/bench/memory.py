"""The most memory that a process ever held, as Linux keeps it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_KIB_PER_MIB: Final = 1024


def peak_mebibytes(pid: int) -> float | None:
    """The peak resident set of a living process in MiB; None where the system does not tell."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return None
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / _KIB_PER_MIB
    return None


def children_of(pid: int) -> list[int]:
    """The process ids of a living process's children; none where the system does not tell."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8")
    except OSError:
        return []
    return [int(child) for child in text.split()]
