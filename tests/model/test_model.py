"""Exactly once, in order, whatever dies: by as many histories as there is time for."""

from __future__ import annotations

import hypothesis
from hypothesis.stateful import run_state_machine_as_test

from tests.model.machine import Replication


def test_whatever_happens_nothing_is_lost_repeated_or_reordered() -> None:
    settings = hypothesis.settings(stateful_step_count=40)
    run_state_machine_as_test(Replication, settings=settings)
