"""The machine and the versions that the figures are true of."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import msgspec

from pipeline.version import version


class Machine(msgspec.Struct, frozen=True):
    """Where it was measured."""

    system: str
    processor: str
    processors: int
    load: float  # of the last minute, before the run: what else the machine was busy with
    python: str
    postgres: str
    redis: str
    orgstream: str


def this_machine(postgres: str, redis: str) -> Machine:
    """Describe this machine; the servers' versions are given."""
    return Machine(
        system=f"{platform.system()} {platform.release()}",
        processor=_processor(),
        processors=os.cpu_count() or 1,
        load=round(os.getloadavg()[0], 2),
        python=platform.python_version(),
        postgres=postgres,
        redis=redis,
        orgstream=version(),
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
