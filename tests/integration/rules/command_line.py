"""`orgstream rules` as a person types it, in this process."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from pipeline.cli import main

if TYPE_CHECKING:
    import pytest

FILE: Final = """
[orgs.emea]
schema = "emea"
[orgs.us]
schema = "us"
[[rules]]
name = "accounts"
from = "emea.account"
to = "us.account"
key = { ext_id__c = "ext_id__c" }
map = { name = "COALESCE(left(name, 80), '')" }
"""


def run(
    capsys: pytest.CaptureFixture[str], *arguments: str, family: tuple[str, ...] = ("rules",)
) -> tuple[int, str, str]:
    """The exit code, what it printed, and what it said on stderr."""
    code = main([*family, *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def run_json(
    capsys: pytest.CaptureFixture[str], *arguments: str, family: tuple[str, ...] = ("rules",)
) -> tuple[int, Any]:
    """The exit code and the JSON that it printed."""
    code, out, err = run(capsys, *arguments, "--json", family=family)
    assert out, err
    return code, json.loads(out)
