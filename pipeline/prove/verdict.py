"""What the prover found, with what it did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.table import Table

from pipeline.proof.telling import as_data, conclusion, counts_table, finding_texts
from pipeline.proof.verdict import Verdict

if TYPE_CHECKING:
    from rich.console import RenderableType


class ProveVerdict(Verdict, frozen=True):
    """The verdict, the history behind it, and the faults."""

    committed: int  # changes, as the writers count them
    effects: int  # keys that transactions of the pipeline changed
    transactions: dict[str, int]  # of the writers, by how they ended
    faults: dict[str, int]  # how often each struck


def prove_data(verdict: ProveVerdict, *, seed: int, seconds: float) -> dict[str, Any]:
    """The object that --json ends with."""
    return as_data(verdict, seed=seed, seconds=seconds) | {
        "committed": verdict.committed,
        "effects": verdict.effects,
        "dead": verdict.dead,
        "transactions": verdict.transactions,
        "faults": verdict.faults,
    }


def prove_table(verdict: ProveVerdict, *, seed: int, seconds: float) -> RenderableType:
    """What was done, the counts, and the first findings."""
    done = Table(box=None, pad_edge=False, show_header=False)
    done.add_column(style="dim")
    done.add_column()
    done.add_row("seed", str(seed))
    done.add_row("writers", f"{verdict.committed:,} changes committed; {_listed(verdict.transactions)}")
    done.add_row("faults", _listed(verdict.faults) or "none")
    done.add_row("effects", f"{verdict.effects:,} seen in the target, each judged against the history")
    return Group(
        "", done, "", counts_table(verdict), "", *finding_texts(verdict), conclusion(verdict, seconds)
    )


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())
