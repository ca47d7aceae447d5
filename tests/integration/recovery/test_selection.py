"""Naming the changes of a replay: what cannot be meant is refused with a hint, and moments are read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.errors import ConfigurationError
from pipeline.replay.run import live_rules
from pipeline.replay.selection import Selection, checked, moment, scope

if TYPE_CHECKING:
    from tests.integration.recovery.conftest import Pipeline

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        ({"rules": ("acounts",)}, "Did you mean accounts"),
        ({"table": "emea.acount"}, r"Did you mean emea\.account"),
        ({"org": "uk"}, "There are us"),
        ({"rules": ("accounts",), "table": "emea.contact"}, "together"),
        ({"key": "a"}, "JSON object"),
        ({"since": NOW, "until": NOW}, "selects nothing"),
        ({"rule_version": 1}, "--force"),
    ],
)
def test_what_cannot_be_selected(pipeline: Pipeline, selection: dict[str, Any], message: str) -> None:
    chosen = Selection(**selection)
    with pytest.raises(ConfigurationError, match=message):
        scope(checked(chosen, force=False), live_rules(pipeline.world.app))


def test_moments() -> None:
    assert moment("1h", NOW) == NOW - timedelta(hours=1)
    assert moment("2026-11-23T11:00:00+01:00", NOW) == NOW - timedelta(hours=2)
    assert moment("2026-11-23", NOW) == NOW - timedelta(hours=12)
    with pytest.raises(ConfigurationError, match="ISO 8601"):
        moment("yesterday", NOW)
