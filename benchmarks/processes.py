"""Fresh Python processes on this source tree."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]


def python(*arguments: str, environment: Mapping[str, str] | None = None) -> str:
    """What a fresh interpreter prints."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    whole = os.environ | {"PYTHONPATH": path, "MPLBACKEND": "agg"} | dict(environment or {})
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False, env=whole)
    assert done.returncode == 0, done.stderr
    return done.stdout
