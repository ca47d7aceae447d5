"""Writes the dashboards next to here: `python -m deploy.grafana.generate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.grafana.internals import internals
from deploy.grafana.overview import overview
from deploy.grafana.recovery import recovery
from deploy.grafana.rules import rules

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from grafana_foundation_sdk.builders.dashboard import Dashboard

FOLDER: Final = Path(__file__).parent / "dashboards"
DASHBOARDS: Final[Mapping[str, Callable[[], Dashboard]]] = {
    "overview": overview,
    "internals": internals,
    "rules": rules,
    "recovery": recovery,
}


def document(name: str) -> str:
    """A dashboard as Grafana reads it."""
    made = DASHBOARDS[name]().build()
    for number, panel in enumerate(made.panels or [], 1):
        panel.id_val = number  # Grafana links to panels by it
    return JSONEncoder(sort_keys=True, indent=2).encode(made) + "\n"


if __name__ == "__main__":
    for dashboard in DASHBOARDS:
        (FOLDER / f"{dashboard}.json").write_text(document(dashboard), encoding="utf-8")
