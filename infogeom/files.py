"""Files that are whole or absent."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

__all__ = ["writable_folder", "write_atomically"]


def writable_folder(path: str | Path) -> Path:
    """Folder that is there, made if need be, and takes files; OSError says why it does not."""
    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        return folder


def write_atomically(path: Path, writer: Callable[[BinaryIO], object]) -> None:
    """Let ``writer`` fill a file beside ``path``, then put it in place at once; what fails leaves no fragment."""
    part = path.with_name(f".{path.name}.{uuid4().hex}.part")
    try:
        with part.open("xb") as file:
            writer(file)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
