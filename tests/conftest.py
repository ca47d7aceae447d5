"""What every test can use; each concern is a plugin module in tests/fixtures."""

from __future__ import annotations

import pytest

pytest_plugins = [
    "tests.fixtures.environment",
    "tests.fixtures.databases",
    "tests.fixtures.redis_servers",
    "tests.fixtures.forked",
    "tests.fixtures.processes",
    "tests.fixtures.proxy",
    "tests.fixtures.world",
    "tests.fixtures.fragile",
    "tests.fixtures.connected",
    "tests.fixtures.recipes",
    "tests.fixtures.federation",
    "tests.fixtures.monitored",
    "tests.fixtures.deployment",
    "tests.fixtures.scene",
]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever asks a real Prometheus is a drill: `make drill` runs it, not `make test`."""
    for item in items:
        if "monitored" in getattr(item, "fixturenames", ()):
            item.add_marker("drill")
