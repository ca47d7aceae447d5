"""The figures as a table for people."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from pipeline.bench.report import AIMS

if TYPE_CHECKING:
    from pipeline.bench.report import Figure, Report


def render(report: Report) -> str:
    """The report as text, as wide as it needs to be."""
    machine, workers = report.machine, report.options.workers
    plural = "" if workers == 1 else "s"
    ran = f"{workers} worker{plural}" + (" of each stage" if report.options.split else "")
    table = Table(
        title=f"{machine.processor}, {machine.processors} processors, load {machine.load}; "
        f"Postgres {machine.postgres}, {machine.redis}, Python {machine.python}; {ran}",
        title_justify="left",
    )
    for heading in ("figure", "value", "unit", "aim", "", "meaning"):
        table.add_column(heading, justify="right" if heading in {"value", "aim"} else "left")
    group = ""
    for figure in report.figures:
        if group and group != figure.name.partition(".")[0]:
            table.add_section()
        group = figure.name.partition(".")[0]
        table.add_row(*_cells(figure))
    text = io.StringIO()
    Console(file=text, width=200).print(table)
    return text.getvalue().rstrip()


def _cells(figure: Figure) -> list[str]:
    aim = AIMS.get(figure.name)
    sign = "" if aim is None else ("≥" if aim.better == "higher" else "≤")
    verdict = {True: "reached", False: "missed", None: ""}[figure.reached]
    wanted = "" if figure.aim is None else f"{sign} {figure.aim:,.0f}"
    digits = 0 if figure.unit == "changes/s" else 1
    return [figure.name, f"{figure.value:,.{digits}f}", figure.unit, wanted, verdict, figure.meaning]
