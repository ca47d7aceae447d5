"""The pages of the documentation as data: fenced blocks, headings, links, tables."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[2]
README: Final = ROOT / "README.md"
DOCS: Final = ROOT / "docs"
_BLOCK: Final = re.compile(r"^```(\S*)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_STOP: Final = re.compile(r"^<!-- stop ?(\w*) -->$", re.MULTILINE)
_HEADING: Final = re.compile(r"^#+ (.*)$", re.MULTILINE)
_LINK: Final = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


class Block(NamedTuple):
    """A fenced block. The first word after the fence is the language, the others are notes to the tests."""

    page: Path
    line: int
    language: str
    notes: tuple[str, ...]
    text: str

    @property
    def place(self) -> str:
        """Where it begins, for a message."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def pages() -> list[Path]:
    """Every page: those at the top of the tree, and all below docs/."""
    return [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]


def read(page: Path) -> str:
    """The text of a page."""
    return page.read_text(encoding="utf-8")


def blocks(page: Path, *languages: str) -> list[Block]:
    """The fenced blocks of a page in these languages, or in any."""
    text = read(page)
    found = [
        Block(page, text.count("\n", 0, match.start()) + 1, match[1], tuple(match[2].split()), match[3])
        for match in _BLOCK.finditer(text)
    ]
    return [block for block in found if not languages or block.language in languages]


def stops(page: Path) -> list[Block]:
    """The places where a reader ends what runs in the background, or what of it has this word."""
    text = read(page)
    return [
        Block(page, text.count("\n", 0, match.start()) + 1, "stop", (), match[1])
        for match in _STOP.finditer(text)
    ]


def prose(page: Path) -> str:
    """The text of a page without its fenced blocks."""
    return _BLOCK.sub("", read(page))


def links(page: Path) -> list[str]:
    """Where the links of a page lead."""
    return _LINK.findall(prose(page))


def anchors(page: Path) -> set[str]:
    """The names by which the headings of a page can be linked to."""
    return {_anchor(heading) for heading in _HEADING.findall(prose(page))}


def headings(page: Path) -> list[str]:
    """The headings of a page, without the signs before them."""
    return _HEADING.findall(prose(page))


def section(page: Path, heading: str) -> str:
    """What stands under a heading, up to the next heading of any level."""
    parts = _HEADING.split(read(page))
    return dict(zip(parts[1::2], parts[2::2], strict=True))[heading]


def first_column(text: str) -> list[str]:
    """The code in the first cell of each row of the tables in a text."""
    cells = re.findall(r"^\| ?([^|]*)\|", text, re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


def _anchor(heading: str) -> str:
    plain = re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower())
    return plain.strip().replace(" ", "-")
