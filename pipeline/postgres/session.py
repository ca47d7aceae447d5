"""A connection that waits for an answer only as long as the server works on it.

A peer whose kernel is gone is noticed by TCP (keepalives, tcp_user_timeout). One whose kernel still answers
while nothing behind it does (a proxy that hangs, a server that is stopped) is not, and a statement may
rightly take a minute. So after some seconds of silence another connection asks whether ours is at work.
"""

from __future__ import annotations

import contextlib
import math
import time
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Final, TypeVar

import psycopg
from psycopg.pq import TransactionStatus

from pipeline.postgres.queries import load

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

R = TypeVar("R")
_GRACE: Final = 1.0  # seconds for an answer that was on its way while we asked
_TIMES_REFUSED: Final = 10  # so often somebody may refuse to tell
_AT_WORK: Final = frozenset({"active", "fastpath function call", "disabled"})  # disabled: nobody can tell


class Sign(Enum):
    """What another connection sees of ours."""

    AT_WORK = auto()
    NOT_AT_WORK = auto()
    REFUSED = auto()  # somebody is there, and lets no newcomer in


class Silent(psycopg.OperationalError):
    """Raised when an answer is not waited for any longer; the connection is closed."""


class Session(psycopg.Connection[Any]):
    """A connection with a limit to the silence in which it waits for the answer to a statement."""

    patience = math.inf  # seconds of silence before `look`
    look: Callable[[], Sign] = staticmethod(lambda: Sign.NOT_AT_WORK)

    def wait(self, gen: Generator[Any, Any, R], *args: Any, **kwargs: Any) -> R:
        """The driver's, but for the silence. Raises Silent."""
        return super().wait(self._impatient(gen), *args, **kwargs)

    def _impatient(self, gen: Generator[Any, Any, R]) -> Generator[Any, Any, R]:
        silence = _Silence(self)
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if ready:
                    silence = _Silence(self)
                elif self.pgconn.transaction_status == TransactionStatus.ACTIVE and silence.is_final():
                    self.pgconn.finish()  # what waits for a notification is not ACTIVE
                    raise Silent(
                        "Postgres is silent and not at work on our statement: the connection is lost"
                    )
                wanted = gen.send(ready)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]


class _Silence:
    """One silence of a session, from its beginning."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._look_at = time.monotonic() + session.patience
        self._refused = 0
        self._doubted = False

    def is_final(self) -> bool:
        """Whether no answer will come. Now and then this takes as long as it takes to connect."""
        if time.monotonic() < self._look_at:
            return False
        if self._doubted:
            return True
        sign = self._session.look()
        self._refused += sign is Sign.REFUSED
        self._doubted = sign is Sign.NOT_AT_WORK or self._refused > _TIMES_REFUSED
        wait = min(_GRACE, self._session.patience) if self._doubted else self._session.patience
        self._look_at = time.monotonic() + wait
        return False


def watch(session: Session, *, patience: float, url: str, options: dict[str, Any]) -> int:
    """Have a session look, after `patience` seconds without an answer, whether the server works on it.

    `url` and `options` are its connection parameters. The server's number of the session.
    """
    row = session.execute(load("session")["look"]).fetchone()
    pid = row[0] if row else session.info.backend_pid
    limits = {"connect_timeout": max(2, round(patience)), "application_name": "orgstream-probe"}
    session.look = lambda: _sign_of(pid, url, options | limits, patience)
    session.patience = patience
    return int(pid)


def _sign_of(pid: int, url: str, options: dict[str, Any], patience: float) -> Sign:
    try:
        with contextlib.closing(Session.connect(url, autocommit=True, **options)) as probe:
            probe.patience = patience
            row = probe.execute(load("session")["state"], {"pid": pid}).fetchone()
    except (psycopg.errors.ConnectionTimeout, Silent):
        return Sign.NOT_AT_WORK
    except psycopg.OperationalError:
        return Sign.REFUSED
    return Sign.AT_WORK if row is not None and row[0] in _AT_WORK else Sign.NOT_AT_WORK
