"""`orgstream bench` as a person runs it: real servers, real processes, and nothing left of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.bench.report import AIMS
from tests.fixtures.environment import server_folder
from tests.fixtures.forked import COMMAND

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fixtures.processes import StartCommand

PATIENCE_SECONDS = 110.0
ENDS: tuple[str, ...] = ("", ".from_start")
if sys.platform == "linux":
    ENDS += (".processor", ".processor.relay", ".processor.worker", ".processor.postgres.worker")
DRAINS = {f"drains.{name}{end}" for name in ("inserts", "updates", "singles") for end in ENDS}


@pytest.fixture
def folder() -> Iterator[Path]:
    with server_folder("bench") as folder:
        yield folder


@pytest.mark.slow
def test_the_drains_as_json(folder: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "bench", "--quick", "--json", "--only", "drains"],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert set(report) == {"at", "seconds", "machine", "options", "method", "figures"}
    assert set(report["method"]) == {"drains"}
    assert report["options"]["parts"] == ["drains"]
    assert report["machine"]["postgres"].split(".")[0].isdigit()
    figures = {figure["name"]: figure for figure in report["figures"]}
    assert set(figures) >= DRAINS
    for name, figure in figures.items():
        assert figure["value"] > 0
        assert figure["unit"] in {"changes/s", "µs/change", "MiB"}
        assert ("aim" in figure) == ("reached" in figure) == (name in AIMS)
    assert not list(folder.iterdir())


@pytest.mark.slow
def test_ctrl_c_ends_it_and_its_processes(start_anew: StartCommand, folder: Path) -> None:
    bench = start_anew("bench", "--quick", "--only", "drains", env={"TMPDIR": str(folder)})
    bench.await_line("drain: ")
    assert bench.stop(signal.SIGINT) == 130
    assert not list(folder.iterdir())
    if sys.platform == "linux":
        assert str(folder) not in _command_lines()


def _command_lines() -> str:
    """Of all processes; those of the servers name their folder."""
    files = Path("/proc").glob("[0-9]*/cmdline")
    return "\n".join(_text(file) for file in files)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:  # it ended meanwhile
        return ""
