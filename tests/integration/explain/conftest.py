"""The world with its rules live, and `explain` as a person types it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fixtures.world import World

    Explain = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def _settings(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", str(world.settings.database_url))
    world.apply_rules()


@pytest.fixture
def explained(capsys: pytest.CaptureFixture[str]) -> Explain:
    """Runs `explain … --json`; the object that it prints."""

    def run(*arguments: str) -> dict[str, Any]:
        code = main(["explain", *arguments, "--json"])
        captured = capsys.readouterr()
        assert code == 0, captured.err
        found: dict[str, Any] = json.loads(captured.out)
        return found

    return run
