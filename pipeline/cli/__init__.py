"""The command line. Each command, or family of commands, is one file here, imported when it is called.

To add one: write `pipeline/cli/<name>.py` (dashes become underscores) with a click command or group named
`command`, and add its name and one-line summary to `pipeline/cli/commands.py`. For example:

    @click.command()
    @with_settings("database_url", "lease_seconds")     # flags; log-format and log-level come by themselves
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
    def command(settings: Settings, as_json: bool) -> None:
        \"\"\"What it does, for --help.\"\"\"

`with_settings` (in `options`) loads the settings, sets up the log, and passes the settings first. End with
`raise click.exceptions.Exit(1)` where the answer is "no" and the output has said so; raise a
ConfigurationError (exit 2) or a Failure (exit 1) with a message for everything else. A process that runs
until it is told to stop uses `pipeline.signals.stop_on_signals`. `main` does the rest.
"""

from __future__ import annotations

from pipeline.cli.entry import main

__all__ = ["main"]
