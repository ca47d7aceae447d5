"""The demo's rules: the files of `rules/`; a further region has those of emea or us, under its own name."""

from __future__ import annotations

import re
from importlib import resources
from typing import TYPE_CHECKING

from pipeline.demo.objects import HUB, SENDERS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def write_rules(folder: Path, orgs: Iterable[str]) -> Path:
    """Write a rules file for each org into a new folder; the folder."""
    folder.mkdir(parents=True)
    for org in orgs:
        (folder / f"{org}.toml").write_text(_rules_of(org), encoding="utf-8")
    return folder


def _rules_of(org: str) -> str:
    model = HUB if org == HUB else "emea" if org in SENDERS else "us"
    text = (resources.files("pipeline.demo") / "rules" / f"{model}.toml").read_text(encoding="utf-8")
    for old, new in ((model, org), (model.upper(), org.upper())):
        text = re.sub(rf"\b{old}\b", new, text)
    return text
