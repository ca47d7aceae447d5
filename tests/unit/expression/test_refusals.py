"""What is outside the language is refused at its place, with a suggestion where there is one."""

from __future__ import annotations

import pytest

from stages.expression import ExpressionError, SqlType, compile_condition, compile_expression, to_sql
from tests.unit.expression.evaluation import COLUMNS, refusal_of, value_of


@pytest.mark.parametrize(
    ("text", "column", "message", "suggestion"),
    [
        ('b AND t = "Active"', 11, "unknown column Active", "did you mean the text 'Active'?"),
        ("stat = 'a'", 1, "unknown column stat", None),
        (
            "b AND uper(t) = 'A'",
            7,
            "unknown function uper",
            "did you mean upper?",
        ),
        ("t = 'it", 5, "what begins here is not ended", "a quote within a text is doubled: ''"),
        ("n = 1 /* note", 7, "what begins here is not ended", "a quote within a text is doubled: ''"),
        ("n =", 3, "something is missing near =", None),
        ("(n = 1", 6, "expecting ) near 1", None),
        ("n = 1 1", 7, "1 was not expected here", None),
        ("", 1, "the expression is empty", None),
        ("-- nothing", 1, "the expression is empty", None),
        ("()", 1, "TUPLE", None),
    ],
)
def test_the_place_and_the_suggestion(text: str, column: int, message: str, suggestion: str | None) -> None:
    error = refusal_of(text)
    assert message in error.message or error.message == "a list can only stand after IN"
    assert (error.line, error.column) == (1, column)
    assert error.suggestion == suggestion


def test_the_line_is_counted_too() -> None:
    error = refusal_of("b\nAND n = 1\n  AND t = nowhere")
    assert (error.line, error.column) == (3, 11)
    assert str(error) == "line 3, column 11: unknown column nowhere"


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("Status__C = 'a'", None),
        ("statu__c = 'a'", "did you mean status__c?"),
        ('"STATUS__C" = 1', 'did you mean "status__c"? Upper and lower case count in double quotes'),
        ("mixed = 1", 'did you mean "Mixed"? Upper and lower case count in double quotes'),
    ],
)
def test_column_names_fold_as_in_postgres(text: str, suggestion: str | None) -> None:
    columns = {"status__c": SqlType.TEXT, "Mixed": SqlType.INTEGER}
    if suggestion is None:
        assert compile_expression(text, columns).columns == {"status__c"}
        return
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text, columns)
    assert caught.value.suggestion == suggestion


@pytest.mark.parametrize(
    "text", ["now()", "current_date", "CURRENT_TIMESTAMP", "localtime", "clock_timestamp()"]
)
def test_there_is_no_clock(text: str) -> None:
    assert "rules read no clock" in refusal_of(f"s < {text}").message


@pytest.mark.parametrize(
    "text",
    [
        *("pg_sleep(1)", "count(*)", "upper(t) OVER ()", "n = ANY(t)", "(SELECT 1)", "EXISTS (SELECT 1)"),
        *("n IN (SELECT 1)", "t ~ 'a'", "t SIMILAR TO 'a'", "t::regclass", "o -> 'a'", "n; DROP TABLE x"),
        *("s.t", "t[1]", "ARRAY[1]", "(1, 2) = (1, 2)", "ROW(1)", "$1", ":name", "?", "@n", "n := 1"),
        *("E'a'", "x'1F'", "B'1'", "N'a'", "$$a$$", "U&'a'", "'a' 'b'", '"upper"(t)', "pg_catalog.upper(t)"),
        *("upper(DISTINCT t)", "concat(t ORDER BY t)", "lower(t => 'a')", "n ^ 2", "n & 1", "n << 1", "!! n"),
        *("t COLLATE \"C\" = 'a'", "n <=> 1", "t ?? 'a'", "{{ t }}", "n IS JSON", "date(t)", "interval(t)"),
        *("n BETWEEN SYMMETRIC 1 AND 2", "n AS m", "t LIKE ANY (t)", "if(b, 1, 2)", "try_cast(t AS int)"),
        *(
            "to_char(s, 'YYYY')",
            "random()",
            "user",
            "current_user",
            "regexp_replace(t, 'a', 'b')",
            "n.*",
            "*",
        ),
        *("upper()", "upper(t, t)", "CASE END", "n IN ()", "1e", "1_000", "0x1F", "1e5000", "initcap(t)"),
    ],
)
def test_everything_else_is_refused(text: str) -> None:
    error = refusal_of(text)
    assert error.line == 1
    assert 1 <= error.column <= len(text)
    with pytest.raises(ExpressionError):
        compile_condition(text, COLUMNS)


def test_a_column_of_another_type_can_only_be_copied() -> None:
    expression = compile_expression("(o)", COLUMNS)
    assert (expression.type, expression.column) == (SqlType.OTHER, "o")
    assert expression.evaluate({"o": "anything"}) == "anything"
    for text in ("o IS NULL", "o = 'a'", "COALESCE(o, o)", "o::text", "upper(o)"):
        assert "can only be copied" in refusal_of(text).message


def test_a_condition_is_boolean() -> None:
    with pytest.raises(ExpressionError, match="boolean is wanted here, not text"):
        compile_condition("t", COLUMNS)
    assert compile_condition("NULL", COLUMNS).evaluate({}) is None
    assert compile_condition("b", COLUMNS).column == "b"


@pytest.mark.parametrize(
    "text",
    [
        "(" * 21 + "n" + ")" * 21,
        "CASE WHEN " * 21 + "b" + " THEN b END" * 21,
        "NOT " * 100 + "b",
        "- " * 100 + "n",
        "COALESCE(n, " * 21 + "1" + ")" * 21,
        "n" + " + n" * 100,
        "date(" * 100 + "n" + ")" * 100,
        "numeric(" * 50 + "n" + ")" * 50,
        "CAST(" * 50 + "n" + " AS int)" * 50,
        "INTERVAL " * 150 + "'1 day'",
        "'" + "a" * 2_000 + "'",
    ],
)
def test_long_and_deep_expressions_are_refused(text: str) -> None:
    """Where reading one took exponential time, this would end by the suite's timeout."""
    assert refusal_of(text).line == 1


def test_what_is_just_deep_enough_is_read() -> None:
    assert value_of("(" * 20 + "n" + ")" * 20, n=1) == 1
    assert value_of("n" + " + n" * 50, n=1) == 51
    assert value_of("b AND " * 300 + "b", b=True) is True
    assert value_of("t || " * 300 + "t", t="a") == "a" * 301


@pytest.mark.parametrize(
    "text", ['b AND t = "Active"', "now() < s", "n = ", "pg_sleep(1)", "s AT TIME ZONE 'x'"]
)
def test_what_compile_refuses_is_not_rendered(text: str) -> None:
    if '"' in text:  # a column is known to compile alone
        assert to_sql(text) == '("b" AND ("t" = "Active"))'
        return
    with pytest.raises(ExpressionError):
        to_sql(text)
