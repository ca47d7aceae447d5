"""What Heroku Connect has yet to send and what it failed to, of everybody's writes and of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from pipeline.metrics import standing
from pipeline.metrics.registry import Reading
from pipeline.postgres.queries import load

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from stages.rules.model import RuleSet


def look_at_connect(connection: psycopg.Connection, rules: RuleSet) -> Iterator[Reading]:
    """The trigger logs by org; nothing of an org without one. Raises psycopg.Error."""
    queries = load("observe")
    found = connection.execute(queries["connected"], {"schemas": list(rules.orgs.values())}).fetchall()
    connected = {row[0] for row in found}
    for org, schema in rules.orgs.items():
        if schema in connected:
            query = sql.SQL(queries["connect"]).format(schema=sql.Identifier(schema))
            pending, since, failed = connection.execute(query).fetchone() or (0, None, 0)
            yield Reading(standing.CONNECT_PENDING, pending, {"org": org})
            yield Reading(standing.CONNECT_FAILED, failed, {"org": org})
            if since is not None:
                yield Reading(standing.CONNECT_OLDEST, since.timestamp(), {"org": org})
    names = {schema: org for org, schema in rules.orgs.items() if schema in connected}
    rows = connection.execute(queries["deliveries"], {"schemas": sorted(names)}).fetchall()
    for schema, pending, since, refused in rows:
        yield Reading(standing.PENDING_DELIVERIES, pending, {"org": names[schema]})
        yield Reading(standing.REFUSED_RECORDS, refused, {"org": names[schema]})
        if since is not None:
            yield Reading(standing.OLDEST_DELIVERY, since.timestamp(), {"org": names[schema]})
