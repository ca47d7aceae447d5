"""to_sql: the Postgres spelling of an expression."""

from __future__ import annotations

import pytest

from stages.expression import to_sql


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("status == 'a' && !x", """(("status" = 'a') AND (NOT "x"))"""),
        ("x != 1 OR y", """(("x" <> 1) OR "y")"""),
        ("x in ['a', 'b']", """("x" IN ('a', 'b'))"""),
        ("x NOT IN (1)", """(NOT ("x" IN (1)))"""),
        ("1 + 2 * 3", "(1 + (2 * 3))"),
        ("- -5", "(- (- 5))"),
        ("'it''s'", "'it''s'"),
        ("x LIKE 'a\\%'", """("x" LIKE E'a\\\\%')"""),
        ("x ILIKE y ESCAPE '!'", """("x" ILIKE "y" ESCAPE '!')"""),
        ('"Od""d" IS NOT NULL', '(NOT ("Od""d" IS NULL))'),
        ("x IS UNKNOWN", '("x" IS NULL)'),
        ("x IS NOT DISTINCT FROM NULL", '("x" IS NOT DISTINCT FROM NULL)'),
        ("x::numeric(8,2)", 'CAST("x" AS numeric(8, 2))'),
        ("x::varchar", 'CAST("x" AS varchar)'),
        ("date '2024-01-01'", "CAST('2024-01-01' AS date)"),
        ("left(x, n)", 'LEFT("x", CAST("n" AS integer))'),
        ("round(x, 2)", 'ROUND("x", 2)'),
        ("trim(leading 'a' from x)", """LTRIM("x", 'a')"""),
        ("position('a' in x)", """STRPOS("x", 'a')"""),
        ("extract(year from x)", """EXTRACT('YEAR' FROM "x")"""),
        ("x + interval '1 day'", """("x" + INTERVAL '0 months 1 days 0 microseconds')"""),
        ("x at time zone 'UTC'", """("x" AT TIME ZONE 'UTC')"""),
        ("case x when 1 then 'a' end", """CASE "x" WHEN 1 THEN 'a' END"""),
        ("case when x then 1 else 2 end", """CASE WHEN "x" THEN 1 ELSE 2 END"""),
        ("coalesce(x, NULL)", 'COALESCE("x", NULL)'),
        ("a || b || c", '("a" || "b" || "c")'),
        ("x between 1 and 2", '("x" BETWEEN 1 AND 2)'),
        ("x /* why */ = TRUE -- because", '("x" = TRUE)'),
    ],
)
def test_spelling(text: str, expected: str) -> None:
    assert to_sql(text) == expected


def test_what_is_rendered_renders_as_itself() -> None:
    once = to_sql("NOT a = 1 AND b LIKE 'x%' OR c BETWEEN 1 AND 2")
    assert to_sql(once) == once
