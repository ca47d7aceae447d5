"""Columns: found by name, and what was probably meant where there is none."""

from __future__ import annotations

import difflib
from operator import itemgetter
from typing import TYPE_CHECKING

from stages.expression.compiler.operand import Operand
from stages.expression.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stages.expression.syntax.tree import ColumnName
    from stages.expression.types import SqlType


def column(node: ColumnName, columns: Mapping[str, SqlType]) -> Operand:
    """The column called so. Raises Refusal where there is none."""
    type_ = columns.get(node.name)
    if type_ is None:
        raise Refusal(node.at, f"unknown column {node.name}", _meant(node, columns))
    return Operand(type_, itemgetter(node.name), node.at, frozenset({node.name}), column=node.name)


def _meant(node: ColumnName, columns: Mapping[str, SqlType]) -> str | None:
    name = node.name
    same = [known for known in columns if known.lower() == name.lower()]
    if same:
        return f'did you mean "{same[0]}"? Upper and lower case count in double quotes'
    if node.quoted:
        return f"did you mean the text '{name}'?"
    close = difflib.get_close_matches(name, columns, n=1)
    return f"did you mean {close[0]}?" if close else None
