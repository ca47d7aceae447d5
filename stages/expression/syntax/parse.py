"""From text to sqlglot's tree: the dialect, the limits, and syntax errors with their places.

This module and `lower` are the only ones that know sqlglot. Every token passes a gate first, because the
parser behind it reads many dialects leniently and takes exponential time over nested `type(` forms.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, Final

from sqlglot import exp
from sqlglot.dialects.postgres import Postgres
from sqlglot.errors import ParseError, TokenError
from sqlglot.parsers.postgres import PostgresParser
from sqlglot.tokenizer_core import TokenType

from stages.expression.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlglot.tokenizer_core import Token

MAX_LENGTH: Final = 2_000
"""Characters in an expression."""
MAX_NESTING: Final = 20
"""Parentheses, brackets, CASEs and NOTs open at once; each takes two dozen frames of the stack."""

_SPECIAL_FORMS: Final = ("CAST", "EXTRACT", "POSITION", "SUBSTRING", "TRIM")
_SIGNS: Final = frozenset(
    "( ) [ ] , = == <> != < <= > >= + - * / % || && ! ::".split()  # noqa: SIM905 - a list of signs reads best so
)
_OPENING: Final = {TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.CASE}
_CLOSING: Final = {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.END}
_SEPARATING: Final = {TokenType.AND, TokenType.OR, TokenType.COMMA, TokenType.THEN, TokenType.ELSE}
_NO_TEXT: Final = frozenset(
    {
        TokenType.BIT_STRING,
        TokenType.BYTE_STRING,
        TokenType.HEREDOC_STRING,
        TokenType.HEX_STRING,
        TokenType.NATIONAL_STRING,
        TokenType.RAW_STRING,
        TokenType.UNICODE_STRING,
    }
)
_CLOSED: Final = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/""", re.DOTALL)
_HINTS: Final = {
    ".": "a column is written without its table, and a number with a digit before the point",
    ";": "an expression is one value, not a statement",
    "~": "there are no regular expressions; use LIKE",
    "^": "there is no power operator",
}


class RuleDialect(Postgres):
    """Postgres, and `&&` for AND. Functions stay as they are named: what each means is ours to say."""

    class Tokenizer(Postgres.Tokenizer):
        """Postgres's tokens."""

        KEYWORDS: ClassVar[dict[str, TokenType]] = {**Postgres.Tokenizer.KEYWORDS, "&&": TokenType.AND}

    class Parser(PostgresParser):
        """Postgres's grammar without rewriting of functions."""

        FUNCTIONS: ClassVar[dict[str, Any]] = {}
        NO_PAREN_FUNCTIONS: ClassVar[dict[Any, Any]] = {}
        NO_PAREN_FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
            "CASE": PostgresParser.NO_PAREN_FUNCTION_PARSERS["CASE"]
        }
        FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
            name: PostgresParser.FUNCTION_PARSERS[name] for name in _SPECIAL_FORMS
        }


_DIALECT: Final = RuleDialect()


def parse(text: str) -> exp.Expr:
    """Sqlglot's tree of `text`. Raises Refusal where it is too long, too deep or no expression."""
    if len(text) > MAX_LENGTH:
        raise Refusal(MAX_LENGTH, f"the expression has {len(text)} characters; at most {MAX_LENGTH} are read")
    tokens = _tokens(text)
    _check_tokens(tokens)
    try:
        trees = _DIALECT.parser().parse_into(exp.Condition, tokens, text)
    except ParseError as error:
        raise _refusal(error, text) from None
    except RecursionError:
        raise Refusal(0, "the expression is nested too deeply") from None
    tree = trees[0]
    if tree is None:
        raise Refusal(0, "there is no expression here")
    return tree


def _tokens(text: str) -> list[Token]:
    try:
        tokens = _DIALECT.tokenize(text)
    except TokenError:
        blanked = _CLOSED.sub(lambda match: " " * len(match.group()), text)
        found = re.search(r"""['"]|/\*""", blanked)
        at = found.start() if found else 0
        raise Refusal(at, "what begins here is not ended", "a quote within a text is doubled: ''") from None
    if not tokens:
        raise Refusal(0, "the expression is empty")
    return tokens


def _check_tokens(tokens: Sequence[Token]) -> None:
    for token in tokens:
        _check_token(token)
    _check_nesting(tokens)
    for index, (token, following) in enumerate(pairwise(tokens)):
        if following.token_type is TokenType.L_PAREN and token.token_type in PostgresParser.TYPE_TOKENS:
            _check_type_call(token, tokens[index + 2 :])


def _check_nesting(tokens: Sequence[Token]) -> None:
    levels = [0]  # for each open level, the NOTs since its last operand began
    for token in tokens:
        kind = token.token_type
        if kind in _OPENING:
            levels.append(0)
        elif kind in _CLOSING and len(levels) > 1:
            levels.pop()
        elif kind is TokenType.NOT:
            levels[-1] += 1
        elif kind in _SEPARATING:
            levels[-1] = 0
        if len(levels) + sum(levels) > MAX_NESTING + 1:
            raise Refusal(token.start, f"more than {MAX_NESTING} parentheses, CASEs and NOTs are open here")


def _check_token(token: Token) -> None:
    kind, text = token.token_type, token.text
    if kind in {TokenType.STRING, TokenType.IDENTIFIER, TokenType.NUMBER}:
        if "\0" in text:
            raise Refusal(token.start, "the character NUL cannot stand in a text")
        return
    if kind in _NO_TEXT:
        raise Refusal(token.start, "only plain texts are read here", "write 'text', its quotes doubled")
    if text not in _SIGNS and not (text[:1].isalpha() or text[:1] == "_"):
        raise Refusal(token.start, f"{text} is not part of the rule language", _HINTS.get(text))


def _check_type_call(token: Token, following: Sequence[Token]) -> None:
    """Refuse `type(…)` unless only numbers stand within, as in numeric(12,2)."""
    for inner in following:
        if inner.token_type is TokenType.R_PAREN:
            return
        if inner.token_type not in {TokenType.NUMBER, TokenType.COMMA}:
            break
    name = token.text
    raise Refusal(token.start, f"{name} is a type, not a function", f"write CAST(… AS {name})")


def _refusal(error: ParseError, text: str) -> Refusal:
    fault = error.errors[0]
    found = str(fault.get("highlight") or "")
    lines = text.split("\n")
    line = int(fault.get("line") or 1)
    column = int(fault.get("col") or 1)  # sqlglot names the last column of the token
    at = sum(len(passed) + 1 for passed in lines[: line - 1]) + max(column - len(found), 0)
    said = str(fault.get("description") or "")
    if said.startswith("Expect"):
        return Refusal(at, f"{said[0].lower()}{said[1:]} near {found}")
    if said.startswith("Invalid"):
        return Refusal(at, f"{found} was not expected here")
    return Refusal(at, f"something is missing near {found}")
