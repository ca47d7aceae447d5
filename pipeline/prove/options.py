"""What the prover is told."""

from __future__ import annotations

import msgspec

from pipeline.processes.children import COMMAND


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """`seconds` is how long writers write and faults strike. Nothing else knows these defaults."""

    seconds: float
    seed: int
    faults: tuple[str, ...]
    workers: int = 2  # of each process type
    split: bool = False
    keep: bool = False
    rate: float = 1_500.0  # changes/s that the writers aim at
    slots: int = 400  # keys, of which about half have a record at a time
    writers: int = 5
    sleepers: int = 3  # writers whose transactions stay open long
    gap: float = 1.5  # seconds between two faults, on average
    impatient: bool = False  # end at the first finding
    command: tuple[str, ...] = COMMAND  # what starts `orgstream`
