"""Logging: one line per fact on stderr, with a stable `action` for machines and a sentence for people.

Ids, names and counts only, never a row's values; so of most exceptions only the kind is written.
"""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING, Any, Final, Literal, TextIO, cast

import msgspec
import structlog

from pipeline.settings.url import masked

if TYPE_CHECKING:
    from types import TracebackType

    from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

Format = Literal["logfmt", "json"]
Level = Literal["debug", "info", "warning", "error"]

_FIRST_KEYS: Final = ["timestamp", "level", "process", "action", "message"]
# Bases of exceptions that speak of servers and files. All others may quote the row that they failed on.
_TELLING: Final = frozenset({"OrgstreamError", "OSError", "OperationalError", "RedisError"})


def get_logger() -> FilteringBoundLogger:
    """A logger: `log.info("the lease was lost", action="lease_lost", partition=3)`."""
    return cast("FilteringBoundLogger", structlog.get_logger())


def configure(form: Format, level: Level, *, process: str = "", stream: TextIO | None = None) -> None:
    """Write lines of `level` and above to `stream` (stderr), marked with the kind of `process`."""

    def mark(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
        return {"process": process, **line} if process else line

    processors: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        mark,
        _describe_errors,
        structlog.processors.EventRenamer("message"),
        _order,
        structlog.processors.LogfmtRenderer(bool_as_flag=False) if form == "logfmt" else _as_json,
    ]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # Asked at each line, not kept: whoever runs us in-process may put another stderr in place.
        logger_factory=lambda *_: structlog.PrintLogger(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )


def describe(error: BaseException) -> str:
    """The kind of `error`, with its message only where that cannot hold values of a row, nor a password."""
    kind = type(error).__name__
    sqlstate = getattr(error, "sqlstate", None)
    name = f"{kind} ({sqlstate})" if sqlstate else kind
    if _TELLING.isdisjoint(base.__name__ for base in type(error).__mro__):
        return name
    first_line = str(error).strip().partition("\n")[0]
    return f"{name}: {masked(first_line)}" if first_line else name


def _describe_errors(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    """Turn `error=exception` and `exc_info=True` into words, and the latter into the places it passed too."""
    told = line.pop("exc_info", None)
    error = sys.exc_info()[1] if told is True else told
    if isinstance(error, BaseException):
        line.setdefault("error", error)
        line["places"] = _places(error.__traceback__)
    if isinstance(line.get("error"), BaseException):
        line["error"] = describe(line["error"])
    return line


def _places(trace: TracebackType | None) -> str:
    return " > ".join(f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(trace))


def _order(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    return {**{key: line[key] for key in _FIRST_KEYS if key in line}, **line}


def _as_json(_: WrappedLogger, __: str, line: EventDict) -> str:
    return msgspec.json.encode(line, enc_hook=_encode).decode()


def _encode(value: Any) -> str:
    return masked(str(value))
