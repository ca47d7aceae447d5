"""An installed add-on, settled and empty."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from tests.integration.connect.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    with contextlib.closing(World(database_url)) as world:
        yield world


@pytest.fixture
def merging(database_url: str) -> Iterator[World]:
    """The same with merged writes."""
    with contextlib.closing(World(database_url, algorithm="merged")) as world:
        yield world
