"""How many workers `up` and `bench` start by themselves."""

from __future__ import annotations

import pytest

from pipeline.bench import table
from pipeline.bench.machine import this_machine
from pipeline.bench.report import Report
from pipeline.bench.sizes import Options, Sizes
from pipeline.cli import workers


@pytest.mark.parametrize(("processors", "expected"), [(1, 1), (2, 2), (4, 4), (64, 4)])
def test_one_for_each_processor_and_four_at_most(
    processors: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_processors", lambda: processors)
    assert workers.usual_workers() == expected


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (Options(Sizes(), workers=1), "; 1 worker\n"),
        (Options(Sizes(), workers=3), "; 3 workers\n"),
        (Options(Sizes(), workers=2, split=True), "; 2 workers of each stage\n"),
    ],
)
def test_the_report_says_how_many_ran(options: Options, said: str) -> None:
    report = Report("", 0.0, this_machine("18", "valkey 9"), options, {}, [])
    head = table.render(report).partition("┏")[0]  # in as many lines as the table's width asks for
    assert f"{' '.join(head.split())}\n".endswith(said)
