"""The command line's frame: exit codes, messages, generated flags and lazy imports."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

import click
import pytest

import pipeline.cli
from pipeline.cli import main
from pipeline.cli.commands import COMMANDS
from pipeline.cli.group import load
from pipeline.cli.options import with_settings
from pipeline.errors import ConfigurationError, Failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.settings import Settings


@pytest.fixture
def ending(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], int]:
    """Runs a command that does what it is given; the exit code."""

    def run(act: Callable[[], object]) -> int:
        command = click.Command("settings", callback=act)
        monkeypatch.setattr("pipeline.cli.group.load", lambda _name: command)
        return main(["settings"])

    return run


def raiser(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (ConfigurationError("PORT is wrong. Set it."), 2, "orgstream: PORT is wrong. Set it.\n"),
        (Failure("Redis is away. Start it."), 1, "orgstream: Redis is away. Start it.\n"),
        (click.exceptions.Exit(1), 1, ""),
        (click.UsageError("no such thing"), 2, "Usage: orgstream settings"),
        (KeyboardInterrupt(), 130, "\n"),
    ],
)
def test_exit_codes_and_messages(
    error: BaseException,
    code: int,
    message: str,
    ending: Callable[[Callable[[], object]], int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert ending(raiser(error)) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(message)
    assert "Traceback" not in printed.err


def test_done_is_zero(ending: Callable[[Callable[[], object]], int]) -> None:
    assert ending(lambda: None) == 0


def test_a_fault_of_our_own_is_not_hidden(ending: Callable[[Callable[[], object]], int]) -> None:
    with pytest.raises(ZeroDivisionError):
        ending(lambda: 1 // 0)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_listed_command_is_there(name: str) -> None:
    command = load(name)
    assert command.name == name
    assert command.help, "its docstring is its --help"
    assert COMMANDS[name].endswith(".")


def test_every_file_with_a_command_is_listed() -> None:
    modules = [module.name for module in pkgutil.iter_modules(pipeline.cli.__path__)]
    with_command = {
        name.replace("_", "-")
        for name in modules
        if isinstance(
            getattr(importlib.import_module(f"pipeline.cli.{name}"), "command", None), click.Command
        )
    }
    assert with_command == set(COMMANDS)


def test_flags_come_from_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[Settings, str]] = []

    @click.command()
    @with_settings("lease_seconds", "rules")
    @click.argument("rules")
    def command(settings: Settings, rules: str) -> None:
        seen.append((settings, rules))

    monkeypatch.setenv("ORGSTREAM_LEASE_SECONDS", "7s")
    monkeypatch.setenv("ORGSTREAM_PARTITIONS", "3")
    command.main(["--lease-seconds", "9s", "some-rule"], standalone_mode=False)
    settings, argument = seen[0]
    assert (settings.lease_seconds, settings.partitions, argument) == (9.0, 3, "some-rule")


def test_help_tells_variable_default_and_meaning_of_a_flag() -> None:
    @click.command()
    @with_settings("lease_seconds")
    def command(settings: Settings) -> None:
        raise AssertionError(settings)

    text = " ".join(command.get_help(click.Context(command, terminal_width=200)).split())
    assert "--lease-seconds DURATION How long a silent worker keeps its partitions." in text
    assert "[ORGSTREAM_LEASE_SECONDS; default 5s]" in text
    assert "--log-format logfmt|json" in text
    assert "--partitions" not in text


def test_a_setting_that_does_not_exist_has_no_flag() -> None:
    with pytest.raises(KeyError):
        with_settings("lease_second")
