"""Every kind of fault by name, and the choice among them on the command line."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Final

from pipeline.errors import ConfigurationError
from pipeline.prove.postgres_faults import POSTGRES_FAULTS
from pipeline.prove.process_faults import PROCESS_FAULTS
from pipeline.prove.redis_faults import REDIS_FAULTS
from pipeline.prove.stream_faults import STREAM_FAULTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.prove.fault import Fault

FAULTS: Final[Mapping[str, Fault]] = {**PROCESS_FAULTS, **REDIS_FAULTS, **STREAM_FAULTS, **POSTGRES_FAULTS}
ALL, NONE = "all", "none"


def chosen(text: str) -> tuple[str, ...]:
    """The names of `--faults redis-flush,worker-kill`. Raises ConfigurationError for an unknown one."""
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if names == (ALL,):
        return tuple(FAULTS)
    if names == (NONE,):
        return ()
    for name in names:
        if name not in FAULTS:
            near = difflib.get_close_matches(name, (*FAULTS, ALL, NONE), n=1)
            hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(FAULTS)}; all; none."
            raise ConfigurationError(f"--faults: there is no fault {name!r}. {hint}")
    if not names:
        raise ConfigurationError(f"--faults is empty. There are {', '.join(FAULTS)}; all; none.")
    return names
