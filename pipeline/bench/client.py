"""One client of the benchmarks, run as a process: single-row updates, as many as it can or at a rate.

Arguments: its number and how many there are. Each line of input is a JSON object (`seconds`, and `rate` per
second, 0 for as many as it can); each is answered by a line with the number of transactions.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Final

import msgspec
import psycopg

from pipeline.postgres.queries import load

if TYPE_CHECKING:
    from collections.abc import Iterator

_FIRST: Final = 100  # the accounts below are the probe's
_RECORDS: Final = 800  # of each client: no two clients write the same


class Order(msgspec.Struct, frozen=True):
    """What to do next."""

    seconds: float
    rate: float


def main(number: int, clients: int) -> None:
    """Follow orders until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the benchmark decides when we end
    records = itertools.cycle(range(_FIRST + number, _FIRST + clients * _RECORDS, clients))
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        print("ready", flush=True)  # noqa: T201  # it is the answer
        for line in sys.stdin:
            print(_write(connection, records, msgspec.json.decode(line, type=Order)), flush=True)  # noqa: T201


def _write(connection: psycopg.Connection, records: Iterator[int], order: Order) -> int:
    query = load("bench")["revise"]
    began = time.monotonic()
    count = 0
    with connection.cursor() as cursor:
        while (now := time.monotonic()) - began < order.seconds:
            if order.rate and now < began + count / order.rate:
                time.sleep(began + count / order.rate - now)
            count += 1
            parameters = {"revision": count, "phone": str(count), "number": next(records)}
            cursor.execute(query, parameters, prepare=True)
    return count


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
