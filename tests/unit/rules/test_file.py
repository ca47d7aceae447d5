"""Reading rules files: one, a folder, and what is no rules file at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.errors import ConfigurationError
from pipeline.rules.file import read
from stages.rules.place import Place, Text

if TYPE_CHECKING:
    from pathlib import Path


def test_one_file(tmp_path: Path) -> None:
    file = tmp_path / "some.conf"
    file.write_bytes(b'\xef\xbb\xbf# with a byte order mark\r\n[orgs.emea]\r\nschema = "emea"\r\n')
    (document,), faults = read(file)
    schema = document.value["orgs"].value["emea"].value["schema"]
    assert schema.value == Text("emea", Place(str(file), 3, 10), '"emea"')
    assert not faults


def test_a_folder_is_read_in_the_order_of_names_and_one_bad_file_does_not_hide_another(
    tmp_path: Path,
) -> None:
    (tmp_path / "b.toml").write_text("b = 1")
    (tmp_path / "a.toml").write_text("ok = 1\nbroken")
    (tmp_path / "c.toml").write_bytes(b"c = 1\nd = '\xff'")
    (tmp_path / "d.toml").write_text("x = [")
    (tmp_path / "notes.md").write_text("not read")
    documents, faults = read(tmp_path)
    assert [list(document.value) for document in documents] == [["b"]]
    assert [(fault.place.file[-6:], fault.place.line) for fault in faults] == [
        ("a.toml", 2),
        ("c.toml", 2),
        ("d.toml", 1),
    ]
    assert "not valid TOML: expected" in faults[0].message
    assert faults[1].message == "it is not UTF-8"


def test_values_nested_beyond_reason_are_a_fault(tmp_path: Path) -> None:
    (tmp_path / "deep.toml").write_text("x = " + "[" * 5000 + "]" * 5000)
    documents, (fault,) = read(tmp_path)
    assert not documents
    assert fault.place.line == 1


def test_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"no rules file .*missing\.toml"):
        read(tmp_path / "missing.toml")
    with pytest.raises(ConfigurationError, match=r"holds no \*\.toml file"):
        read(tmp_path)
