"""Every example parses and names only what exists. The tutorial's are run as well, by test_tutorial."""

from __future__ import annotations

import re
import shlex
import subprocess
import tomllib
from typing import TYPE_CHECKING, Final

import click
import psycopg
import pytest

from pipeline.cli.commands import COMMANDS
from pipeline.cli.group import load
from tests.docs.pages import DOCS, README, ROOT, blocks, pages, read

if TYPE_CHECKING:
    from pathlib import Path

    from tests.docs.pages import Block

OTHERS: Final = frozenset({"psql", "export", "python3", ".", "pip", "mkdir", "heroku"})
TESTED_WITH_THEIR_PAGE: Final = frozenset({"python", "expressions"})  # connect.md, expressions.md


def examples(*languages: str) -> list[Block]:
    return [block for page in pages() for block in blocks(page, *languages)]


def _place(value: object) -> str:
    return str(getattr(value, "place", value))


@pytest.mark.parametrize("block", examples("sh"), ids=_place)
def test_a_shell_example_names_what_exists(block: Block) -> None:
    subprocess.run(["/usr/bin/env", "bash", "-n", "-c", block.text], check=True)
    for command in commands(block.text):
        check(command)


def commands(text: str) -> list[list[str]]:
    """The commands of a shell text, as words; without comments and variables set for one command."""
    joined = re.sub(r"(^|\s)#.*$", "", text.replace("\\\n", " "), flags=re.MULTILINE)
    lexer = shlex.shlex(joined, posix=True, punctuation_chars="\n;|&")
    lexer.whitespace = " \t"
    lexer.whitespace_split = True
    lexer.commenters = ""
    found: list[list[str]] = [[]]
    for word in lexer:
        if set(word) <= set("\n;|&"):
            found.append([])
        elif found[-1] or not re.match(r"[A-Z_]+=", word):
            found[-1].append(word)
    return [words for words in found if words]


def check(words: list[str]) -> None:
    """Fail unless what a command names is there."""
    program, *arguments = words
    if program == "heroku":
        assert arguments[0] in {"ps:scale", "run"}
        if arguments[0] == "run":
            check(arguments[1:])
        else:
            processes = re.findall(r"^(\w+):", read(ROOT / "Procfile"), re.MULTILINE)
            assert {argument.partition("=")[0] for argument in arguments[1:]} <= set(processes)
    elif program == "orgstream":
        parse(arguments)
    elif program == "make":
        assert re.search(rf"^{arguments[0]}:.*##", read(ROOT / "Makefile"), re.MULTILINE), words
    elif program == "pip":
        extras = tomllib.loads(read(ROOT / "pyproject.toml"))["project"]["optional-dependencies"]
        assert arguments[0] == "install"
        assert all(extra in extras for extra in re.findall(r"\[(\w+)\]", arguments[1]))
    else:
        assert program in OTHERS, words


def parse(arguments: list[str]) -> None:
    """Have the command line read arguments as it would. Raises click.UsageError."""
    name, *rest = arguments
    assert name in COMMANDS, name
    command = load(name)
    if isinstance(command, click.Group):
        command, rest = command.commands[rest[0]], rest[1:]
    command.make_context(name, rest, help_option_names=["-h", "--help"])  # as the group gives them


@pytest.mark.parametrize("text", ["orgstream relais", "orgstream relay --nothing", "make nothing", "rm x"])
def test_what_does_not_exist_is_recognised(text: str) -> None:
    with pytest.raises((AssertionError, click.UsageError)):
        check(commands(text)[0])


def test_commands_are_told_apart() -> None:
    text = 'A=1 make test  # yes\npsql "a\nb" | cat\n'
    assert commands(text) == [["make", "test"], ["psql", "a\nb"], ["cat"]]


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_named_in_the_text_exist(page: Path) -> None:
    named = re.findall(r"`orgstream ([a-z][a-z-]*)(?: ([a-z-]+))?[^`]*`", read(page))
    for name, part in named:
        assert name in COMMANDS, f"orgstream {name}"
        command = load(name)
        if part and isinstance(command, click.Group):
            assert part in command.commands, f"orgstream {name} {part}"


@pytest.mark.parametrize("block", examples("toml"), ids=_place)
def test_a_toml_example_is_toml(block: Block) -> None:
    assert tomllib.loads(block.text)


def test_the_sql_examples_run(migrated: None, database_url: str) -> None:
    found = [block for block in examples("sql") if block.page != README]
    assert found
    with psycopg.connect(database_url, autocommit=True) as connection:
        for block in found:
            connection.execute(block.text.encode())


def test_every_block_says_what_it_is() -> None:
    known = {"sh", "toml", "sql", "text"} | TESTED_WITH_THEIR_PAGE
    ours = [block for block in examples() if block.page == README or block.page.is_relative_to(DOCS)]
    assert [block.place for block in ours if block.language not in known] == []
