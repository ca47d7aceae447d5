"""Named SQL: each file of `sql/queries` holds statements, each under a `-- name: ...` line."""

from __future__ import annotations

import functools
import re
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Final, LiteralString, cast

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.resources.abc import Traversable

_HEADER: Final = re.compile(r"^-- name: (\w+)[ \t]*$", re.MULTILINE)


def sql_folder() -> Traversable:
    """Where the SQL files are: inside the installed package, or at the top of the source tree."""
    installed = resources.files("pipeline") / "sql"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "sql"


@functools.cache
def load(adapter: str) -> Mapping[str, LiteralString]:
    """The statements of `sql/queries/<adapter>.sql` by name. Raises ValueError for a file out of form."""
    return parse((sql_folder() / "queries" / f"{adapter}.sql").read_text(encoding="utf-8"))


def parse(text: str) -> Mapping[str, LiteralString]:
    """Split a file into its statements. Raises ValueError for a name given twice or without a statement."""
    parts = _HEADER.split(text)
    statements: dict[str, LiteralString] = {}
    for name, body in zip(parts[1::2], parts[2::2], strict=True):
        statement = body.strip().rstrip(";")
        if name in statements or not statement:
            raise ValueError(f"the query {name} is given twice or is empty")
        # It comes from our own files and never from input, which is what LiteralString stands for.
        statements[name] = cast(LiteralString, statement)
    return statements
