"""A folder that holds code to be run: what another user owns or may write to is not read.

Owner and mode are asked of the opened descriptor, anew for each file, and names are looked up relative to it. So it
does not matter where a link led before, who may rename a folder further up, or what the umask is.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

__all__ = ["PrivateFolder", "UntrustedError"]

#: Where the system has neither owners nor descriptors of folders (Windows), the user's own folder is trusted.
BY_DESCRIPTOR = hasattr(os, "geteuid") and os.open in os.supports_dir_fd
#: The last part of a name may be no link.
NO_LINK = getattr(os, "O_NOFOLLOW", 0)
BINARY = getattr(os, "O_BINARY", 0)


class UntrustedError(PermissionError):
    """Another user may have written what is in a file or folder; ``filename`` is its path."""


@dataclass(frozen=True)
class PrivateFolder:
    """A folder of this user's, made with mode 0700 when it is first needed.

    Every method raises `UntrustedError` where another user owns the folder, one of the folders it is within or the
    file, or may write to it, and OSError where the file system refuses.

    Attributes
    ----------
    path : Path
        Absolute, so that it stays the same when the working directory changes; it may lead over links.
    within : PrivateFolder, optional
        The folder this one is in, which is checked first; then it may be no link itself.
    """

    path: Path
    within: PrivateFolder | None = None

    def subfolder(self, name: str) -> PrivateFolder:
        """Folder in this one."""
        return PrivateFolder(self.path / name, self)

    def read(self, name: str) -> bytes:
        """Content of a file; FileNotFoundError where there is none."""
        with self._opened() as folder:
            descriptor = os.open(self._place(name, folder), os.O_RDONLY | NO_LINK | BINARY, dir_fd=folder)
            with os.fdopen(descriptor, "rb") as file:
                _check(os.fstat(descriptor), self.path / name)
                return file.read()

    def write(self, name: str, content: bytes) -> None:
        """Put a file in place at once, with mode 0600; what fails leaves no fragment."""
        with self._opened() as folder:
            part, whole = self._place(f".{name}.{uuid4().hex}.part", folder), self._place(name, folder)
            try:
                descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | BINARY, 0o600, dir_fd=folder)
                with os.fdopen(descriptor, "wb") as file:
                    file.write(content)
                os.replace(part, whole, src_dir_fd=folder, dst_dir_fd=folder)
            finally:
                with suppress(FileNotFoundError):
                    os.unlink(part, dir_fd=folder)

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        with self._opened() as folder, suppress(FileNotFoundError):
            os.unlink(self._place(name, folder), dir_fd=folder)

    def _place(self, name: str, folder: int | None) -> str | Path:
        """A name relative to the descriptor, or the whole path where there are none."""
        return self.path / name if folder is None else name

    @contextmanager
    def _opened(self) -> Iterator[int | None]:
        """Descriptor of the folder, whose owner and mode have been checked; None where there are none."""
        if not BY_DESCRIPTOR:
            self.path.mkdir(parents=True, exist_ok=True)
            yield None
            return
        with ExitStack() as stack:
            if self.within is None:
                self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
                descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
            else:
                above = stack.enter_context(self.within._opened())
                with suppress(FileExistsError):
                    os.mkdir(self.path.name, 0o700, dir_fd=above)
                descriptor = os.open(self.path.name, os.O_RDONLY | os.O_DIRECTORY | NO_LINK, dir_fd=above)
            stack.callback(os.close, descriptor)
            _check(os.fstat(descriptor), self.path)
            yield descriptor


def _check(status: os.stat_result, path: Path) -> None:
    if not BY_DESCRIPTOR:
        return
    if status.st_uid != os.geteuid():
        raise UntrustedError(errno.EPERM, "another user owns it, and code from it would be run", str(path))
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise UntrustedError(errno.EPERM, "others may write to it, and code from it would be run", str(path))
