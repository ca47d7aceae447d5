"""Where in the text a part of sqlglot's tree stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlglot import exp


def place(tree: exp.Expr) -> int:
    """The offset of the first token under `tree` whose place sqlglot kept."""
    starts = (node.meta.get("start") for node in tree.walk())
    return min((int(start) for start in starts if start is not None), default=0)
