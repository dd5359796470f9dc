"""Rivals that cannot share our environment: one of their own, made on first use, and a process that answers from it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest


def environment(folder: Path, requirements: Sequence[str]) -> Path:
    """Interpreter of a virtual environment with packages, kept in a folder; skips the test where it cannot be made."""
    python, made = folder / "bin" / "python", folder / "made"
    wanted = "\n".join(requirements)
    if made.exists() and made.read_text() == wanted:
        return python
    install = [str(python), "-m", "pip", "install", "--quiet", *requirements]
    for command in ([sys.executable, "-m", "venv", "--clear", str(folder)], install):
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=900)
        except (OSError, subprocess.SubprocessError) as error:
            said = str(getattr(error, "stderr", None) or error).strip().splitlines()
            reason = next((line for line in said if line.startswith("ERROR")), said[-1])
            pytest.skip(f"no environment with {', '.join(requirements)} could be made: {reason}")
    made.write_text(wanted)
    return python


class Worker:
    """A script in another interpreter that reads a request and writes an answer per line of JSON."""

    def __init__(self, python: Path, script: Path) -> None:
        # No path of ours: its packages are other versions.
        self._process = subprocess.Popen(
            [str(python), "-I", str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, **request: Any) -> dict[str, Any]:
        """Answer to a request."""
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps(request), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        assert line, f"the worker ended with {self._process.wait()} on {request}"
        found: dict[str, Any] = json.loads(line)
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.communicate()
