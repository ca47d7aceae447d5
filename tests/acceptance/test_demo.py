"""The demo as a person runs it: a proof in the end, and nothing left behind however it ends."""

from __future__ import annotations

import json
import os
import select
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.fixtures.environment import server_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fixtures.processes import Running, StartCommand

pytestmark = pytest.mark.slow
PATIENCE_SECONDS = 110.0
ENDLESS = ("--orgs", "2", "--seconds", "600")  # two are enough where nothing is proven
KEYS = [
    "proven",
    "captured",
    "applied",
    "suppressed",
    "lost",
    "repeated",
    "out_of_order",
    "wrong",
    "seed",
    "seconds",
]


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where the demo puts all its files; another user can reach it, as Postgres asks of root."""
    with server_folder("demo") as folder:
        yield folder


def start(start_anew: StartCommand, folder: Path, *arguments: str) -> Running:
    return start_anew("demo", *arguments, env={"TMPDIR": str(folder)})


def test_it_proves_itself(start_anew: StartCommand, folder: Path) -> None:
    demo = start(start_anew, folder, "--seconds", "5", "--json", "--seed", "7")
    code = demo.wait(seconds=PATIENCE_SECONDS)
    assert code == 0, demo.output
    (line,) = demo.output.splitlines()
    told = json.loads(line)
    assert list(told) == KEYS
    assert told["proven"] is True
    assert (told["lost"], told["repeated"], told["out_of_order"], told["wrong"]) == (0, 0, 0, 0)
    assert told["seed"] == 7
    assert told["captured"] > 5_000
    assert 2_000 < told["applied"] < told["captured"]
    assert 0 < told["suppressed"] < told["captured"]
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "phase"),
    [(signal.SIGINT, "Users fill their orgs"), (signal.SIGTERM, "Users edit in all orgs")],
)
def test_it_leaves_nothing_behind_when_stopped(
    start_anew: StartCommand, folder: Path, number: signal.Signals, phase: str
) -> None:
    demo = start(start_anew, folder, *ENDLESS)
    demo.await_line(phase, seconds=PATIENCE_SECONDS)
    assert demo.stop(number) == 1
    assert "stopped before anything was proven" in demo.output
    assert "Traceback" not in demo.output
    if sys.platform == "linux":
        assert processes_of(folder) == []
    assert list(folder.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the process in /proc")
def test_it_tells_of_a_process_that_ended(start_anew: StartCommand, folder: Path) -> None:
    demo = start(start_anew, folder, *ENDLESS)
    demo.await_line("Users fill their orgs", seconds=PATIENCE_SECONDS)
    (relay,) = [pid for pid in processes_of(folder) if b"relay" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    os.kill(relay, signal.SIGKILL)
    assert demo.wait() == 1
    assert "relay ended with exit code -9" in demo.output
    assert processes_of(folder) == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children that their parent was killed")
def test_its_processes_end_when_it_is_killed(start_anew: StartCommand, folder: Path) -> None:
    demo = start(start_anew, folder, *ENDLESS)
    demo.await_line("Users fill their orgs", seconds=PATIENCE_SECONDS)
    left = processes_of(folder, besides=demo.pid)
    assert len(left) > 5  # two servers, the orgs, the relay and two workers
    handles = [os.pidfd_open(pid) for pid in left]
    demo.kill()
    for handle in handles:
        assert select.select([handle], [], [], 30)[0], "a child outlived the demo"
        os.close(handle)
    assert processes_of(folder) == []


def processes_of(folder: Path, *, besides: int = 0) -> list[int]:
    """The processes that know of a folder by their command line or environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            told = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:  # it has ended meanwhile, or is not ours
            continue
        if str(folder).encode() in told and int(process.name) != besides:
            found.append(int(process.name))
    return found
