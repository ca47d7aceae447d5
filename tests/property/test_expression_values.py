"""Values, many at once: decimal scales, the shortest text of a double, reading texts, LIKE."""

from __future__ import annotations

import math
import struct
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any, Final

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import sql

from stages.expression import EvaluationError
from stages.expression.compiler.like import Pattern
from stages.expression.values import numeric, text_input
from stages.expression.values.text_output import write_boolean, write_double, write_numeric
from tests.property.test_expression_oracle import EXAMPLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_MANY: Final = 400
_SET_UP: Final = """
    CREATE FUNCTION pg_temp.attempt(expression text, a text, b text) RETURNS text LANGUAGE plpgsql AS $$
    DECLARE found text;
    BEGIN
        EXECUTE 'SELECT (' || expression || ')::text' INTO found USING a, b;
        RETURN found;
    EXCEPTION WHEN OTHERS THEN
        RETURN 'error ' || SQLSTATE;
    END $$"""
_ASK: Final = sql.SQL("""
    SELECT pg_temp.attempt(%s, given.a, given.b)
    FROM unnest(%s::text[], %s::text[]) WITH ORDINALITY AS given (a, b, number) ORDER BY given.number""")

PIECES: Final = (
    *("0", "1", "9", "5", ".", "-", "+", "e", "E", " ", "\t", "inf", "nan", "Infinity", "1e5", "1e400", "00"),
    *(
        "1e-400",
        "99999",
        "32768",
        "2147483648",
        "9223372036854775807",
        "e5",
        ".5",
        "5.",
        "0e999999",
        "-0",
        "o",
    ),
    *(
        "1e99999999999",
        "0e-20000",
        "e131071",
        "true",
        "t",
        "on",
        "of",
        "off",
        "ye",
        "f",
        "TRUE",
        "\u00a0",
        "٣",
        "",
    ),
)


@pytest.fixture(scope="module")
def connection(oracle_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(oracle_url, autocommit=True) as opened:
        opened.execute(_SET_UP)
        yield opened


def check(
    connection: psycopg.Connection,
    expression: str,
    given_: Sequence[tuple[str, str]],
    compute: Callable[[str, str], str],
) -> None:
    """Compare `compute(a, b)` with what the expression of $1 and $2 gives."""
    found = connection.execute(_ASK, [expression, *map(list, zip(*given_, strict=True))])
    differing = [
        (pair, ours, theirs)
        for pair, (theirs,) in zip(given_, found, strict=True)
        if (ours := attempt(compute, *pair)) != theirs
    ]
    assert not differing


def attempt(compute: Callable[[str, str], str], a: str, b: str) -> str:
    try:
        return compute(a, b)
    except EvaluationError as error:
        return f"error {error.sqlstate}"


def repeated(function: Any) -> Any:
    """Run with a number of seeds, each for many values."""
    runs = settings(max_examples=max(EXAMPLES // 30, 1))
    return runs(given(seed=st.integers(0, 2**32))(function))


@pytest.mark.parametrize(
    ("sign", "compute"),
    [
        ("+", numeric.add),
        ("-", numeric.subtract),
        ("*", numeric.multiply),
        ("/", numeric.divide),
        ("%", numeric.modulo),
    ],
)
@repeated
def test_decimals_have_the_scale_that_postgres_gives_them(
    connection: psycopg.Connection, sign: str, compute: Callable[[Decimal, Decimal], Decimal], seed: int
) -> None:
    random = Random(seed)
    pairs = [(_decimal(random), _decimal(random)) for _ in range(_MANY)]
    expression = f"$1::numeric {sign} $2::numeric"
    check(connection, expression, pairs, lambda a, b: write_numeric(compute(Decimal(a), Decimal(b))))


def _decimal(random: Random) -> str:
    if random.random() < 0.1:
        return random.choice(("0", "0.000", "1", "10000", "9999", "0.0001", "NaN", "Infinity", "-Infinity"))
    digits = random.choice((1, 2, 4, 8, 9, 12, 20, 30, 60))
    value = Decimal(f"{random.randint(-(10**digits), 10**digits)}e-{random.choice((0, 1, 2, 5, digits))}")
    return format(value, "f")


@repeated
def test_a_double_is_written_with_the_digits_that_postgres_writes(
    connection: psycopg.Connection, seed: int
) -> None:
    random = Random(seed)
    values = [_double(random) for _ in range(_MANY * 10)]
    found = connection.execute("SELECT value::text FROM unnest(%s::float8[]) AS given (value)", [values])
    assert [write_double(value) for value in values] == [text for (text,) in found]


def _double(random: Random) -> float:
    any_: float = struct.unpack("d", struct.pack("Q", random.getrandbits(64)))[0]
    whole = float(random.randint(-(10**18), 10**18) // 10 ** random.randrange(18))
    power = math.ldexp(random.choice((1, 3, 2**52 + 1)), random.randint(-1074, 900))
    written = random.randint(1, 10**17) * 10.0 ** random.randint(-30, 30)
    return random.choice((any_, whole, power, written, float(f"1e{random.randint(-320, 308)}")))


@pytest.mark.parametrize(
    ("type_", "compute"),
    [
        ("bigint", lambda a, _: str(text_input.read_integer(a))),
        ("integer", lambda a, _: str(text_input.read_integer(a, "integer"))),
        ("smallint", lambda a, _: str(text_input.read_integer(a, "smallint"))),
        ("numeric", lambda a, _: write_numeric(text_input.read_numeric(a))),
        ("double precision", lambda a, _: write_double(text_input.read_double(a))),
        ("boolean", lambda a, _: write_boolean(text_input.read_boolean(a))),
    ],
)
@repeated
def test_texts_are_read_as_postgres_reads_them(
    connection: psycopg.Connection, type_: str, compute: Callable[[str, str], str], seed: int
) -> None:
    random = Random(seed)
    texts = ["".join(random.choices(PIECES, k=random.randint(1, 4))) for _ in range(_MANY)]
    # Postgres reads 0o17 as a number since version 16.
    check(connection, f"$1::{type_}", [(text, "") for text in texts if "0o" not in text], compute)


@pytest.mark.parametrize("escape", ["\\", "!", "", "%", "_"])
@repeated
def test_patterns_match_as_in_postgres(connection: psycopg.Connection, escape: str, seed: int) -> None:
    random = Random(seed)
    pairs = [
        (
            "".join(random.choices("aab b", k=random.randrange(7))),
            "".join(random.choices("ab%_\\!", k=random.randrange(7))),
        )
        for _ in range(_MANY)
    ]
    expression = f"$1 LIKE $2 ESCAPE '{escape}'"
    check(connection, expression, pairs, lambda a, b: write_boolean(Pattern(b, escape).matches(a)))
