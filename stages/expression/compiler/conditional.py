"""CASE, COALESCE, GREATEST and LEAST."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stages.expression.compiler.coercion import coerce, common_type
from stages.expression.compiler.comparison import tester
from stages.expression.compiler.operand import Operand, computed, constant
from stages.expression.types import Evaluate, SqlType
from stages.expression.values.ordering import relation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stages.expression.compiler.comparison import Test


def case(
    subject: Operand | None, branches: Sequence[tuple[Operand, Operand]], default: Operand | None, at: int
) -> Operand:
    """CASE: the result of the first branch that holds, or equals the subject; else the default."""
    last = default or constant(None, None, at)
    type_ = common_type([last, *(then for _, then in branches)], "CASE")
    chosen = [coerce(then, type_) for _, then in branches]
    otherwise = coerce(last, type_)
    results = [then.evaluate for then in chosen]
    if subject is None:
        tested = [coerce(when, SqlType.BOOLEAN) for when, _ in branches]
        pairs = tuple(zip((when.evaluate for when in tested), results, strict=True))
        return computed(type_, _first_true(pairs, otherwise.evaluate), at, *tested, *chosen, otherwise)
    if subject.type is None:
        subject = coerce(subject, SqlType.TEXT)
    tests = tuple(tester("=", subject, when) for when, _ in branches)
    evaluate = _first_equal(subject.evaluate, tuple(zip(tests, results, strict=True)), otherwise.evaluate)
    return computed(type_, evaluate, at, subject, *(when for when, _ in branches), *chosen, otherwise)


def _first_true(branches: tuple[tuple[Evaluate, Evaluate], ...], otherwise: Evaluate) -> Evaluate:
    def evaluate(row: Any) -> Any:
        for when, then in branches:
            if when(row) is True:
                return then(row)
        return otherwise(row)

    return evaluate


def _first_equal(
    subject: Evaluate, branches: tuple[tuple[Test, Evaluate], ...], otherwise: Evaluate
) -> Evaluate:
    def evaluate(row: Any) -> Any:
        value = subject(row)
        for test, then in branches:
            if test(value, row) is True:
                return then(row)
        return otherwise(row)

    return evaluate


def coalesce(operands: Sequence[Operand], at: int) -> Operand:
    """The first operand that is not NULL."""
    type_ = common_type(operands, "COALESCE")
    same = [coerce(operand, type_) for operand in operands]
    return computed(type_, _first_known(tuple(part.evaluate for part in same)), at, *same)


def _first_known(parts: tuple[Evaluate, ...]) -> Evaluate:
    def evaluate(row: Any) -> Any:
        for part in parts:
            value = part(row)
            if value is not None:
                return value
        return None

    return evaluate


def greatest(operands: Sequence[Operand], at: int) -> Operand:
    """The largest operand, NULLs left out."""
    return _extreme(operands, ">", "GREATEST", at)


def least(operands: Sequence[Operand], at: int) -> Operand:
    """The smallest operand, NULLs left out."""
    return _extreme(operands, "<", "LEAST", at)


def _extreme(operands: Sequence[Operand], sign: str, name: str, at: int) -> Operand:
    type_ = common_type(operands, name)
    same = [coerce(operand, type_) for operand in operands]
    evaluate = _best(relation(sign, type_), tuple(part.evaluate for part in same))
    return computed(type_, evaluate, at, *same)


def _best(better: Callable[[Any, Any], bool], parts: tuple[Evaluate, ...]) -> Evaluate:
    def evaluate(row: Any) -> Any:
        best = None
        for part in parts:
            value = part(row)
            if value is not None and (best is None or better(value, best)):
                best = value
        return best

    return evaluate
