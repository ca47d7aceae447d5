"""A world with rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.fixtures.world import World


@pytest.fixture(autouse=True)
def _ruled(world: World) -> None:
    world.apply_rules()
