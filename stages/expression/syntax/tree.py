"""The syntax tree: what the parser's many node types are reduced to, each with its place in the text."""

from __future__ import annotations

from typing import TypeAlias

import msgspec


class ColumnName(msgspec.Struct, frozen=True):
    """A column of the source row; an unquoted name was folded to lower case, as Postgres does."""

    name: str
    at: int
    quoted: bool = False


class TextLiteral(msgspec.Struct, frozen=True):
    """A text in single quotes: of unknown type until its surroundings give it one."""

    text: str
    at: int


class NumberLiteral(msgspec.Struct, frozen=True):
    """A number without sign, as it was written."""

    text: str
    at: int


class TruthLiteral(msgspec.Struct, frozen=True):
    """TRUE or FALSE."""

    value: bool
    at: int


class NullLiteral(msgspec.Struct, frozen=True):
    """NULL, of unknown type like a text literal."""

    at: int


class IntervalLiteral(msgspec.Struct, frozen=True):
    """A span of time, only ever added to or taken from a date or timestamp."""

    months: int
    days: int
    microseconds: int
    at: int


class TypeName(msgspec.Struct, frozen=True):
    """A type as named in a cast, in one spelling per type; `modifiers` are length, or precision and scale."""

    name: str
    modifiers: tuple[int, ...] = ()


class Cast(msgspec.Struct, frozen=True):
    """CAST(operand AS type), also written operand::type or type 'literal'."""

    operand: Node
    type: TypeName
    at: int


class Operation(msgspec.Struct, frozen=True):
    """An operator with its operands, or a predicate such as IN and BETWEEN; named as in `render`."""

    name: str
    operands: tuple[Node, ...]
    at: int


class Call(msgspec.Struct, frozen=True):
    """A function and its arguments; the name in lower case, one spelling per function."""

    name: str
    arguments: tuple[Node, ...]
    at: int


class Case(msgspec.Struct, frozen=True):
    """CASE in both forms; `subject` is None in the one with conditions."""

    subject: Node | None
    branches: tuple[tuple[Node, Node], ...]
    default: Node | None
    at: int


Node: TypeAlias = (
    ColumnName
    | TextLiteral
    | NumberLiteral
    | TruthLiteral
    | NullLiteral
    | IntervalLiteral
    | Cast
    | Operation
    | Call
    | Case
)
