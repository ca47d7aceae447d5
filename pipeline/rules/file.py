"""Rules files: one file, or every *.toml of a folder, read as documents that know their places."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import ConfigurationError
from pipeline.rules.document import Node, NotTomlError, parse

if TYPE_CHECKING:
    from pathlib import Path

    from stages.rules.place import Fault


def read(path: Path) -> tuple[list[Node], list[Fault]]:
    """The documents at `path`, and a fault for each file that is not TOML.

    Files of a folder are read in the order of their names, not of its subfolders. Raises ConfigurationError
    when there is nothing to read.
    """
    documents, faults = [], []
    for file in _files(path):
        try:
            documents.append(parse(file.read_bytes(), str(file)))
        except NotTomlError as refused:
            faults.append(refused.fault)
        except OSError as error:
            raise ConfigurationError(f"cannot read {file}: {error.strerror}. Check the path.") from error
    return documents, faults


def _files(path: Path) -> list[Path]:
    if not path.exists():
        raise ConfigurationError(
            f"there is no rules file {path}. Name a file or a folder of *.toml files, "
            "or write one with `orgstream rules export`."
        )
    if not path.is_dir():
        return [path]
    files = sorted(path.glob("*.toml"))
    if not files:
        raise ConfigurationError(f"the folder {path} holds no *.toml file. Name the one with the rules.")
    return files
