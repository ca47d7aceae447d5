"""The limits of a rule: how many deletes it may send, and how many failures in a row it may have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stages.rules.declared import DeclaredLimit

if TYPE_CHECKING:
    from pipeline.rules.section import Section


def declare_max_deletes(section: Section) -> DeclaredLimit | None:
    """The rule's `max_deletes`; `false` is a limit that limits nothing."""
    if section.kind("max_deletes") is bool and not section.boolean("max_deletes", default=True):
        return DeclaredLimit()
    inner = section.section("max_deletes")
    if inner is None:
        return None
    inner.only({"count", "share"})
    if "count" not in inner and "share" not in inner:
        inner.fault(
            section.place_of("max_deletes"),
            "`max_deletes` names no limit",
            "for example max_deletes = { count = 1000, share = 0.2 }; false lets any number through",
        )
    count = inner.whole("count", 0) if "count" in inner else None
    share = inner.number("share")
    if count is not None and count < 0:
        inner.fault(inner.place_of("count"), "`count` cannot be negative", "0 holds every delete")
    if share is not None and not 0 <= share <= 1:
        inner.fault(inner.place_of("share"), "`share` must be from 0 to 1", "a fifth is share = 0.2")
    return DeclaredLimit(count, share)


def declare_breaker(section: Section) -> int | None:
    """The rule's `breaker`: after how many records in a row that fail it is paused."""
    if "breaker" not in section:
        return None
    breaker = section.whole("breaker", 1)
    if breaker < 1:
        section.fault(section.place_of("breaker"), "`breaker` must be 1 or more", "for example breaker = 100")
    return breaker
