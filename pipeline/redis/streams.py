"""The partition streams: what the relay and the workers do in Redis, each step under the fence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import redis

from pipeline.ports import Fenced, Stolen, StreamsLost
from pipeline.redis import keys, survey
from pipeline.redis.appended import Appended
from pipeline.redis.entry import Entry, Finished, strays_told
from pipeline.redis.lua import Scripts, told
from pipeline.topology import RELAY, STAGES, STREAMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pipeline.redis.entry import ByPartition

__all__ = ["Entry", "Fenced", "Finished", "PartitionStreams", "Stolen", "StreamsLost"]

MOVING: Final = "moving"


class PartitionStreams:
    """The streams of all partitions on one Redis."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._scripts = Scripts(client)
        self._appended = Appended()
        self._server = b""  # which server, and since which start, we found when we last asked

    # The relay's side ---------------------------------------------------------------------------------

    def missing(self, partitions: Iterable[int]) -> list[int]:
        """The partitions of which something is gone."""
        partitions = list(partitions)
        pipe = self._client.pipeline(transaction=False)
        for p in partitions:
            pipe.exists(keys.fence(p), *(keys.stream(p, name) for name in STREAMS))
            pipe.hget(keys.fence(p), "appended")
        replies = pipe.execute()
        for p, appended in zip(partitions, replies[1::2], strict=True):
            self._appended.found(p, appended)
        complete = 1 + len(STREAMS)
        return [p for p, found in zip(partitions, replies[::2], strict=True) if found < complete]

    def forget(self) -> None:
        """A term begins: what we appended in another may have been followed by another relay's."""
        self._appended.forget()

    def prepare(self, partitions: Iterable[int], term: int) -> list[int]:
        """Raise the relay's fence everywhere; the partitions that had been lost and are empty now."""
        partitions = list(partitions)
        calls = [
            ("prepare", [keys.fence(p), *(keys.stream(p, name) for name in STREAMS)], [term, *STAGES])
            for p in partitions
        ]
        existed = self._scripts.run(calls)
        anew = [p for p, there in zip(partitions, existed, strict=True) if not there]
        self._appended.made_anew(anew)
        return anew

    def append(self, entries: ByPartition, term: int, *, fresh: bool = False, moving: bool = False) -> int:
        """Publish entries by partition; how many were new.

        `fresh` entries must all be: where they are not, ids that we never gave stand in the stream, and the
        partition is given up. `moving` is for the relay after us. Raises StreamsLost, Fenced, RedisError.
        """
        before = self._appended.begin(entries)
        calls = [
            (
                "append",
                [keys.fence(p), keys.stream(p, STREAMS[0])],
                [RELAY, term, b",".join(before[p]), MOVING if moving else b"", *_flat(batch)],
            )
            for p, batch in entries.items()
        ]
        appended = self._scripts.run(calls)
        self._appended.end(entries)
        tampered = [p for p, new in zip(entries, appended, strict=True) if fresh and new < len(entries[p])]
        if tampered:
            self.give_up(tampered)
            raise StreamsLost(f"entries of another writer stand in the streams of {tampered}")
        return sum(appended)

    def give_up(self, partitions: Iterable[int]) -> None:
        """Declare partitions lost: nobody uses their streams until the relay has made them anew."""
        self._client.delete(*(keys.fence(p) for p in partitions))

    def published(self) -> int | None:
        """The last tick that stands in Redis as a whole; None when Redis does not know, or when the server is
        not the one that was told, or was started anew since: it may have gone back in time.
        """
        value = cast("bytes | None", self._client.get(keys.PUBLISHED))
        self._server = str(self._client.info("server").get("run_id", "")).encode()
        tick, _, server = (value or b"").partition(b" ")
        return int(tick) if tick and server == self._server else None

    def set_published(self, tick: int | None) -> None:
        """Remember that a tick's whole batch stands in Redis, or that nobody knows."""
        if tick is None:
            self._client.delete(keys.PUBLISHED)
            return
        try:  # should the server have been started anew since we asked, what we say of it does not hold
            self._client.set(keys.PUBLISHED, b"%d %s" % (tick, self._server))
        except redis.ResponseError as error:
            raise told(error) from error

    def moving(self, partitions: Iterable[int]) -> bool:
        """Whether a change of identity may lie in the streams. It is told where its entry is: what loses the
        one loses the other.
        """
        pipe = self._client.pipeline(transaction=False)
        for p in partitions:
            pipe.hexists(keys.fence(p), MOVING)
        return any(pipe.execute())

    def forget_moves(self, partitions: Iterable[int]) -> None:
        """Remember that none does."""
        pipe = self._client.pipeline(transaction=False)
        for p in partitions:
            pipe.hdel(keys.fence(p), MOVING)
        pipe.execute()

    def outstanding(self, partitions: int) -> tuple[int, int]:
        """Entries not yet acknowledged in all streams, and the bytes they take."""
        return survey.outstanding(self._client, partitions)

    def empty(self, partitions: int) -> bool:
        """Whether everything published is finished."""
        return survey.are_empty(self._client, partitions)

    # The workers' side --------------------------------------------------------------------------------

    def fence(self, partition: int, terms: Mapping[str, int], streams: Iterable[str]) -> None:
        """Raise the fences of a worker's stages. Raises StreamsLost, Fenced."""
        names = [keys.fence(partition), *(keys.stream(partition, name) for name in streams)]
        self._scripts.run([("fence", names, [stage, term]) for stage, term in terms.items()])

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

        Raises StreamsLost, Stolen, redis.RedisError.
        """
        wanted = {keys.stream(p, stream).encode(): p for p in partitions}
        command: list[Any] = ["XREADGROUP", "GROUP", group, consumer, "COUNT", count]
        if block is not None:
            command += ["BLOCK", max(1, round(block * 1000))]
        command += ["STREAMS", *wanted, *([">"] * len(wanted))]
        try:
            reply = self._command(*command)
        except redis.ResponseError as error:
            raise told(error) from error
        return self._require_all(stream, group, {wanted[name]: _entries(raw) for name, raw in reply or ()})

    def _require_all(self, stream: str, group: str, entries: ByPartition) -> dict[int, list[Entry]]:
        """Nothing may have gone before what we read, for a position beyond it would hide that for good; and
        nothing older may be pending: a paused holder that wakes up reads once more.
        """
        replies = self._look(entries, stream, group)
        lost = [partition for partition, (gone, _, _) in zip(entries, replies, strict=True) if gone]
        if lost:
            self.give_up(lost)
            raise StreamsLost(f"entries of partitions {lost} are gone that nobody has finished")
        for (partition, batch), (_, oldest, _) in zip(entries.items(), replies, strict=True):
            if oldest != batch[0].id:
                raise Stolen(f"entries of partition {partition} were read by another consumer")
        return {
            partition: strays_told(batch, appended)
            for (partition, batch), (_, _, appended) in zip(entries.items(), replies, strict=True)
        }

    def _look(self, partitions: Iterable[int], stream: str, group: str) -> list[Any]:
        names = [[keys.fence(p), keys.stream(p, stream)] for p in partitions]
        field = "appended" if stream == STREAMS[0] else f"appended:{stream}"
        return self._scripts.run([("whole", of, [group, field]) for of in names])

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
                raise told(error) from error
            entries += _entries(raw)
            trimmed += deleted
            if cursor == b"0-0":
                ((_, _, appended),) = self._look([partition], stream, group)
                return strays_told(entries, appended), trimmed

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
                next((entry.id for entry in reversed(done.onward) if not entry.stray), b""),
                len(done.ids),
                *done.ids,
                *_flat(done.onward),
            ]
            calls.append(("acknowledge", names, arguments))
        self._scripts.run(calls)

    def _command(self, *arguments: Any) -> Any:
        return self._client.execute_command(*arguments)  # type: ignore[no-untyped-call]


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
