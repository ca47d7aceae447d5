"""Which runs `tools/prove_matrix.py` chooses, and what it makes of a run that fails."""

from __future__ import annotations

import importlib.util
import itertools
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.source_tree import ROOT

if TYPE_CHECKING:
    from types import ModuleType


@pytest.fixture(scope="module")
def matrix() -> ModuleType:
    spec = importlib.util.spec_from_file_location("prove_matrix", ROOT / "tools" / "prove_matrix.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pairs_leave_no_two_choices_untried_and_are_few(matrix: Any) -> None:
    redis = [matrix.Server(name, None) for name in ("v9", "r8", "r7")]
    postgres = [matrix.Server(name, None) for name in ("p18", "p15")]
    runs = matrix.every(redis, postgres)
    chosen = matrix.pairwise(runs)
    assert (len(runs), len(chosen) <= 8) == (24, True)
    for one, other in itertools.combinations(range(4), 2):
        assert {(run[one], run[other]) for run in chosen} == {(run[one], run[other]) for run in runs}


def test_a_run_that_cannot_begin_is_told_and_is_no_proof(matrix: Any, tmp_path: Any) -> None:
    missing = matrix.Server("none", ("REDIS_SERVER", str(tmp_path / "missing")))
    run = matrix.Run(missing, matrix.Server("Postgres of the wheel", None), 1, "fused")
    found = matrix.prove(run, 1, 0.02, 100.0)
    assert found["exit"] != 0
    assert "missing" in matrix.told(found)
    assert sys.executable not in matrix.told(found)
