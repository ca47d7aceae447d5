"""`orgstream dead-letters`: what could not be applied, and settling it."""

from __future__ import annotations

import contextlib
import functools
import sys
from typing import IO, TYPE_CHECKING, Any, Final

import click
import msgspec

from pipeline.cli.letter_text import difference_lines, group_lines, letter_lines
from pipeline.cli.options import with_settings
from pipeline.errors import ConfigurationError
from pipeline.letter_edit import LetterEditor
from pipeline.letter_view import whole_letter
from pipeline.letters import Selection, grouped, request, select
from pipeline.postgres.connection import connect, require_migrated
from pipeline.rules import store
from stages.rules.compile import CompiledRules, compile_rules
from stages.rules.model import RuleSet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import psycopg

    from pipeline.letter_edit import Difference
    from pipeline.settings import Settings

_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
_all = click.option("--all", "everything", is_flag=True, help="Every open letter.")


def _selecting(function: Callable[..., None]) -> Callable[..., None]:
    """The options that say which letters are meant."""

    @click.option("--id", "ids", type=int, multiple=True, help="The letter's number; may be given often.")
    @click.option("--rule", help="Of this rule.")
    @click.option("--table", help="Of this source table, as org.table.")
    @click.option("--key", help="Of this record: its identity as a JSON object.")
    @click.option("--cause", help="With this cause, or this SQLSTATE.")
    @_json
    @functools.wraps(function)
    def run(settings: Settings, **options: Any) -> None:
        names = ("ids", "rule", "table", "key", "cause")
        selection = Selection(**{name: options.pop(name) for name in names})
        function(settings, selection, **options)

    return run


@click.group()
def command() -> None:
    """Changes that could not be applied: look at them; have them retried, skipped or edited.

    Whatever is asked for is done by the worker that holds the letter's partition, in order with what is live,
    and kept in the audit with who asked, when and why.
    """


@command.command("list")
@with_settings("database_url")
@_selecting
def list_(settings: Settings, selection: Selection, as_json: bool) -> None:
    """List open letters by cause, each with the later changes of its record that wait behind it."""
    with _connected(settings) as connection:
        letters = select(connection, selection)
    groups = grouped(letters)
    _print(
        {"dead_letters": letters, "groups": [_summary(group) for group in groups]},
        as_json,
        group_lines(groups),
    )


@command.command()
@with_settings("database_url")
@_selecting
@_all
def show(settings: Settings, selection: Selection, as_json: bool, everything: bool) -> None:
    """Show letters with their change, what the live rules map it to, what waits, and the audit.

    This prints the records' values, which are people's data.
    """
    _require_said(selection, "show", everything=everything)
    with _connected(settings) as connection:
        rules = _rules(connection)
        letters = [whole_letter(connection, rules, letter) for letter in select(connection, selection)]
    lines = (line for letter in letters for line in (*letter_lines(letter), ""))
    _print({"dead_letters": letters}, as_json, lines if letters else ["no such dead letter is open"])


@command.command()
@with_settings("database_url")
@_selecting
@_all
@click.option("--reason", default="retried", show_default=True, help="For the record.")
def retry(settings: Settings, selection: Selection, as_json: bool, everything: bool, reason: str) -> None:
    """Have letters tried again by today's rules, and what waits behind them in its order."""
    _request(settings, selection, "retry", reason, as_json=as_json, everything=everything)


@command.command()
@with_settings("database_url")
@_selecting
@_all
@click.option("--reason", required=True, help="Why, for the record.")
def skip(settings: Settings, selection: Selection, as_json: bool, everything: bool, reason: str) -> None:
    """Give letters up, and let what waits behind them go on."""
    _request(settings, selection, "skip", reason, as_json=as_json, everything=everything)


