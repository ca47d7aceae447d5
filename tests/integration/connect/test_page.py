"""The example of docs/connect.md runs as it stands there, with another database and without its delays."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tests.integration.connect.world import World

PAGE: Final = Path(__file__).parents[3] / "docs" / "connect.md"


def example(url: str) -> str:
    """The page's first Python block, for this database and without delays."""
    found = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    program = found[1]
    for written, wanted in {
        '"postgresql:///staging"': repr(url),
        "write_delay=10": "write_delay=0",
        "poll_seconds=120": "poll_seconds=0",
    }.items():
        assert written in program
        program = program.replace(written, wanted)
    return program


def test_the_example_of_the_page_replicates_until_it_is_stopped(world: World) -> None:
    world.insert_account()
    program = [sys.executable, "-W", "error", "-c", example(world.url)]
    with world.watch_accounts() as told, subprocess.Popen(program) as staging:
        try:
            assert "Ann SYNCED" in told
        finally:
            staging.send_signal(signal.SIGTERM)
        assert staging.wait(30) == 0
    assert world.account()["status__c"] == "New"
