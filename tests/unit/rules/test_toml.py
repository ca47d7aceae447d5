"""Keys and strings written as TOML are read back as they were."""

from __future__ import annotations

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from stages.rules import toml

_TEXT = st.text(st.characters(codec="utf-8"))


@given(_TEXT.filter(lambda text: text != "table"), st.lists(_TEXT, max_size=3))
def test_any_text_survives(text: str, texts: list[str]) -> None:
    document = f"{toml.key(text)} = {toml.string(text)}\n[table]\narray = {toml.array(texts)}"
    assert tomllib.loads(document) == {"table": {"array": texts}, text: text}


def test_a_plain_key_needs_no_quotes() -> None:
    assert (toml.key("ext_id__c"), toml.key("a b"), toml.key("")) == ("ext_id__c", '"a b"', '""')
