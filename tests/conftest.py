"""What every test can use; each concern is a plugin module in tests/fixtures."""

from __future__ import annotations

pytest_plugins = [
    "tests.fixtures.environment",
    "tests.fixtures.databases",
    "tests.fixtures.redis_servers",
    "tests.fixtures.processes",
    "tests.fixtures.proxy",
    "tests.fixtures.world",
    "tests.fixtures.monitored",
    "tests.fixtures.deployment",
    "tests.fixtures.scene",
]
