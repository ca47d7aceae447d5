"""docs/prove.md lists the faults as they are."""

from __future__ import annotations

from pipeline.prove.faults import FAULTS
from tests.docs.pages import DOCS, section


def test_the_faults_are_listed() -> None:
    rows = [line for line in section(DOCS / "prove.md", "Faults").splitlines() if line.startswith("| `")]
    assert rows == [f"| `{name}` | {fault.meaning} |" for name, fault in FAULTS.items()]
