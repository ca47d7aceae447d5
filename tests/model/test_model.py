"""Exactly once, in order, whatever dies: by as many histories as there is time for."""

from __future__ import annotations

from typing import Final

import hypothesis
import pytest
from hypothesis.stateful import run_state_machine_as_test

from tests.model.defects import DEFECTS
from tests.model.history import Broken
from tests.model.machine import Replication

STEPS: Final = 40


def test_whatever_happens_nothing_is_lost_repeated_or_reordered() -> None:
    run_state_machine_as_test(Replication, settings=hypothesis.settings(stateful_step_count=STEPS))


@pytest.mark.parametrize("defect", DEFECTS)
def test_that_each_mechanism_is_missed_where_it_is_taken_out(defect: str) -> None:
    machine, defective = DEFECTS[defect]
    machine = type("Defective", (machine,), {"parts": defective})

    settings = hypothesis.settings(
        stateful_step_count=STEPS,
        max_examples=2_000,  # it ends with the first that fails
        derandomize=True,
        database=None,
        print_blob=False,
        phases=[hypothesis.Phase.generate],
    )
    with pytest.raises(Broken):
        run_state_machine_as_test(machine, settings=settings)
