"""The partition streams: what the relay and the workers do in Redis, each step under the fence."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec
import redis

from pipeline.redis import keys
from pipeline.topology import RELAY, STAGES, STREAMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_SCRIPTS: Final = ("prepare", "fence", "append", "acknowledge")
_PUBLISHED: Final = "orgstream:published"


class StreamsLost(Exception):
    """Raised when Redis no longer holds a partition's streams or fence: the relay publishes them again."""


class Fenced(Exception):
    """Raised when a later holder has taken over: this one must stop."""


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One entry: its id `<tick>-<n>`, the field that says what it is, and the document."""

    id: bytes
    field: bytes
    document: bytes

    @property
    def order(self) -> tuple[int, int]:
        """The id as numbers."""
        tick, _, ordinal = self.id.partition(b"-")
        return int(tick), int(ordinal)


class Finished(msgspec.Struct, frozen=True):
    """What became of the entries that one partition's batch read."""

    partition: int
    term: int
    ids: list[bytes]
    onward: list[Entry] = []


class PartitionStreams:
    """The streams of all partitions on one Redis."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._shas: dict[str, str] = {}

    # The relay's side ---------------------------------------------------------------------------------

    def prepare(self, partitions: Iterable[int], term: int) -> list[int]:
        """Raise the relay's fence everywhere; the partitions that had been lost and are empty now."""
        partitions = list(partitions)
        calls = [
            ("prepare", [keys.fence(p), *(keys.stream(p, name) for name in STREAMS)], [term, *STAGES])
            for p in partitions
        ]
        return [p for p, existed in zip(partitions, self._run(calls), strict=True) if not existed]

    def append(self, entries: Mapping[int, Sequence[Entry]], term: int) -> int:
        """Publish entries by partition; how many were new. Raises StreamsLost, Fenced, redis.RedisError."""
        calls = [
            ("append", [keys.fence(p), keys.stream(p, STREAMS[0])], [RELAY, term, *_flat(batch)])
            for p, batch in entries.items()
        ]
        return sum(self._run(calls))

    def published(self) -> int | None:
        """The last tick that stands in Redis as a whole; None when Redis does not know."""
        value = cast("bytes | None", self._client.get(_PUBLISHED))
        return None if value is None else int(value)

    def set_published(self, tick: int) -> None:
        """Remember that a tick's whole batch stands in Redis."""
        self._client.set(_PUBLISHED, tick)

    def outstanding(self, partitions: int) -> tuple[int, int]:
        """Entries not yet acknowledged in all streams, and the bytes they take."""
        pipe = self._client.pipeline(transaction=False)
        names = [keys.stream(p, name) for p in range(partitions) for name in STREAMS]
        for name in names:
            pipe.xlen(name)
            pipe.memory_usage(name, samples=3)
        replies = pipe.execute()
        return sum(replies[::2]), sum(size or 0 for size in replies[1::2])

    def lengths(self, partitions: int, names: Iterable[str]) -> dict[str, int]:
        """Entries by stream name, all partitions together. Raises redis.RedisError."""
        names = list(names)
        pipe = self._client.pipeline(transaction=False)
        for name in names:
            for partition in range(partitions):
                pipe.xlen(keys.stream(partition, name))
        replies: list[int] = pipe.execute()
        return {
            name: sum(replies[place * partitions : (place + 1) * partitions])
            for place, name in enumerate(names)
        }

    def empty(self, partitions: int) -> bool:
        """Whether everything published is finished."""
        return self.outstanding(partitions)[0] == 0

    # The workers' side --------------------------------------------------------------------------------

    def fence(self, partition: int, terms: Mapping[str, int], streams: Iterable[str]) -> None:
        """Raise the fences of a worker's stages. Raises StreamsLost, Fenced."""
        names = [keys.fence(partition), *(keys.stream(partition, name) for name in streams)]
        self._run([("fence", names, [stage, term]) for stage, term in terms.items()])

    def read(
        self,
        stream: str,
        group: str,
        consumer: str,
        partitions: Sequence[int],
        *,
        count: int,
        block: float | None,
    ) -> dict[int, list[Entry]]:
        """New entries by partition, `count` of each at most; waits up to `block` seconds for the first.

        Raises StreamsLost, redis.RedisError.
        """
        wanted = {keys.stream(p, stream).encode(): p for p in partitions}
        command: list[Any] = ["XREADGROUP", "GROUP", group, consumer, "COUNT", count]
        if block is not None:
            command += ["BLOCK", max(1, round(block * 1000))]
        command += ["STREAMS", *wanted, *([">"] * len(wanted))]
        try:
            reply = self._command(*command)
        except redis.ResponseError as error:
            raise _told(error) from error
        return {wanted[name]: _entries(raw) for name, raw in reply or ()}

    def reclaim(
        self, stream: str, group: str, consumer: str, partition: int
    ) -> tuple[list[Entry], list[bytes]]:
        """All pending entries of the group, whoever held them, now ours; and the ids of those trimmed since.

        Raises StreamsLost, redis.RedisError.
        """
        entries: list[Entry] = []
        trimmed: list[bytes] = []
        cursor = b"0-0"
        while True:
            try:
                cursor, raw, deleted = self._command(
                    "XAUTOCLAIM", keys.stream(partition, stream), group, consumer, 0, cursor, "COUNT", 500
                )
            except redis.ResponseError as error:
                raise _told(error) from error
            entries += _entries(raw)
            trimmed += deleted
            if cursor == b"0-0":
                return entries, trimmed

    def acknowledge(self, stage: str, stream: str, onward: str | None, finished: Sequence[Finished]) -> None:
        """Hand on, acknowledge and trim, by partition. Raises StreamsLost, Fenced, redis.RedisError."""
        calls = []
        for done in finished:
            names = [keys.fence(done.partition), keys.stream(done.partition, stream)]
            if onward is not None:
                names.append(keys.stream(done.partition, onward))
            arguments = [
                stage,
                done.term,
                stage,
                _after(done.ids[-1]),
                len(done.ids),
                *done.ids,
                *_flat(done.onward),
            ]
            calls.append(("acknowledge", names, arguments))
        self._run(calls)

    # ----------------------------------------------------------------------------------------------------

    def _command(self, *arguments: Any) -> Any:
        return self._client.execute_command(*arguments)  # type: ignore[no-untyped-call]

    def _run(self, calls: Sequence[tuple[str, list[str], list[Any]]]) -> list[Any]:
        """Run scripts in one round trip. The first error of any of them is raised, after all have run."""
        if not calls:
            return []
        for attempt in (1, 2):
            if not self._shas:
                self._shas = {name: self._client.script_load(_text(name)) for name in _SCRIPTS}
            pipe = self._client.pipeline(transaction=False)
            for name, names, arguments in calls:
                pipe.evalsha(self._shas[name], len(names), *names, *arguments)
            replies = pipe.execute(raise_on_error=False)
            if attempt == 1 and any(isinstance(reply, redis.exceptions.NoScriptError) for reply in replies):
                self._shas = {}  # the server has forgotten them; running what did run again changes nothing
                continue
            break
        for reply in replies:
            if isinstance(reply, redis.ResponseError):
                raise _told(reply) from reply
            if isinstance(reply, Exception):
                raise reply
        return replies


def _told(error: redis.ResponseError) -> Exception:
    """The error in our words, where it is one of ours."""
    text = str(error)
    if "FENCED" in text:
        return Fenced(text)
    if "LOST" in text or "NOGROUP" in text or "no such key" in text:
        return StreamsLost(text)
    return error


def _text(script: str) -> str:
    return (resources.files("pipeline.redis") / "scripts" / f"{script}.lua").read_text(encoding="utf-8")


def _flat(entries: Iterable[Entry]) -> Iterable[bytes]:
    for entry in entries:
        yield entry.id
        yield entry.field
        yield entry.document


def _entries(raw: Iterable[Any]) -> list[Entry]:
    return [Entry(id_, fields[0], fields[1]) for id_, fields in raw if fields]


def _after(id_: bytes) -> str:
    tick, _, ordinal = id_.partition(b"-")
    return f"{tick.decode()}-{int(ordinal) + 1}"
