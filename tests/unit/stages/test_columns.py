"""The mapped columns of a rule: a row is copied whole and rid of what is not mapped, whatever it holds."""

from __future__ import annotations

from typing import Any

import pytest

from stages.rules.closures import Columns

ROWS: list[dict[str, Any]] = [
    {"k": 1, "a": "x", "b": "y", "c": None},
    {"c": 3, "b": 2, "a": 1, "k": 0},  # in another order
    {"k": 1, "a": "x", "b": "y", "c": "z", "new": 1, "newer": 2},  # of rules that read more
    {"k": 1, "a": "x", "b": "y", "c": "z", "new": 1},
    {"k": 1, "a": "x", "b": "y", "c": "z"},  # and of those again that do not
]
COPIED: list[dict[str, str]] = [
    {},
    {"a": "a", "b": "b"},
    {"a": "a", "other": "b"},
    {"a": "b", "b": "a"},
    {"a": "a", "twice": "a"},
    {"k": "k", "a": "a", "b": "b", "c": "c"},
]


@pytest.mark.parametrize("copied", COPIED)
@pytest.mark.parametrize("computed", [(), ("c",), ("d",), ("k", "d")])
def test_exactly_the_mapped_columns_have_values(copied: dict[str, str], computed: tuple[str, ...]) -> None:
    copied = {name: source for name, source in copied.items() if name not in computed}
    columns = Columns(copied, tuple((name, lambda row: f"{row['a']}!") for name in computed))
    for row in ROWS:
        before = dict(row)
        values = columns.values(row)
        wanted = {name: row[source] for name, source in copied.items()}
        assert values == wanted | dict.fromkeys(computed, f"{row['a']}!")
        assert row == before
        assert columns.changed(row, values) == []
    other = {**ROWS[0], "b": "other"}
    changed = columns.changed(other, columns.values(ROWS[0]))
    assert changed == [name for name, source in copied.items() if source == "b"]
