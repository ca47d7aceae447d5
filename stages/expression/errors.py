"""The two ways an expression fails: refused when it is compiled, or undefined for one row."""

from __future__ import annotations


class ExpressionError(Exception):
    """Raised when an expression is outside the language: unknown column or function, wrong types, too long.

    `line` and `column` are 1-based within the expression's text; `suggestion` is a sentence, or None.
    """

    def __init__(self, message: str, line: int, column: int, suggestion: str | None = None) -> None:
        super().__init__(message, line, column, suggestion)
        self.message = message
        self.line = line
        self.column = column
        self.suggestion = suggestion

    def __str__(self) -> str:
        hint = f"; {self.suggestion}" if self.suggestion else ""
        return f"line {self.line}, column {self.column}: {self.message}{hint}"


class EvaluationError(Exception):
    """Raised when an expression has no value for a row, with the SQLSTATE that Postgres gives.

    The message names no value of the row, so it may be logged.
    """

    def __init__(self, sqlstate: str, message: str) -> None:
        super().__init__(sqlstate, message)
        self.sqlstate = sqlstate
        self.message = message
        self.target: str | None = None  # the target column that it was to fill, once that is known

    def __str__(self) -> str:
        return f"{self.message} ({self.sqlstate})"


class Refusal(Exception):
    """Raised within the compiler where only the offset in the text is known; becomes an ExpressionError."""

    def __init__(self, at: int, message: str, suggestion: str | None = None) -> None:
        super().__init__(at, message, suggestion)
        self.at = at
        self.message = message
        self.suggestion = suggestion

    def placed(self, text: str) -> ExpressionError:
        """The same refusal with line and column, `text` being the whole expression."""
        before = text[: self.at]
        column = self.at - (before.rfind("\n") + 1) + 1
        return ExpressionError(self.message, before.count("\n") + 1, column, self.suggestion)
