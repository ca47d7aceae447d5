"""Shares: how many partitions each worker is to hold, so that none is left over."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def share_of(process: str, sharers: Mapping[str, Sequence[str]], partitions: int) -> int:
    """How many partitions are a process's share; `sharers` are those of every stage, the oldest first.

    Shares of processes that run the same stages differ by one at most; the oldest have the larger ones. Where
    some run all stages and others a part of them, those with all of them get theirs first, as many as if
    everybody had all stages, and what is left is shared at each stage by the others: a partition of which
    somebody holds a part is of no use to a process that needs the whole.
    """
    stages = list(sharers.values())
    if not stages:  # nobody seems to live, not even we: the clock has jumped
        return 1
    whole = [name for name in stages[0] if all(name in names for names in stages)]
    each, rest = divmod(partitions, min(map(len, stages)))
    if process in whole:
        return max(1, each + (process in whole[:rest]))  # at least: who has none stands by
    left = partitions - each * len(whole) - min(rest, len(whole))
    parts = [[name for name in names if name not in whole] for names in stages]
    share = max((_even(process, names, left) for names in parts if process in names), default=0)
    return share if whole else max(1, share)


def _even(process: str, names: Sequence[str], partitions: int) -> int:
    each, rest = divmod(partitions, len(names))
    return each + (process in names[:rest])
