"""A world with rules over two tables, and short ways to write to it and to look at what arrives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.worker.mass import Mass

if TYPE_CHECKING:
    from tests.fixtures.world import World


@pytest.fixture(autouse=True)
def _ruled(world: World) -> None:
    world.apply_rules()


@pytest.fixture
def mass(world: World) -> Mass:
    """A world for deletes in a mass, with a relay and a worker."""
    return Mass(world)


def account(world: World, ext_id: str, name: str | None = "Ann", **columns: Any) -> None:
    """Write an active account, inserted or over what is there."""
    values = {"city": "Rome", "amount": 1, "active": True} | columns
    world.app.execute(
        "INSERT INTO emea.account VALUES (%s, %s, %s, %s, %s) ON CONFLICT (ext_id) DO UPDATE"
        " SET name = excluded.name, city = excluded.city, amount = excluded.amount, active = excluded.active",
        [ext_id, name, values["city"], values["amount"], values["active"]],
    )


def targets(world: World) -> tuple[list[Any], list[Any]]:
    """Both target tables."""
    return (
        world.rows("SELECT ext_id, name, city, amount FROM us.account ORDER BY 1"),
        world.rows("SELECT ext_id, account, email FROM us.contact ORDER BY 1"),
    )


def letters(world: World) -> list[tuple[Any, ...]]:
    """Cause, rule and key of the open dead letters."""
    return world.rows(
        "SELECT cause, rule, key FROM orgstream.dead_letter WHERE resolved_at IS NULL ORDER BY id"
    )


def ledger(world: World) -> list[tuple[Any, ...]]:
    """The idempotency keys of what was applied."""
    return world.rows("SELECT change_id, rule_id, rule_version FROM orgstream.applied ORDER BY 1, 2")


def names(world: World) -> dict[str, str]:
    """The names of the target accounts by their key."""
    return {row[0]: row[1] for row in targets(world)[0]}
