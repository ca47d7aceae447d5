"""The commands in the order of --help, each with its summary: its file is imported only when it is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

COMMANDS: Final[Mapping[str, str]] = {
    "settings": "List every setting with its value, default, unit and meaning.",
}
