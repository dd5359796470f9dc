"""The examples as a user runs them, for the tests of each."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(example: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The example in an interpreter of its own, on this source tree."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = os.environ | {"PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, str(example), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, encoding="utf-8")


def quick_run(example: Path, out: Path) -> tuple[Path, str]:
    """Folder and printed text of a quick run."""
    done = run(example, "--quick", "--out", out)
    assert done.returncode == 0, done.stderr
    return out, done.stdout


def refusal(example: Path, out: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that bad arguments get, after which the exit status is 2."""
    with pytest.raises(SystemExit) as exit_:
        runpy.run_path(str(example))["main"](["--out", str(out), *arguments])
    assert exit_.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line
