"""docs/operations.md: each cause of a dead letter has its section, and the metrics are told as they are."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.request import urlopen

from pipeline.metrics.catalog import METRICS
from pipeline.settings import SETTINGS
from stages.reject import Cause
from tests.docs.pages import DOCS, ROOT, headings, read, section

if TYPE_CHECKING:
    from tests.fixtures.processes import StartCommand

PAGE = DOCS / "operations.md"


def test_each_cause_has_its_section() -> None:
    after = headings(PAGE)[headings(PAGE).index("Dead letters") + 1 :]
    assert after[: len(Cause)] == [cause.value for cause in Cause]


def test_what_is_said_not_to_be_served_is_all_that_is_not(
    migrated: None, database_url: str, redis_url: str, start_orgstream: StartCommand
) -> None:
    env = {"DATABASE_URL": database_url, "REDIS_URL": redis_url}
    served: set[str] = set()
    for command in ("relay", "worker"):
        line = start_orgstream(command, env=env).await_line("action=started")
        address = re.findall(r"metrics=(\S+)", line)[0]
        with urlopen(f"http://{address}/metrics", timeout=10) as reply:  # our own process
            served |= {line.split()[2].decode() for line in reply if line.startswith(b"# HELP")}
    said = set(re.findall(r"^- `(\w+)`$", section(PAGE, "Metrics"), re.MULTILINE))
    assert said == {metric.name for metric in METRICS} - served


def test_app_json_names_the_process_types_and_settings_that_exist() -> None:
    app = json.loads(read(ROOT / "app.json"))
    processes = set(re.findall(r"^(\w+):", read(ROOT / "Procfile"), re.MULTILINE))
    assert set(app["formation"]) == {"relay", "worker", "web"} <= processes
    assert set(app["env"]) <= {name for setting in SETTINGS for name in setting.variables}
    assert all(addon["plan"] for addon in app["addons"])
