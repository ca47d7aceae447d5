"""A world with capture on one table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.fixtures.world import World


@pytest.fixture(autouse=True)
def _captured(world: World) -> None:
    world.capture("account", "ext_id")
