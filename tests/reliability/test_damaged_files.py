"""Two thousand damaged files: refused by their name, or read right; nobody crashes, and no file is overwritten."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.reliability.damaged import KINDS

#: Damaged files of each kind in the default run, and in all.
FEW, ALL = 30, 400


def wrong(kinds: list[str], first: int, last: int, folder: Path) -> list[str]:
    """What becomes of damaged files read by a process of its own, where they are neither refused nor read right."""
    command = [sys.executable, "-W", "error", "-W", "ignore:Reading", "-m", "tests.reliability.damaged"]
    process = subprocess.run(
        [*command, ",".join(kinds), str(first), str(last), str(folder)],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False,
    )  # fmt: skip
    lines = process.stdout.splitlines()
    if process.returncode:
        return [f"{lines[-1:]} ended the process by {process.returncode}: {process.stderr[-2000:]}"]
    assert len(lines) == len(kinds) * (last - first)
    return [line for line in lines if not line.endswith((": refused", ": right"))]


def test_a_damaged_file_is_refused_by_its_name_or_read_right(tmp_path: Path) -> None:
    assert wrong(list(KINDS), 0, FEW, tmp_path) == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_many_damaged_files_are_refused_by_their_name_or_read_right(kind: str, tmp_path: Path) -> None:
    assert wrong([kind], FEW, ALL, tmp_path) == []