@command.command()
@with_settings("database_url")
@click.option("--id", "id_", type=int, required=True, help="The letter's number.")
@click.option("--set", "sets", multiple=True, metavar="COLUMN=VALUE", help="A target column and its value.")
@click.option("--null", "nulls", multiple=True, metavar="COLUMN", help="A target column that becomes NULL.")
@click.option("--file", type=click.File(), help="A JSON object: target column to value. - is stdin.")
@click.option("--allow-key", is_flag=True, help="The edit may change which target row is written.")
@click.option("--reason", required=True, help="Why, for the record.")
@click.option("--dry-run", is_flag=True, help="Only check the values and show what differs.")
@_json
def edit(
    settings: Settings,
    /,
    *,
    id_: int,
    allow_key: bool,
    reason: str,
    dry_run: bool,
    as_json: bool,
    **values: Any,
) -> None:
    """Write other values than the rule maps for one letter, then what waits behind it.

    Without --set, --null or --file it opens $EDITOR on the mapped values, on a terminal.
    """
    with _connected(settings) as connection:
        letters = select(connection, Selection(ids=(id_,)))
        if not letters:
            raise ConfigurationError(f"no dead letter {id_} is open. See: orgstream dead-letters list")
        editor = LetterEditor(connection, _rules(connection), letters[0])
        change, differences = editor.propose(_values(editor, **values), allow_key=allow_key)
        if not dry_run and not request(connection, letters, "edit", reason, change):
            raise ConfigurationError(f"letter {id_} is being settled already.")
    _print({"edited": id_, "dry_run": dry_run, "differences": differences}, as_json, _told(id_, differences))


def _told(id_: int, differences: Sequence[Difference]) -> Iterator[str]:
    yield f"letter {id_}: written by the worker that holds its partition"
    yield from difference_lines(differences)


def _values(
    editor: LetterEditor, sets: Sequence[str], nulls: Sequence[str], file: IO[str] | None
) -> dict[str, Any]:
    """What is to be written, from the options or from an editor. Raises ConfigurationError."""
    values: dict[str, Any] = dict.fromkeys(nulls)
    for one in sets:
        column, is_set, text = one.partition("=")
        if not is_set:
            raise ConfigurationError(f"--set {one}: write it as COLUMN=VALUE.")
        values[column] = editor.from_text(column, text)
    if file is not None:
        values |= _object(file.read(), "--file")
    if not values:
        values = _from_editor(editor)
    return values


def _from_editor(editor: LetterEditor) -> dict[str, Any]:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ConfigurationError("say what to write, by --set, --null or --file; $EDITOR needs a terminal.")
    text = click.edit(editor.document(), extension=".json")
    if text is None:
        raise ConfigurationError("the editor saved nothing: nothing was changed.")
    return _object(text, "the editor's text")


def _object(text: str, what: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text.encode(), type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise ConfigurationError(f"{what} is not a JSON object of columns and values ({error}).") from None


def _request(
    settings: Settings, selection: Selection, what: str, reason: str, *, as_json: bool, everything: bool
) -> None:
    _require_said(selection, what, everything=everything)
    with _connected(settings) as connection:
        letters = select(connection, selection)
        asked = set(request(connection, letters, what, reason))
    left = [letter.id for letter in letters if letter.id not in asked]
    lines = [f"asked for {len(asked)} letters: {what}; the workers that hold their partitions do it"]
    if left:
        lines.append(
            f"left alone: {', '.join(map(str, left))}. They are being settled already, or nobody could read "
            "their entry, which can only be skipped"
        )
    done = {"dead_letters": [letter for letter in letters if letter.id in asked], "left": left}
    _print(done, as_json, lines)


def _require_said(selection: Selection, what: str, *, everything: bool) -> None:
    if selection == Selection() and not everything:
        raise ConfigurationError(
            f"dead-letters {what}: say which, by --id, --rule, --table, --key or --cause, or --all."
        )


def _summary(group: Any) -> dict[str, Any]:
    ids = [letter.id for letter in group.letters]
    return {**msgspec.structs.asdict(group), "letters": ids, "count": len(ids), "held": group.held}


def _rules(connection: psycopg.Connection) -> CompiledRules:
    return compile_rules(store.live(connection) or RuleSet(0, {}, (), ()))


@contextlib.contextmanager
def _connected(settings: Settings) -> Iterator[psycopg.Connection]:
    with connect(settings, "dead-letters") as connection:
        require_migrated(connection)
        yield connection


def _print(document: object, as_json: bool, lines: Iterable[str]) -> None:
    if as_json:
        click.echo(msgspec.json.format(_ENCODER.encode(document)).decode())
    else:
        for line in lines:
            click.echo(line)
