"""`orgstream replay`: past changes through the rules again."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec

from pipeline.cli.options import with_settings
from pipeline.errors import FAILED, ConfigurationError
from pipeline.postgres.connection import connect, require_migrated
from pipeline.postgres.queries import load
from pipeline.replay import job
from pipeline.replay.rehearsal import rehearse
from pipeline.replay.run import Running, begin, live_rules
from pipeline.replay.selection import Selection, checked, moment, scope
from pipeline.signals import stop_on_signals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import psycopg

    from pipeline.replay.job import Job
    from pipeline.replay.rehearsal import Rehearsal
    from pipeline.settings import Settings

_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_OPTIONS: Final = (
    click.option("--since", metavar="WHEN", help="Captured from then on: ISO 8601, or a span such as 1h."),
    click.option("--until", metavar="WHEN", help="Captured before then."),
    click.option("--id", "ids", type=int, multiple=True, help="This change; may be given often."),
    click.option("--rule", "rules", multiple=True, help="Under this rule; may be given often."),
    click.option("--table", help="Of this source table, as org.table."),
    click.option("--key", help="Of this record: its identity as a JSON object."),
    click.option("--org", help="Into this target org."),
    click.option("--rule-version", type=int, help="Decided by this version of --rule; with --force."),
)


def _selecting(function: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


@click.command()
@with_settings("database_url", "partitions")
@_selecting
@click.option("--all", "everything", is_flag=True, help="Every change that the queue still holds.")
@click.option("--force", is_flag=True, help="Also what was applied already, and whole rows.")
@click.option("--dry-run", is_flag=True, help="Only say what would change now.")
@click.option("--rate", type=click.FloatRange(min=0.01), help="At most so many changes/s.")
@click.option("--resume", type=int, metavar="ID", help="Go on with a replay that was interrupted.")
@click.option("--list", "listing", is_flag=True, help="List the replays there were.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    settings: Settings,
    /,
    *,
    everything: bool,
    force: bool,
    dry_run: bool,
    rate: float | None,
    resume: int | None,
    listing: bool,
    as_json: bool,
    **named: Any,
) -> None:
    """Have past changes take effect that never did; with --force, take effect again by today's rules.

    A record ends as the rules say of its newest change: nothing of the past is written over what is later.
    Options combine. Ctrl-C, or a crash, leaves a replay that --resume goes on with. Exit code 1 when
    something could not be applied, or the end was not reached.
    """
    with connect(settings, "replay") as connection:
        require_migrated(connection)
        if listing:
            _print({"replays": job.jobs(connection)}, as_json, map(_line, job.jobs(connection)))
            return
        if resume is None:
            selection = _selection(connection, named, everything=everything, force=force)
            scope(selection, live_rules(connection))
            missing = _missing(connection, selection)
            if dry_run:
                _rehearse(connection, selection, missing, force=force, as_json=as_json)
                return
            id_ = begin(connection, selection, force=force, progress=_selecting_at)
        else:
            if dry_run or force or everything or any(named.values()):
                raise ConfigurationError("--resume goes on with what was selected then: give --rate at most.")
            missing, id_ = [], job.resumable(connection, resume).id
    _replay(settings, id_, rate, missing, as_json=as_json)


def _replay(settings: Settings, id_: int, rate: float | None, missing: list[str], *, as_json: bool) -> None:
    for line in missing:
        click.echo(f"warning: {line}", err=True)
    with stop_on_signals() as stop:
        Running(settings, stop, rate=rate, tell=_tell).run(id_)
    with connect(settings, "replay") as connection:
        done, failures = job.job(connection, id_), job.failures(connection, id_)
    document = {"replay": done, "missing": missing, "failures": failures}
    lines = [_line(done)]
    lines += [
        f"  change {f.change_id} rule {f.rule}: {f.cause} {f.sqlstate or ''} {f.message}" for f in failures
    ]
    if done.state != "finished":
        lines.append(f"to go on: orgstream replay --resume {id_}")
    _print(document, as_json, lines)
    if failures or done.state != "finished":
        raise click.exceptions.Exit(FAILED)


def _rehearse(
    connection: psycopg.Connection, selection: Selection, missing: list[str], *, force: bool, as_json: bool
) -> None:
    rules = live_rules(connection)
    found = rehearse(
        connection, selection, scope(selection, rules), rules, force=force, progress=_selecting_at
    )
    _print({"rehearsal": found, "missing": missing}, as_json, _foreseen(found, missing))


def _selection(
    connection: psycopg.Connection, named: dict[str, Any], *, everything: bool, force: bool
) -> Selection:
    if not everything and not any(named.values()):
        raise ConfigurationError(
            "replay: say which changes, by --since, --until, --id, --rule, --table, --key or --org, or --all."
        )
    row = connection.execute(load("replay")["now"]).fetchone()
    times = {
        name: moment(named[name], row[0]) for name in ("since", "until") if named[name] is not None and row
    }
    return checked(Selection(**{**named, **times}), force=force)


def _missing(connection: psycopg.Connection, selection: Selection) -> list[str]:
    """What is selected that the queue holds no more."""
    told: list[str] = []
    first, captured_at = connection.execute(load("replay")["edges"]).fetchone() or (None, None)
    gone = connection.execute(load("replay")["missing"], {"ids": list(selection.ids)}).fetchall()
    if gone:
        told.append(f"the queue does not hold the changes {', '.join(str(id_) for (id_,) in gone)}")
    if first is None:
        told.append("the queue is empty: retention has dropped what was captured, or nothing ever was")
    elif first > 1 and not selection.ids and (selection.since is None or selection.since < captured_at):
        told.append(
            f"the queue begins with change {first}, captured {captured_at:%Y-%m-%d %H:%M:%S%z}: "
            "what came before is no longer there (ORGSTREAM_RETENTION)"
        )
    return told


def _selecting_at(change: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\rselecting: change {change}", err=True, nl=False)


def _tell(job: Job, seconds: float) -> None:
    rate = job.done / seconds if seconds > 0 else 0.0
    left = f", {(job.records - job.done) / rate:.0f} s left" if rate and job.done < job.records else ""
    click.echo(f"replay {job.id}: {job.done} of {job.records} records, {rate:.0f}/s{left}", err=True)


def _line(job: Job) -> str:
    force = " with --force" if job.force else ""
    return (
        f"replay {job.id}{force} of {job.created_at[:19]} by {job.actor}: {job.state}; "
        f"{job.selected} changes of {job.records} records selected, {job.done} records done, "
        f"{job.applied} changes applied, {job.held} held, {job.failed} failed"
    )


def _foreseen(found: Rehearsal, missing: list[str]) -> Iterator[str]:
    yield from (f"warning: {line}" for line in missing)
    yield f"{found.selected} changes of {found.records} records; {found.held} held, {found.failed} would fail"
    for rule in found.rules:
        yield (
            f"rule {rule.rule} into {rule.table}: {rule.insert} inserted, {rule.update} updated, "
            f"{rule.rename} renamed, "
            f"{rule.delete} deleted, {rule.same} as they should be, {rule.failed} failed"
        )
        for sample in rule.samples:
            if isinstance(sample, dict):
                yield f"  change {sample['change']}: {sample['cause']}, {sample['message']}"
            else:
                columns = f": {', '.join(sample.columns)}" if sample.columns else ""
                yield f"  {sample.what} {_ENCODER.encode(sample.key).decode()}{columns}"


def _print(document: object, as_json: bool, lines: Any) -> None:
    if as_json:
        click.echo(msgspec.json.format(_ENCODER.encode(document)).decode())
    else:
        for line in lines:
            click.echo(line)
