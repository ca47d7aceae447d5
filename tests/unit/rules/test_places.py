"""The places of a TOML document: each agrees with what tomllib reads there."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.rules.places import Path, places

if TYPE_CHECKING:
    from collections.abc import Iterator

NASTY = r"""# [not.a.table] = "x"
title = "a # [b] = c" # comment ] }
"quoted.key".'literal "key"' . bare-1 = [ 1, [2, "x]"], # in an array
  { a = 1, "b c" . d = [ ] }, ]
[orgs . "em ea"]
day = 1979-05-27 07:32:00
time = 07:32:00.5
text = QQQ
a "quoted" \
   word = [x] ""\"QQQ""
[orgs.us.tables]
[[rules]]
name='n # m'
map.x.expr = 'q"QQQ'
[rules.map.deep]
1979-05-27 = inf
[[rules]]
[[rules.sub]]
[rules.sub.deep]
k = '''
it''s
= [1]'''''
[[rules]]
on=["a",
  "b" ]   # the last
[orgs]
empty={}
""".replace("QQQ", '"' * 3)


def paths(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every table, key and element of a document."""
    if path:
        yield path, value
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield from paths(part, (*path, key))


def assert_agrees(text: str) -> None:
    """Every path has its place, there are no others, and what stands there is the value."""
    found = places(text)
    expected = dict(paths(tomllib.loads(text)))
    assert found.keys() == expected.keys()
    lines = text.split("\n")
    for path, value in expected.items():
        standing = found[path]
        if not isinstance(value, dict | list):
            assert tomllib.loads(f"value = {standing.raw}") == {"value": value}
            here = lines[standing.value_line - 1][standing.value_column - 1 :]
            assert here.startswith(standing.raw.split("\n")[0])


def test_every_key_of_a_nasty_document_is_found() -> None:
    assert_agrees(NASTY)


@pytest.mark.parametrize(
    ("path", "line", "column"),
    [
        (("quoted.key", 'literal "key"', "bare-1", 2, "b c", "d"), 4, 20),
        (("orgs", "em ea"), 5, 1),
        (("orgs", "em ea", "text"), 8, 1),
        (("orgs", "us", "tables"), 11, 1),
        (("rules", 0), 12, 1),
        (("rules", 0, "map", "x", "expr"), 14, 7),
        (("rules", 1, "sub", 0, "deep", "k"), 20, 1),
        (("rules", 2, "on", 1), 25, 3),
        (("orgs",), 26, 1),
        (("orgs", "empty"), 27, 1),
    ],
)
def test_a_key_stands_where_it_was_written(path: Path, line: int, column: int) -> None:
    found = places(NASTY)[path]
    assert (found.line, found.column) == (line, column)


@pytest.mark.parametrize("text", ["", "\n", "# only a comment", "a = 1", "\n\n[a]\n\n"])
def test_small_documents(text: str) -> None:
    assert_agrees(text)


# Documents by construction: each strategy writes TOML, in all the ways that it can be written.
_blank = st.sampled_from(["", " ", "\t "])
_text = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=8)
_escaped = _text.map(lambda text: text.replace("\\", "\\\\").replace('"', '\\"'))
_string = st.one_of(
    _escaped.map(lambda text: f'"{text}"'),
    _text.map(lambda text: f"""'{text.replace("'", "")}'"""),
    _escaped.map(lambda text: f'"""\n{text} "" \\\n  {text}"""'),
    _text.map(lambda text: "'''" + text.replace("'", "") + "\n#'''"),
)
_scalar = st.one_of(
    _string, st.sampled_from(["1", "-2.5e3", "true", "inf", "07:32:00", "1979-05-27 07:32:00", "0xff"])
)
_bare = st.from_regex(r"[A-Za-z0-9_-]{1,4}", fullmatch=True)
_key = st.one_of(_bare, _escaped.map(lambda text: f'"{text}"'))


def _arrays(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    gap = st.sampled_from(["", " ", "\n", " # ] , \n"])
    return st.builds(
        lambda items, space: "[" + "".join(f"{space}{item}{space}," for item in items) + space + "]",
        st.lists(inner, max_size=3),
        gap,
    )


def _inline_tables(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(
        lambda values, blank: "{" + ",".join(f"{blank}k{n} ={value}" for n, value in enumerate(values)) + "}",
        st.lists(inner, max_size=3),
        _blank,
    )


_value = st.recursive(_scalar, lambda inner: _arrays(inner) | _inline_tables(inner), max_leaves=6)


@st.composite
def documents(draw: st.DrawFn) -> str:
    """A document of headers and pairs, in which every name is used once."""
    lines = []
    for number in range(draw(st.integers(0, 4))):
        blank = draw(_blank)
        header = draw(st.sampled_from(["[{}]", "[[{}]]", "[a{} . b]", "[[a{}.'b'.c]]", "#{}"]))
        lines.append(blank + header.format(f"t{number}"))
        for key_number, value in enumerate(draw(st.lists(_value, max_size=3))):
            dotted = f"k{number}{key_number}{draw(_blank)}.{draw(_blank)}{draw(_key)}"
            lines.append(f"{blank}{dotted}{blank}={draw(_blank)}{value}{blank}# end")
    return "\n".join(lines)


@given(documents())
def test_places_agree_with_tomllib(text: str) -> None:
    assert_agrees(text)
