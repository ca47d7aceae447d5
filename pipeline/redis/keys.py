"""The keys in Redis. All keys of a partition share a hash tag, so that one script may touch them together.

orgstream:{p07}:changes   stream   what the relay published           read by the group `filter`
orgstream:{p07}:kept      stream   what a rule heeds (split workers)  read by the group `match`
orgstream:{p07}:matched   stream   with the rules that want it        read by the group `transform`
orgstream:{p07}:writes    stream   with what each rule writes         read by the group `apply`
orgstream:{p07}:fence     hash     stage -> the highest term that worked on it; our last append to each;
                                   how many entries each group has finished; whether a change of
                                   identity may lie in the streams
orgstream:published       string   the last tick whose whole batch stood in the streams, and the server's run
orgstream:history         string   the name of the history that published it: another after a restore
orgstream:{board}:documents  hash  what each process tells of itself, for a quarter of a minute
orgstream:{board}:holders    hash  whose name is whose there, and until when
orgstream:rules:...                the rule sets, see `pipeline.rules.cache`
"""

from __future__ import annotations

from typing import Final
from zlib import crc32

PUBLISHED: Final = "orgstream:published"
HISTORY: Final = "orgstream:history"
RULES: Final = "orgstream:rules:*"
BOARD: Final = "orgstream:{board}:documents"
BOARD_HOLDERS: Final = "orgstream:{board}:holders"


def stream(partition: int, name: str) -> str:
    """The key of a stream of a partition."""
    return f"orgstream:{{p{partition:02d}}}:{name}"


def fence(partition: int) -> str:
    """The key of a partition's fence."""
    return f"orgstream:{{p{partition:02d}}}:fence"


def partition_of(route: bytes, partitions: int) -> int:
    """The partition of a record, from `schema.table` and its key: the same for ever, on every machine."""
    return crc32(route) % partitions
