"""What the demo shows while it runs: a live view in a terminal, some lines elsewhere, or nothing."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from typing import TYPE_CHECKING, Final

import click
from rich.live import Live

from pipeline.demo.report import introduction
from pipeline.demo.view import line, picture

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from pipeline.demo.run import Options
    from pipeline.demo.sample import Sample

_LINE_SECONDS: Final = 3.0
_WINDOW: Final = 8  # samples over which rates are measured


class Screen:
    """Tells how the demo goes; this one tells nothing."""

    def introduce(self, options: Options) -> None:
        """Say what is going to happen."""

    def say(self, text: str) -> None:
        """Tell of a step."""

    def kept(self, text: str) -> None:
        """Tell how to look into the folder that was kept."""
        click.echo(text, err=True)

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Samples are shown while this lasts."""
        yield

    def begin(self, title: str, seconds: float | None) -> None:
        """A phase begins; it lasts for `seconds`, where that is known."""

    def show(self, sample: Sample) -> None:
        """Show how things stand."""


class LineScreen(Screen):
    """Plain lines, for a file or a pipe."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._next = 0.0
        self._samples: deque[Sample] = deque(maxlen=2)

    def introduce(self, options: Options) -> None:
        self._console.print(introduction(options))

    def say(self, text: str) -> None:
        self._console.print(f"{text} …")

    def begin(self, title: str, seconds: float | None) -> None:
        self.say(title if seconds is None else f"{title} for {seconds:g} s")

    def show(self, sample: Sample) -> None:
        if sample.at >= self._next:
            self._samples.append(sample)
            self._console.print(line(list(self._samples)), highlight=False)
            self._next = sample.at + _LINE_SECONDS


class LiveScreen(Screen):
    """A picture that is drawn anew, for a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False)
        self._samples: deque[Sample] = deque(maxlen=_WINDOW)
        self._title = ""
        self._ends: float | None = None

    def introduce(self, options: Options) -> None:
        self._console.print(introduction(options))
        self._console.print()

    def say(self, text: str) -> None:
        self._console.print(f"{text} …", style="dim")

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        with self._live:
            yield
        self._console.print()

    def begin(self, title: str, seconds: float | None) -> None:
        self._title = title
        self._ends = None if seconds is None else time.monotonic() + seconds

    def show(self, sample: Sample) -> None:
        self._samples.append(sample)
        left = None if self._ends is None else self._ends - sample.at
        self._live.update(picture(self._title, left, list(self._samples)), refresh=True)
