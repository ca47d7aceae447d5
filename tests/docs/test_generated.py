"""The pages that are written from declarations are current, and nothing declared is left out."""

from __future__ import annotations

import pytest

from pipeline.cli import document as commands
from pipeline.metrics import document as metrics
from pipeline.metrics.catalog import METRICS
from pipeline.postgres import document as faults
from pipeline.settings import SETTINGS
from tests.docs.pages import DOCS, blocks, first_column, headings, read, section


def test_the_page_of_metrics_is_current() -> None:
    assert read(DOCS / "metrics.md") == metrics.document(), (
        "run: python -m pipeline.metrics.document > docs/metrics.md"
    )


def test_the_page_of_commands_is_current() -> None:
    assert read(DOCS / "commands.md") == commands.document(), (
        "run: python -m pipeline.cli.document > docs/commands.md"
    )


def test_the_page_of_faults_is_current() -> None:
    assert read(DOCS / "faults.md") == faults.document(), (
        "run: python -m pipeline.postgres.document > docs/faults.md"
    )


def test_every_metric_is_listed() -> None:
    assert first_column(read(DOCS / "metrics.md"))[::1][0] == METRICS[0].name
    assert {metric.name for metric in METRICS} <= set(first_column(read(DOCS / "metrics.md")))


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_is_listed(setting: object) -> None:
    variables = getattr(setting, "variables", ())
    assert all(f"`{name}`" in read(DOCS / "settings.md") for name in variables)


def test_every_metric_and_setting_that_a_page_names_exists() -> None:
    known = {metric.name for metric in METRICS} | {name for s in SETTINGS for name in s.variables}
    named = {
        word
        for page in (DOCS / "operations.md", DOCS / "architecture.md", DOCS / "guarantees.md")
        for word in _code(read(page))
        if word.startswith(("orgstream_", "ORGSTREAM_"))
    }
    assert named - known - {"orgstream_relay"} == set()


def _code(text: str) -> list[str]:
    return text.replace("\n", " ").split("`")[1::2]


def test_the_pages_have_sections_and_examples_at_all() -> None:
    assert {"relay", "worker", "rules apply", "status"} <= set(headings(DOCS / "commands.md"))
    assert len(blocks(DOCS / "commands.md", "text")) == len(headings(DOCS / "commands.md")) - 1
    assert "`--stages" not in section(DOCS / "commands.md", "relay")
