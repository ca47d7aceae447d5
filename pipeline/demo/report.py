"""The demo's words: what is going to happen, and what the proof found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table

from pipeline.demo.objects import HUB, org_names, sends
from pipeline.proof.telling import conclusion, counts_table, finding_texts

if TYPE_CHECKING:
    from rich.console import RenderableType

    from pipeline.demo.run import Options
    from pipeline.demo.verdict import DemoVerdict


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


def proof_table(verdict: DemoVerdict, seconds: float) -> RenderableType:
    """What was looked at, rule by rule; the counts; and the first findings, if there are any."""
    rules = Table(box=None, pad_edge=False, header_style="dim")
    rules.add_column("rule")
    for name in ("records", "changes to write", "writes seen"):
        rules.add_column(name, justify="right")
    for rule in verdict.rules:
        rules.add_row(rule.name, f"{rule.records:,}", f"{rule.owed:,}", f"{rule.writes:,}")
    return Group(
        "", rules, "", counts_table(verdict), "", *finding_texts(verdict), conclusion(verdict, seconds)
    )


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
