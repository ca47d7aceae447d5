"""What has to be true of the ledger, the streams and the target, after each step and at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stages.write import Action, Write
from tests.model.mover import LIMITS
from tests.model.ruled import RULES, writes_of

if TYPE_CHECKING:
    from tests.fixtures.memory.database import MemoryDatabase, QueuedChange, Row
    from tests.fixtures.memory.redis import MemoryRedis

Tables = dict[tuple[str, str], dict[tuple[Any, ...], "Row"]]
Effect = tuple[int, int]  # change, rule


class Broken(AssertionError):
    """Raised when a promise does not hold."""


def check_ledger(database: MemoryDatabase) -> None:
    """Each write took effect once, in the order of its record; nothing uncommitted did."""
    if len(set(database.ledger)) < len(database.ledger):
        raise Broken(f"applied twice: {database.ledger}")
    changes = {change.id: change for change in database.visible()}
    latest: dict[tuple[int, str], int] = {}
    for id_, rule in database.ledger:
        if id_ not in changes:
            raise Broken(f"change {id_} was applied and never committed")
        for key in keys_of(changes[id_]):
            if latest.get((rule, key), 0) > id_:
                raise Broken(f"rule {rule}, record {key}: {id_} after {latest[rule, key]}")
            latest[rule, key] = id_


def check_bounds(redis: MemoryRedis, duplicates: int) -> None:
    """The streams hold what the relay may publish, and no more; marks are no changes."""
    lying = sum(
        entry.field != b"mark" for stream in redis.keys.streams.values() for entry in stream.entries.values()
    )
    if lying > LIMITS.max_entries + duplicates:
        raise Broken(f"{lying} changes lie in the streams")


def check_end(database: MemoryDatabase, redis: MemoryRedis) -> None:
    """Everything committed was applied, or waits where a person sees it; the target is what it should be."""
    if any(stream.entries for stream in redis.keys.streams.values()):
        raise Broken("the streams did not run empty")
    done, held = set(database.ledger), set(database.held)
    wanted = {(change.id, write.rule) for change in database.visible() for write in writes_of(change)}
    if lost := wanted - done - held - lettered(database):
        raise Broken(f"lost: {sorted(lost)}")
    if wrong := (done - wanted) | (done & held):
        raise Broken(f"applied and should not be: {sorted(wrong)}")
    expected = oracle(database, done)
    found = {name: rows for name, rows in database.rows.items() if rows}
    if found != expected:
        raise Broken(f"the target holds {found}, and should hold {expected}")


def lettered(database: MemoryDatabase) -> set[Effect]:
    """What a letter tells of, or a person gave up."""
    return {
        (letter.change_id or 0, letter.rule_id or 0)
        for letter in database.letters
        if letter.resolution in (None, "skip")
    }


def oracle(database: MemoryDatabase, done: set[Effect]) -> Tables:
    """The target after one write after the other."""
    tables: Tables = {}
    for change in database.visible():
        for write in writes_of(change):
            if (change.id, write.rule) in done:
                name = RULES.by_id[write.rule].target.name
                _write(tables.setdefault((name.schema, name.name), {}), write)
    return {name: rows for name, rows in tables.items() if rows}


def keys_of(change: QueuedChange) -> set[str]:
    """The keys that a change concerns."""
    return {key["k"] for key in (change.key, change.old_key) if key is not None}


def _write(rows: dict[tuple[Any, ...], Row], write: Write) -> None:
    if write.action is Action.DELETE:
        rows.pop(write.key, None)
        return
    if write.old_key is not None and write.old_key in rows:
        rows[write.key] = rows.pop(write.old_key) | {"k": write.key[0]}
    if write.key in rows:
        names = write.changed if write.action is Action.UPDATE else tuple(write.values)
        rows[write.key] |= {name: write.values[name] for name in names}
    else:
        rows[write.key] = {"k": write.key[0], **write.values}
