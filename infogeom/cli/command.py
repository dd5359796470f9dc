"""The command ``infogeom``: arguments in, exit status out, whatever stands behind its output."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import infogeom as ig
from infogeom.cli import models, verify
from infogeom.cli.exits import BAD_INPUT, INTERRUPTED, UNREAD, UNWRITTEN

__all__ = ["main"]

#: Each adds its parser, whose ``run`` takes the options and returns the exit status.
COMMANDS = (verify.add, models.add)


class Parser(argparse.ArgumentParser):
    """Errors take one line."""

    def error(self, message: str) -> NoReturn:
        """Exit with status 2."""
        self.exit(BAD_INPUT, f"infogeom: error: {message}\n")

    def _print_message(self, message: str, file: Any = None) -> None:
        """Argparse passes over what cannot be written; of what was asked for it is told here."""
        if file is sys.stdout:
            print(message, end="", file=file)
        else:
            super()._print_message(message, file)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand and return its exit status; by SystemExit 0 for --help and --version, 2 for bad input.

    Characters that the encoding of the output lacks are written as backslash and number. Output that nobody reads on
    ends the command in silence, output that cannot be written with a line that says why.
    """
    if sys.stderr is None:  # closed; print and tqdm would take another
        sys.stderr = io.StringIO()
    if sys.stdout is None:
        print("infogeom: standard output is closed", file=sys.stderr)
        return UNWRITTEN
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors in ("strict", "surrogateescape"):
        sys.stdout.reconfigure(errors="backslashreplace")  # not "?", which says that something is not known
    try:
        try:
            return _run(argv)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        _write_no_more()
        return UNREAD
    except OSError as error:
        _write_no_more()
        with contextlib.suppress(OSError):
            print(f"infogeom: {error}", file=sys.stderr)
        return UNWRITTEN


def _run(argv: Sequence[str] | None) -> int:
    parser = Parser(prog="infogeom", description="Information geometry: metrics, connections and curvature of models.")
    parser.add_argument("--version", action="version", version=f"infogeom {ig.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for add in COMMANDS:
        add(commands)
    options = parser.parse_args(argv)
    try:
        status: int = options.run(options)
    except (TypeError, ValueError, ArithmeticError) as error:
        parser.error(" ".join(str(error).split()))
    except KeyboardInterrupt:
        print("infogeom: interrupted", file=sys.stderr)
        return INTERRUPTED
    return status


def _write_no_more() -> None:
    """Nothing goes to a closed pipe, neither what is buffered when the interpreter ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
