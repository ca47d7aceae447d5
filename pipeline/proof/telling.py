"""How a verdict is told: the object that --json ends with, its counts in words, and the first findings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rich.table import Table
from rich.text import Text

from pipeline.proof.verdict import Kind

if TYPE_CHECKING:
    from pipeline.proof.verdict import Verdict

_SHOWN: Final = 10  # findings


def as_data(verdict: Verdict, *, seed: int, seconds: float) -> dict[str, Any]:
    """The object that --json ends with."""
    return {
        "proven": verdict.proven,
        "captured": verdict.captured,
        "applied": verdict.applied,
        "suppressed": verdict.suppressed,
        "lost": verdict.count(Kind.LOST),
        "repeated": verdict.count(Kind.REPEATED),
        "out_of_order": verdict.count(Kind.OUT_OF_ORDER),
        "wrong": verdict.count(Kind.WRONG),
        "seed": seed,
        "seconds": round(seconds, 1),
    }


def finding_lines(verdict: Verdict) -> list[str]:
    """The first findings, a line each."""
    lines = [f"{f.kind}: {f.rule} {f.key}: {f.message}" for f in verdict.findings[:_SHOWN]]
    more = len(verdict.findings) - len(lines)
    return [*lines, *([f"… and {more:,} more"] if more > 0 else [])]


def counts_table(verdict: Verdict) -> Table:
    """The counts with their meanings; a fault's is red where there are any."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(justify="right")
    table.add_column(style="dim")
    for name, count, meaning, is_fault in _counts(verdict):
        style = "bold red" if is_fault and count else "bold green" if is_fault else "bold"
        table.add_row(Text(f"{count:,} {name}", style=style), meaning)
    return table


def conclusion(verdict: Verdict, seconds: float) -> Text:
    """The last line: proven or not."""
    if verdict.proven:
        return Text(
            f"Proven: every change took effect exactly once, in order. {seconds:.0f} s in all.",
            style="bold green",
        )
    return Text("NOT proven. --keep keeps the servers' folder to look into.", style="bold red")


def finding_texts(verdict: Verdict) -> list[Text]:
    """The first findings in red, and an empty line after them."""
    lines = finding_lines(verdict)
    return [Text(line, style="red") for line in (*lines, *([""] if lines else []))]


def _counts(verdict: Verdict) -> list[tuple[str, int, str, bool]]:
    return [
        ("captured", verdict.captured, "changes of records, in all tables that a rule reads", False),
        ("applied", verdict.applied, "writes into target tables, each once in the ledger", False),
        (
            "suppressed",
            verdict.suppressed,
            "changes that left nothing to write: echoes, notes, fields no rule reads",
            False,
        ),
        ("lost", verdict.count(Kind.LOST), "changes or rows missing in a target", True),
        ("repeated", verdict.count(Kind.REPEATED), "writes that took effect twice", True),
        ("out of order", verdict.count(Kind.OUT_OF_ORDER), "writes that took effect after a later one", True),
        ("wrong", verdict.count(Kind.WRONG), "values that the rules did not ask for", True),
        ("dead letters", verdict.dead, "changes set aside for a person", True),
    ]
