"""The tests' own environment: what the machine has set decides nothing, and CI forgives nothing."""

from __future__ import annotations

import os

import pytest

from tests.fixtures import environment


def test_the_settings_of_the_machine_are_forgotten() -> None:
    ours = {"DATABASE_URL", "REDIS_URL", "REDIS_TLS_URL", "DYNO", "PORT"}
    assert not [name for name in os.environ if name in ours or name.startswith("ORGSTREAM_")]


def test_a_missing_server_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "IN_CI", True)
    with pytest.raises(pytest.fail.Exception, match="no server"):
        environment.server_missing("no server")


def test_a_missing_server_is_skipped_for_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "IN_CI", False)
    with pytest.raises(pytest.skip.Exception, match="no server"):
        environment.server_missing("no server")
