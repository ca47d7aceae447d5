"""How to look into the folder of a demo that is over."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from pipeline.embedded.postgres import find_bindir
from pipeline.embedded.process import unprivileged_user

if TYPE_CHECKING:
    from pathlib import Path


def how_to_look(folder: Path) -> str:
    """The commands that start its Postgres again, look into it, and remove it."""
    programs = find_bindir()
    user = unprivileged_user()
    as_user = f"runuser -u {user} -- " if user else ""
    where = shlex.quote(str(folder / "postgres"))
    control = f"{as_user}{shlex.quote(str(programs / 'pg_ctl'))} -D {where}/data"
    return "\n".join(
        (
            f"Kept in {folder}: the database, the rules files, and a log of each process.",
            f"  start   {control} -o \"-k {where} -c listen_addresses=''\" -l {where}/data/look.log start",
            f"  look    {shlex.quote(str(programs / 'psql'))} -h {where} -U postgres orgstream",
            f"  stop    {control} stop",
            f"  remove  rm -r {shlex.quote(str(folder))}",
        )
    )
