"""The stand-in as a process of its own: for a demo, or for a staging environment without Salesforce."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypedDict, Unpack

import psycopg

from pipeline.connect.connection import Connection
from pipeline.log import get_logger

if TYPE_CHECKING:
    import random
    import threading
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from pipeline.connect.org import SalesforceOrg
    from pipeline.connect.sobject import Mapping

#: Seconds between looks at the clock, and between attempts to reach a database that is away.
LOOK_SECONDS: Final = 0.2
AWAY_SECONDS: Final = 2.0

log = get_logger()


class Delays(TypedDict, total=False):
    """The delays of a `Connection`, in seconds."""

    write_delay: float
    poll_seconds: float
    echo_delay: float
    jitter: float


def run(
    url: str,
    schema: str,
    mappings: Sequence[Mapping],
    *,
    org: SalesforceOrg,
    stop: threading.Event,
    clock: Callable[[], datetime],
    rng: random.Random,
    **delays: Unpack[Delays],
) -> None:
    """Install the add-on, take over the records its tables hold, and replicate until `stop` is set.

    A database that goes away is waited for; what was under way is done again when it is back.
    """
    with Connection(url, schema, mappings, org=org, clock=clock, rng=rng, **delays) as connection:
        installed = False
        while not stop.is_set():
            try:
                if not installed:
                    connection.install()
                    connection.adopt()
                    installed = True
                connection.step()
            except psycopg.OperationalError as error:
                log.warning("the database is away", action="connect_database_away", error=error)
                stop.wait(AWAY_SECONDS)
            stop.wait(LOOK_SECONDS)
