"""`orgstream prove` in its short form: it proves what is sound, and finds each planted defect."""

from __future__ import annotations

import contextlib
import functools
import json
import signal
import sys
import tempfile
from typing import TYPE_CHECKING, Final

import pytest

from pipeline.proof.verdict import Kind
from pipeline.prove.faults import FAULTS
from pipeline.prove.options import Options
from pipeline.prove.run import run_prove
from pipeline.signals import Stop
from tests.acceptance.test_demo import KEYS, processes_of
from tests.fixtures.damage import DEFECTS
from tests.fixtures.environment import server_folder
from tests.fixtures.forked import DAMAGED
from tests.fixtures.forked_children import ForkedChildren

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fixtures.forked import ForkServer
    from tests.fixtures.processes import RunCommand, StartCommand

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
PATIENCE_SECONDS = 200.0
#: The faults under which each defect does its harm, and the seconds between them.
HARMFUL: Final[dict[str, tuple[tuple[str, ...], float]]] = {
    "skip-the-ledger": (("redis-duplicate",), 0.4),
    "acknowledge-before-commit": (("worker-kill",), 0.7),
    "read-by-id": ((), 1.0),
    "no-fence": (("worker-pause",), 2.0),
}


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where the prover puts all its files; another user can reach it, as Postgres asks of root."""
    with server_folder("prove") as folder:
        yield folder


def test_what_is_sound_is_proven(start_anew: StartCommand, folder: Path) -> None:
    arguments = ("--minutes", "0.12", "--seed", "7", "--json")
    prove = start_anew("prove", *arguments, env={"TMPDIR": str(folder)})
    code = prove.wait(seconds=PATIENCE_SECONDS)
    assert code == 0, prove.output
    (line,) = prove.output.splitlines()
    told = json.loads(line)
    assert list(told)[: len(KEYS)] == KEYS
    assert told["proven"] is True
    assert (told["lost"], told["repeated"], told["out_of_order"], told["wrong"]) == (0, 0, 0, 0)
    assert told["seed"] == 7
    assert told["captured"] == told["committed"] == told["applied"] > 100
    assert told["suppressed"] == told["dead"] == 0
    assert set(told["faults"]) == set(FAULTS)
    assert sum(told["faults"].values()) > 0
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_planted_defect_is_found(
    defect: str, folder: Path, fork_server: ForkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.prove.world.Children", functools.partial(ForkedChildren, fork_server))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("ORGSTREAM_LEASE_SECONDS", "800ms")  # so that a short pause is longer
    faults, gap = HARMFUL[defect]
    options = Options(
        seconds=90,  # it ends at the first finding
        seed=3,
        faults=faults,
        slots=60,
        gap=gap,
        impatient=True,
        command=(*DAMAGED, defect),
    )
    told: list[str] = []
    with contextlib.closing(Stop()) as stop:
        verdict = run_prove(options, stop, told.append)
    assert verdict.findings, "\n".join(told)
    assert not verdict.proven
    assert sum(verdict.count(kind) for kind in Kind) == len(verdict.findings)
    assert list(folder.iterdir()) == []


def test_ctrl_c_leaves_nothing_behind(start_anew: StartCommand, folder: Path) -> None:
    faults = "worker-pause,relay-pause,postgres-pause,redis-pause"  # what is suspended has to end, too
    prove = start_anew("prove", "--faults", faults, env={"TMPDIR": str(folder)})
    prove.await_line("Writers write for", seconds=PATIENCE_SECONDS)
    prove.await_line("faults 1", seconds=PATIENCE_SECONDS)
    assert prove.stop(signal.SIGINT) == 1
    assert "stopped before anything was proven" in prove.output
    assert "Traceback" not in prove.output
    if sys.platform == "linux":
        assert processes_of(folder) == []
    assert list(folder.iterdir()) == []


def test_an_unknown_fault_is_refused(orgstream_anew: RunCommand) -> None:
    done = orgstream_anew("prove", "--faults", "redis-flsh")
    assert (done.code, done.stdout) == (2, "")
    assert "Did you mean redis-flush?" in done.stderr
