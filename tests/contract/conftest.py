"""Each contract test runs twice: on the adapters of real servers, and on those in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.memory import MemorySide
from tests.contract.real import RealSide

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.side import Side


@pytest.fixture(params=["real", "memory"])
def side(request: pytest.FixtureRequest) -> Iterator[Side]:
    """Servers of one kind."""
    made: Side = RealSide(request.getfixturevalue("world")) if request.param == "real" else MemorySide()
    yield made
    made.fill(full=False)
