"""A Postgres that restarts, crashes, has no disk left, or is replaced by its standby: that is waited out."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Final

import psycopg
import pytest
from psycopg import sql

from pipeline.embedded import EmbeddedPostgres
from pipeline.embedded.process import give_to, run_as
from tests.fixtures.environment import postgres_bindir, server_folder
from tests.fixtures.proxy import postgres_socket

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fixtures.scene import Scene

pytestmark = pytest.mark.slow
SETTINGS: Final = {"fsync": "off", "shared_buffers": "32MB", "max_connections": "50"}
DISK: Final = "1m"


@pytest.fixture
def primary() -> Iterator[EmbeddedPostgres]:
    """A Postgres of the test's own."""
    with (
        server_folder("primary") as folder,
        EmbeddedPostgres(folder, settings=SETTINGS, bindir=postgres_bindir()) as server,
    ):
        yield server


@pytest.fixture
def database_url(primary: EmbeddedPostgres) -> str:
    """Its database."""
    with psycopg.connect(primary.url, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION hstore")
    return primary.url


@contextlib.contextmanager
def standby_of(primary: EmbeddedPostgres) -> Iterator[EmbeddedPostgres]:
    """A standby that every commit of the primary waits for."""
    with server_folder("standby") as folder:
        standby = EmbeddedPostgres(folder, settings=SETTINGS, bindir=postgres_bindir())
        give_to(standby._user, standby._folder)
        program = str(standby._bin / "pg_basebackup")
        options = [f"--pgdata={standby._data}", "--checkpoint=fast", "--write-recovery-conf"]
        run_as(standby._user, [program, f"--dbname={primary.url}", *options])
        with standby, psycopg.connect(primary.url, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
            connection.execute("SELECT pg_reload_conf()")
            yield standby


@contextlib.contextmanager
def small_disk(folder: Path, owner: str | None) -> Iterator[Path | None]:
    """A file system of a megabyte that belongs to the server; None where we may not mount one."""
    folder.mkdir()
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if os.geteuid() != 0 or mount is None or umount is None:
        yield None
        return
    options = f"size={DISK},mode=700"
    if subprocess.run([mount, "-t", "tmpfs", "-o", options, "tmpfs", folder], check=False).returncode != 0:
        yield None
        return
    give_to(owner, folder)
    try:
        yield folder
    finally:
        subprocess.run([umount, "-l", folder], check=True)


@pytest.mark.parametrize("crashed", [False, True], ids=["stopped", "crashed"])
def test_a_postgres_that_restarts(scene: Scene, primary: EmbeddedPostgres, crashed: bool) -> None:
    processes = scene.start_both()
    scene.write()
    if crashed:
        primary.kill()
    else:
        primary.stop()
    for process in processes:
        process.await_line("away=postgres")
    primary.start()
    scene.deployment.reconnect(primary.url)
    scene.write()
    scene.settle(*processes)


def test_a_standby_that_takes_over(scene: Scene, primary: EmbeddedPostgres) -> None:
    processes = scene.start_both()
    with standby_of(primary) as standby:
        scene.write()  # some of it is under way when the primary dies
        primary.kill()
        scene.postgres.redirect(postgres_socket(standby.url))
        for process in processes:
            process.await_line("(25006)")  # a standby is read-only
        with psycopg.connect(standby.url, autocommit=True) as connection:
            connection.execute("SELECT pg_promote()")
        scene.deployment.reconnect(standby.url)
        scene.write()
        scene.settle(*processes)


def test_a_drain_goes_on_after_a_restart(scene: Scene, primary: EmbeddedPostgres) -> None:
    scene.write(30)
    with scene.failing(None, seconds=0.05):
        drain = scene.launch("drain", ORGSTREAM_WORKER_BATCH="5")
        scene.deployment.await_growth("applied")
        primary.kill()
        primary.start()
        scene.deployment.reconnect(primary.url)
    assert drain.wait() == 0
    assert "action=outage " in drain.output
    scene.deployment.require_exact()


def test_a_disk_that_is_full(scene: Scene, primary: EmbeddedPostgres) -> None:
    _, worker = scene.start_both()
    app = scene.deployment.app
    with server_folder("disk") as folder, small_disk(folder / "small", primary._user) as disk:
        if disk is None:  # nobody lets us mount one: then the target says so itself
            with scene.failing("53100"):
                scene.write()
                scene.await_pause(worker, "(53100)")
            scene.settle(worker)
            return
        app.execute(sql.SQL("CREATE TABLESPACE small LOCATION {}").format(sql.Literal(str(disk))))
        app.execute("ALTER TABLE us.account SET TABLESPACE small")
        filler = disk / "filler"
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)
        with scene.deployment.load():
            scene.await_pause(worker, "(53100)")
        assert scene.deployment.count("dead_letter") == 0
        filler.unlink()
        app.execute("ALTER TABLE us.account SET TABLESPACE pg_default")
        scene.settle(worker)
        app.execute("DROP TABLESPACE small")
