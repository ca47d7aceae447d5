"""Values as Salesforce keeps them: two that it cannot tell apart are one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from stages.expression import SqlType

if TYPE_CHECKING:
    from collections.abc import Hashable

_DIGITS: Final = 15  # that a number keeps
_NUMBERS: Final = frozenset({SqlType.INTEGER, SqlType.NUMERIC, SqlType.DOUBLE})
_MOMENTS: Final = frozenset({SqlType.TIMESTAMP, SqlType.TIMESTAMPTZ})


def canonical(document: msgspec.Raw, type_: SqlType) -> Hashable:
    """What is left of a column's value, given as JSON, when it has been to Salesforce and back.

    Blanks around a text go, and an empty one is NULL; a number keeps 15 digits, a time whole seconds; a
    checkbox is never NULL.
    """
    value = msgspec.json.decode(document)
    if type_ is SqlType.BOOLEAN:
        return bool(value)
    if isinstance(value, str):
        return _moment(value) if type_ in _MOMENTS else value.strip() or None
    if type_ in _NUMBERS and value is not None:
        return _number(value)
    return value if value is None else msgspec.json.encode(value, order="sorted")


def _number(value: Any) -> Hashable:
    try:
        return f"{float(value) + 0.0:.{_DIGITS}g}"
    except OverflowError:
        return str(value)


def _moment(text: str) -> Hashable:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:  # infinity, and times before Christ
        return text
    utc = moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    return utc.replace(microsecond=0)
