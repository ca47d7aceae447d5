"""The demo's words: what is going to happen, and what the proof found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rich.console import Group
from rich.table import Table
from rich.text import Text

from pipeline.demo.objects import HUB, org_names, sends
from pipeline.demo.order import Kind

if TYPE_CHECKING:
    from rich.console import RenderableType

    from pipeline.demo.run import Options
    from pipeline.demo.verdict import Verdict

_SHOWN: Final = 10  # findings


def introduction(options: Options) -> str:
    """A few sentences for somebody who sees this for the first time."""
    orgs = org_names(options.orgs)
    senders = [org for org in orgs if org != HUB and sends(org)]
    receivers = [org for org in orgs if not sends(org)]
    flow = f"{_listed(senders)} into {HUB}" + (
        f", and from {HUB} to {_listed(receivers)}" if receivers else ""
    )
    return (
        f"Orgstream demo: {len(orgs)} simulated Salesforce orgs ({_listed(orgs)}), each mapped by a stand-in "
        f"for Heroku Connect to tables in one Postgres. Rules replicate accounts, contacts and opportunities "
        f"from {flow}. Users edit in all orgs for {options.seconds:g} s; then every source is compared with "
        f"every target, and every write with the history behind it. Seed {options.seed}."
    )


def proof_table(verdict: Verdict, seconds: float) -> RenderableType:
    """What was looked at, rule by rule; the counts; and the first findings, if there are any."""
    rules = Table(box=None, pad_edge=False, header_style="dim")
    rules.add_column("rule")
    for name in ("records", "changes to write", "writes seen"):
        rules.add_column(name, justify="right")
    for rule in verdict.rules:
        rules.add_row(rule.name, f"{rule.records:,}", f"{rule.owed:,}", f"{rule.writes:,}")
    counts = Table(box=None, pad_edge=False, show_header=False)
    counts.add_column(justify="right")
    counts.add_column(style="dim")
    for name, count, meaning, is_fault in _counts(verdict):
        style = "bold red" if is_fault and count else "bold green" if is_fault else "bold"
        counts.add_row(Text(f"{count:,} {name}", style=style), meaning)
    return Group("", rules, "", counts, "", *_findings(verdict), _conclusion(verdict, seconds))


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


def _findings(verdict: Verdict) -> list[Text]:
    return [
        Text(line, style="red") for line in (*finding_lines(verdict), *([""] if verdict.findings else []))
    ]


def _conclusion(verdict: Verdict, seconds: float) -> Text:
    if verdict.proven:
        return Text(
            f"Proven: every change took effect exactly once, in order. {seconds:.0f} s in all.",
            style="bold green",
        )
    return Text("NOT proven. --keep keeps the servers' folder to look into.", style="bold red")


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
