"""The Lua scripts: loaded once, run many in one round trip, their errors told in our words."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Any, Final

import redis

from pipeline.ports import Fenced, StreamsFull, StreamsLost

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAMES: Final = ("prepare", "fence", "append", "acknowledge", "whole")

Call = tuple[str, list[str], list[Any]]  # script, keys, arguments


class Scripts:
    """The scripts on one Redis."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._shas: dict[str, str] = {}

    def run(self, calls: Sequence[Call]) -> list[Any]:
        """Run scripts in one round trip. The first error of any of them is raised, after all have run.

        Raises StreamsLost, Fenced, StreamsFull, redis.RedisError.
        """
        if not calls:
            return []
        replies = self._replies(calls)
        if any(isinstance(reply, redis.exceptions.NoScriptError) for reply in replies):
            self._shas = {}  # the server has forgotten them; running what did run again changes nothing
            replies = self._replies(calls)
        for reply in replies:
            if isinstance(reply, redis.ResponseError):
                raise told(reply) from reply
            if isinstance(reply, Exception):
                raise reply
        return replies

    def _replies(self, calls: Sequence[Call]) -> list[Any]:
        if not self._shas:
            self._shas = {name: self._client.script_load(_text(name)) for name in _NAMES}
        pipe = self._client.pipeline(transaction=False)
        for name, names, arguments in calls:
            pipe.evalsha(self._shas[name], len(names), *names, *arguments)
        return pipe.execute(raise_on_error=False)


def told(error: redis.ResponseError) -> Exception:
    """The error in our words, where it is one of ours."""
    text = str(error)
    if isinstance(error, redis.exceptions.OutOfMemoryError):
        return StreamsFull(text)
    if "FENCED" in text:
        return Fenced(text)
    if "LOST" in text or "NOGROUP" in text or "no such key" in text:
        return StreamsLost(text)
    return error


def _text(script: str) -> str:
    return (resources.files("pipeline.redis") / "scripts" / f"{script}.lua").read_text(encoding="utf-8")
