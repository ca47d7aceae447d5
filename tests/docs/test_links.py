"""Every link of the documentation leads to a page, and to a heading that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.docs.pages import DOCS, README, ROOT, anchors, links, pages

if TYPE_CHECKING:
    from pathlib import Path


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", pages(), ids=_name)
def test_links_lead_somewhere(page: Path) -> None:
    assert [link for link in links(page) if not _leads_somewhere(page, link)] == []


def _leads_somewhere(page: Path, link: str) -> bool:
    if "://" in link:
        return True
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.exists():
        return False
    return not anchor or (target.suffix == ".md" and anchor in anchors(target))


@pytest.mark.parametrize(
    ("link", "leads"),
    [
        ("docs/rules.md", True),
        ("docs/rules.md#orgs", True),
        ("docs/rules.md#nowhere", False),
        ("docs/nothing.md", False),
        ("#licence", True),
    ],
)
def test_a_dead_link_is_recognised(link: str, leads: bool) -> None:
    assert _leads_somewhere(README, link) == leads


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, new = set(), {README}
    while new:
        reached |= new
        new = {
            target
            for page in new
            for link in links(page)
            if (target := (page.parent / link.partition("#")[0]).resolve()).suffix == ".md"
            and target.exists()
        } - reached
    decisions = DOCS / "decisions"
    unreached = [page for page in pages() if page not in reached and page.parent != decisions]
    assert [_name(page) for page in unreached] == []
