"""Changes in every state that a dump can meet, and whether each took effect once."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Final

from tests.fixtures.environment import postgres_bindir

if TYPE_CHECKING:
    from tests.fixtures.world import World

EFFECTS: Final = """
CREATE TABLE public.effect (place bigint GENERATED ALWAYS AS IDENTITY, ext_id text, name text);
CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN INSERT INTO public.effect (ext_id, name) VALUES (NEW.ext_id, NEW.name); RETURN NULL; END $$;
CREATE TRIGGER note AFTER INSERT OR UPDATE ON us.account FOR EACH ROW EXECUTE FUNCTION public.note();
"""


def write(world: World, *ids: str, name: str = "x") -> None:
    """An account each, new or renamed, in one transaction each."""
    for id_ in ids:
        world.app.execute(
            "INSERT INTO emea.account (ext_id, name, active) VALUES (%s, %s, true)"
            " ON CONFLICT (ext_id) DO UPDATE SET name = excluded.name",
            [id_, name],
        )


def live(world: World) -> None:
    """Write changes that are applied, published only, late, in a tick only, or in none."""
    world.apply_rules()
    world.app.execute(EFFECTS)
    relay, worker = world.relay(), world.worker()
    world.settle(relay, worker)
    write(world, "done", "moved", name="first")
    world.settle(relay, worker)
    late = world.session()
    late.execute("INSERT INTO emea.account (ext_id, name, active) VALUES ('late', 'x', true)")
    write(world, "published", "moved", name="second")
    world.settle(relay)
    late.commit()
    write(world, "captured", "moved", name="third")


def go_on_elsewhere(world: World) -> None:
    """What the place of the dump did after it: nobody shall see that in the place of the restore."""
    write(world, "elsewhere", "moved", name="elsewhere")
    relay, worker = world.relay(), world.worker()
    world.lose_leases()
    world.clock.advance()
    world.settle(relay, worker)
    write(world, "elsewhere too", name="elsewhere")
    world.clock.advance()
    world.settle(relay)  # published, and not applied


def go_on(world: World) -> list[str]:
    """Relay and apply all that there is; what is wrong then."""
    relay, worker = world.relay(), world.worker()
    world.lose_leases()
    for _ in range(3):
        world.clock.advance()
        world.settle(relay, worker)
    return faults(world)


def faults(world: World) -> list[str]:
    """What is wrong between the orgs, in the ledger, and with what took effect before the dump."""
    found = [
        f"{ext_id}: {wanted} in the source, {found} in the target"
        for ext_id, wanted, found in world.rows(
            "SELECT coalesce(s.ext_id, t.ext_id), upper(s.name), t.name FROM emea.account AS s"
            " FULL JOIN us.account AS t ON s.ext_id = t.ext_id WHERE upper(s.name) IS DISTINCT FROM t.name"
        )
    ]
    found += [
        f"change {id_} is in the queue and not in the ledger"
        for (id_,) in world.rows(
            "SELECT id FROM orgstream.change_queue WHERE table_schema = 'emea'"
            " EXCEPT SELECT change_id FROM orgstream.applied"
        )
    ]
    found += [
        f"{ext_id}: {name} took effect {times} times"
        for ext_id, name, times in world.rows(
            "SELECT ext_id, name, count(*) FROM public.effect GROUP BY 1, 2 HAVING count(*) > 1"
        )
    ]
    return found


def dump(url: str) -> bytes:
    """A dump as text, as an operator makes it."""
    return run("pg_dump", "--no-owner", "--no-privileges", "--dbname", url)


def restore(dumped: bytes, url: str) -> None:
    """Restore it in an empty database."""
    run("psql", "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--dbname", url, given=dumped)


def run(program: str, *arguments: str, given: bytes | None = None) -> bytes:
    """What a program of Postgres writes."""
    command = [str(postgres_bindir() / program), *arguments]
    done = subprocess.run(command, input=given, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout
