"""Who runs a command, for the record."""

from __future__ import annotations

import getpass
import os


def person() -> str:
    """The user's name; on a dyno, whose user has none, the dyno's."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # neither in the environment nor known to the system
        return os.environ.get("DYNO") or f"uid {os.getuid()}"
