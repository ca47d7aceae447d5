"""The log: machine-readable lines that never hold a row's values or a password."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import psycopg
import pytest
import structlog

from pipeline.errors import ConfigurationError
from pipeline.log import Format, configure, describe, get_logger

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _log_as_before() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def log_to(form: Format = "json") -> io.StringIO:
    stream = io.StringIO()
    configure(form, "info", process="relay", stream=stream)
    return stream


def test_a_line_is_json_with_the_action_and_the_sentence() -> None:
    stream = log_to()
    get_logger().info("the lease was lost", action="lease_lost", partition=3)
    line = json.loads(stream.getvalue())
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "level": "info",
        "process": "relay",
        "action": "lease_lost",
        "message": "the lease was lost",
        "partition": 3,
    }


def test_logfmt_puts_the_same_keys_first() -> None:
    stream = log_to("logfmt")
    get_logger().warning("the lease was lost", partition=3, held=True, action="lease_lost")
    _, _, rest = stream.getvalue().rstrip("\n").partition(" ")
    assert rest == (
        'level=warning process=relay action=lease_lost message="the lease was lost" partition=3 held=true'
    )


def test_lines_below_the_level_are_left_out() -> None:
    stream = log_to()
    get_logger().debug("a detail", action="detail")
    assert stream.getvalue() == ""


def test_an_exception_is_named_without_its_message() -> None:
    stream = log_to()
    try:
        int("a row's value")
    except ValueError:
        get_logger().exception("the batch failed", action="batch_failed")
    line = json.loads(stream.getvalue())
    assert line["error"] == "ValueError"
    assert "test_log.py:" in line["places"]
    assert "a row's value" not in stream.getvalue()


def test_a_refused_row_is_told_by_its_sqlstate_alone() -> None:
    error = psycopg.errors.UniqueViolation("duplicate key: Key (email)=(ann@example.org) already exists")
    assert describe(error) == "UniqueViolation (23505)"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ConfigurationError("PORT is wrong"), "ConfigurationError: PORT is wrong"),
        (ConnectionRefusedError(111, "refused"), "ConnectionRefusedError: [Errno 111] refused"),
        (psycopg.OperationalError("no route to\nhost"), "OperationalError: no route to"),
        (psycopg.OperationalError("bad postgres://u:secret@h"), "OperationalError: bad postgres://u:***@h"),
        (psycopg.errors.QueryCanceled("statement timeout"), "QueryCanceled (57014): statement timeout"),
        (KeyError("a row's value"), "KeyError"),
    ],
)
def test_errors_of_servers_keep_their_message(error: Exception, told: str) -> None:
    assert describe(error) == told
