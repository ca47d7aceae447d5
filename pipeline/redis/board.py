"""The board: what each process tells of itself, in Redis, where `web` reads it."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from pipeline.redis.keys import BOARD, BOARD_HOLDERS

if TYPE_CHECKING:
    import redis

_SCRIPT: Final = "post.lua"


class Board:
    """Documents of processes, each under a name such as `worker.2` that is used again after its holder."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        text = (resources.files("pipeline.redis") / "scripts" / _SCRIPT).read_text(encoding="utf-8")
        self._post = client.register_script(text)

    def post(self, process_id: str, kind: str, document: bytes, *, name: str = "", seconds: float) -> str:
        """Put up a document for so long; the name it stands under. `name` is the one from before, if any.

        Raises redis.RedisError.
        """
        arguments: list[Any] = [process_id, kind, name, round(seconds * 1000), document]
        found: bytes = self._post(keys=[BOARD_HOLDERS, BOARD], args=arguments)
        return found.decode()

    def read(self) -> dict[str, bytes]:
        """The documents that hold now, by name. Raises redis.RedisError."""
        pipe = self._client.pipeline(transaction=True)
        pipe.time()
        pipe.hgetall(BOARD_HOLDERS)
        pipe.hgetall(BOARD)
        (seconds, microseconds), holders, documents = pipe.execute()
        now = seconds * 1000 + microseconds // 1000
        living = {name for name, holder in holders.items() if int(holder.partition(b" ")[0]) >= now}
        return {name.decode(): document for name, document in sorted(documents.items()) if name in living}
