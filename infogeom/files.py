"""Files that are whole or absent."""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

__all__ = ["remove_fragments", "writable_folder", "write_atomically"]


def writable_folder(path: str | Path) -> Path:
    """Folder that is there, made if need be, and takes files; OSError says why it does not."""
    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        return folder


def write_atomically(path: Path, writer: Callable[[BinaryIO], object]) -> None:
    """Let ``writer`` fill a file beside ``path``, then put it in place at once; what fails leaves no fragment."""
    part = path.with_name(f"{_fragment(path)}.{uuid4().hex}.part")
    try:
        with part.open("xb") as file:
            writer(file)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def remove_fragments(path: Path) -> None:
    """Remove what processes that were killed left of ``path``, to which nobody else may be writing."""
    with contextlib.suppress(OSError):  # in a folder that is read alone they stay
        for part in path.parent.glob(f"{_fragment(path)}.*.part"):
            part.unlink(missing_ok=True)


def _fragment(path: Path) -> str:
    """How the names of a file's fragments begin: short, however long its own is."""
    return f".{hashlib.sha256(path.name.encode()).hexdigest()[:16]}"
