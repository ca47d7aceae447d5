"""Looking values up inside the apply transaction: one query for each table and key that a batch asks for."""

from __future__ import annotations

import functools
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec
from psycopg import sql

from pipeline.postgres.knowledge import Edited
from pipeline.postgres.queries import load
from stages.lookup import Answer, Answers, Questions, Sought, looked_up, questions
from stages.need import Need
from stages.parents import parents_of, with_parents

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import psycopg

    from stages.omit import Omitted
    from stages.passage import Passage
    from stages.rules.compile import CompiledRules
    from stages.rules.model import Table

_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_TAKEN: Final = msgspec.json.Decoder(list[Any], float_hook=Decimal)
_NUMBER: Final = "orgstream_n"


class Lookups:
    """The step that fills looked-up values in."""

    need = Need.LOOKUPS

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def edit(
        self,
        passages: Sequence[Passage],
        rules: CompiledRules,
        omitted: Callable[[], Omitted],  # noqa: ARG002
    ) -> Edited:
        """See `Knowledge`."""
        return Edited(look_up(self._connection, passages, rules))


class Parents:
    """The step that asks whether the rows are there that foreign keys refer to."""

    need = Need.PARENTS

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def edit(
        self,
        passages: Sequence[Passage],
        rules: CompiledRules,
        omitted: Callable[[], Omitted],  # noqa: ARG002
    ) -> Edited:
        """See `Knowledge`."""
        asked = parents_of(passages, rules)
        if not asked:
            return Edited(passages)
        return Edited(with_parents(passages, rules, answers(self._connection, asked)))


def look_up(
    connection: psycopg.Connection, passages: Sequence[Passage], rules: CompiledRules
) -> Sequence[Passage]:
    """The passages with what the database has now. Raises psycopg.Error."""
    asked = questions(passages, rules)
    return looked_up(passages, rules, answers(connection, asked)) if asked else passages


def answers(connection: psycopg.Connection, asked: dict[Sought, Questions]) -> Answers:
    """Look for everything that is asked. Raises psycopg.Error."""
    found: Answers = {}
    for sought, (table, keys, take) in asked.items():
        numbered = list(keys)
        records = [
            {_NUMBER: number, **dict(zip(sought.where, key, strict=True))}
            for number, key in enumerate(numbered)
        ]
        rows = connection.execute(
            _compose(table, sought.where, tuple(take)), {"keys": _ENCODER.encode(records).decode()}
        ).fetchall()
        for number, taken in rows:
            name = (sought, numbered[number])
            if name in found:
                found[name] = found[name]._replace(rows=2)
            else:
                found[name] = Answer(1, dict(zip(take, _TAKEN.decode(taken), strict=True)))
    return found


@functools.lru_cache(maxsize=256)
def _compose(table: Table, where: tuple[str, ...], take: tuple[str, ...]) -> sql.Composed:
    types = {column.name: column.type for column in table.columns}
    # The types are format_type()'s text, which is SQL already.
    defined = [sql.SQL("{} {}").format(sql.Identifier(one), sql.SQL(types[one])) for one in where]
    return sql.SQL(load("lookups")["find"]).format(
        taken=sql.SQL(", ").join(sql.SQL("t.{}").format(sql.Identifier(one)) for one in take),
        defined=sql.SQL(", ").join(defined),
        table=sql.Identifier(table.name.schema, table.name.name),
        same=sql.SQL(" AND ").join(sql.SQL("t.{n} = r.{n}").format(n=sql.Identifier(n)) for n in where),
    )
