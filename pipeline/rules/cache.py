"""Rule sets in Redis, so that workers need not ask Postgres; what is lost there is put back from Postgres.

orgstream:rules:live       the live version, kept for a minute: a process that died between its commit and its
                           publication delays the new rules by that much at most
orgstream:rules:<version>  the set of that version as JSON, kept for a day after it was last put there
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final, cast

import msgspec
import redis

from pipeline.errors import Failure
from pipeline.rules import store
from stages.rules.model import RuleSet

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg

LIVE_KEY: Final = "orgstream:rules:live"
LIVE_SECONDS: Final = 60
VERSION_SECONDS: Final = 86_400
_REMEMBERED: Final = 8  # versions kept decoded in the process
_NO_RULES: Final = RuleSet(0, {}, (), ())


def version_key(version: int) -> str:
    """The Redis key of a version's set."""
    return f"orgstream:rules:{version}"


def publish(connection: psycopg.Connection, client: redis.Redis) -> RuleSet:
    """Put the set that is live in Postgres into Redis; the set. Safe to run at the same time as others.

    Postgres is asked after the watch began, and whoever publishes in between makes us ask again: so what
    stands in Redis in the end is never older than what Postgres said last.
    """
    while True:
        with client.pipeline() as pipeline:
            pipeline.watch(LIVE_KEY)  # type: ignore[no-untyped-call]
            rule_set = store.live(connection) or _NO_RULES
            _put(client, rule_set)  # first, so that whoever sees the version finds the set
            pipeline.multi()
            pipeline.set(LIVE_KEY, rule_set.version, ex=LIVE_SECONDS)
            try:
                pipeline.execute()
            except redis.WatchError:
                continue
            return rule_set


class RuleSource:
    """Where a worker gets its rules: one GET for a batch, decoding only what it has not seen.

    It belongs to one thread.
    """

    def __init__(self, connect: Callable[[], psycopg.Connection], client: redis.Redis) -> None:
        self._connect = connect
        self._client = client
        self._newest = _NO_RULES
        self._remembered: dict[int, RuleSet] = {}

    def current(self) -> RuleSet:
        """The live set; an empty one of version 0 before the first `rules apply`. Never older than before."""
        found = cast("bytes | None", self._client.get(LIVE_KEY))
        if found is None:
            rule_set = self._live_in_postgres()
        elif int(found) <= self._newest.version:
            return self._newest
        else:
            rule_set = self.at(int(found))
        if rule_set.version > self._newest.version:
            self._newest = self._remember(rule_set)
        return self._newest

    def at(self, version: int) -> RuleSet:
        """The set of a version. Raises Failure where neither Redis nor Postgres has it."""
        if version in self._remembered:
            return self._remembered[version]
        found = cast("bytes | None", self._client.get(version_key(version)))
        rule_set = self._from_postgres(version) if found is None else msgspec.json.decode(found, type=RuleSet)
        return self._remember(rule_set)

    def _live_in_postgres(self) -> RuleSet:
        with self._connect() as connection:
            try:
                return publish(connection, self._client)
            except redis.ResponseError:  # Redis is full, and it is workers who empty it: they must go on
                return store.live(connection) or _NO_RULES

    def _from_postgres(self, version: int) -> RuleSet:
        with self._connect() as connection:
            rule_set = _NO_RULES if version == 0 else store.at(connection, version)
        if rule_set is None:
            raise Failure(
                f"rule set {version} is not in Postgres: another database uses the same Redis, or this one "
                "was restored to an earlier time. Give Orgstream a Redis of its own, and empty it."
            )
        with contextlib.suppress(redis.ResponseError):  # as above
            _put(self._client, rule_set)
        return rule_set

    def _remember(self, rule_set: RuleSet) -> RuleSet:
        self._remembered[rule_set.version] = rule_set
        if len(self._remembered) > _REMEMBERED:
            self._remembered.pop(min(self._remembered))
        return rule_set


def _put(client: redis.Redis, rule_set: RuleSet) -> None:
    client.set(version_key(rule_set.version), msgspec.json.encode(rule_set), ex=VERSION_SECONDS)
