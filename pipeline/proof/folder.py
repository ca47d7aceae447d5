"""The folder of a run with servers of its own: gone afterwards, or kept with the commands to look into it."""

from __future__ import annotations

import contextlib
import shlex
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.embedded.postgres import find_bindir
from pipeline.embedded.process import short_folder, unprivileged_user

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def run_folder(purpose: str, *, keep: bool) -> Iterator[Path]:
    """A folder for all files, that a server run as another user can reach; gone afterwards unless kept."""
    folder = Path(tempfile.mkdtemp(prefix=f"orgstream-{purpose}-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        if not keep:
            for path in (folder, *_socket_folders(folder)):
                shutil.rmtree(path, ignore_errors=True)


def _socket_folders(folder: Path) -> list[Path]:
    return [short_folder(server, folder / server) for server in ("postgres", "redis")]


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
