"""A world with many accounts on both sides and a limit for deletes, and short ways to look at it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, LiteralString

from psycopg import sql

from pipeline.letters import Selection, request, select
from tests.fixtures.orgs import RULES

if TYPE_CHECKING:
    from pipeline.letters import LetterView
    from pipeline.relay import Relay
    from pipeline.worker import Worker
    from tests.fixtures.world import World

NAME: Final = 'name = "accounts"'


class Mass:
    """A world with accounts on both sides, and a rule that lets a few deletes through."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.relay: Relay = world.relay()
        self.worker: Worker = world.worker()

    def begin(self, limit: str = "count = 5", records: int = 30) -> None:
        """Apply the rules with a limit, and fill both sides."""
        self.world.apply_rules(RULES.replace(NAME, f"{NAME}\nmax_deletes = {{ {limit} }}"))
        self.world.app.execute(
            "INSERT INTO emea.account SELECT 'k' || n, 'n' || n, 'Rome', n, true"
            " FROM generate_series(1, %s) AS n",
            [records],
        )
        self.settle()
        assert self.targets() == records

    def settle(self) -> None:
        """Carry everything, and do what was asked for letters."""
        self.world.settle(self.relay, self.worker)
        self.world.clock.advance()
        self.world.settle(self.relay, self.worker)

    def run(self, statement: LiteralString, *parameters: object) -> None:
        """A statement at the source, and what comes of it."""
        self.world.app.execute(statement, parameters or None)
        self.settle()

    def let_hours_pass(self) -> None:
        """All that was captured, and every burst, lies further back."""
        for table, columns in (("change_queue", ["captured_at"]), ("delete_burst", ["since", "until"])):
            for column in columns:
                self.world.app.execute(
                    sql.SQL("UPDATE orgstream.{} SET {} = {} - interval '3 hours'").format(
                        sql.Identifier(table), sql.Identifier(column), sql.Identifier(column)
                    )
                )
        self.world.app.execute("UPDATE orgstream.hold_epoch SET epoch = epoch + 1")

    def targets(self) -> int:
        """How many accounts the target has."""
        [(count,)] = self.world.rows("SELECT count(*) FROM us.account")
        return int(count)

    def letters(self) -> list[LetterView]:
        """What waits for a person."""
        return select(self.world.app, Selection())

    def ask(self, what: str) -> None:
        """Have all that waits approved (retry) or refused (skip)."""
        assert request(self.world.app, self.letters(), what, "a test")
        self.settle()

    def in_target(self, query: LiteralString) -> object:
        """The only value of a query."""
        [(value,)] = self.world.rows(query)
        return value
