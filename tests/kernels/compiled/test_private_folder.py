"""What another user may have written is not read, whenever and however it came to be so."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from infogeom.kernels.compiled.private_folder import BY_DESCRIPTOR, PrivateFolder, UntrustedError

pytestmark = pytest.mark.skipif(not BY_DESCRIPTOR, reason="this system has no owners of files")
NOBODY = 65534


@pytest.fixture
def folder(tmp_path: Path) -> PrivateFolder:
    """A folder with a subfolder and a file in each."""
    made = PrivateFolder(tmp_path / "kernels")
    made.write("file", b"content")
    made.subfolder("inner").write("file", b"inner content")
    return made


@pytest.fixture
def no_umask() -> Iterator[None]:
    """Files may be made that everybody writes to."""
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_was_written_is_read(folder: PrivateFolder) -> None:
    assert folder.read("file") == b"content"
    assert folder.subfolder("inner").read("file") == b"inner content"


@pytest.mark.usefixtures("no_umask")
def test_folders_and_files_are_ours_alone_whatever_the_umask(tmp_path: Path) -> None:
    PrivateFolder(tmp_path / "kernels").subfolder("inner").write("file", b"")
    found = [tmp_path / "kernels" / name for name in (".", "inner", "inner/file")]
    assert [mode(path) for path in found] == [0o700, 0o700, 0o600]


@pytest.mark.parametrize("bits", [0o020, 0o002])
@pytest.mark.parametrize("place", [".", "inner", "inner/file"])
def test_what_others_may_write_to_is_not_read(folder: PrivateFolder, place: str, bits: int) -> None:
    path = folder.path / place
    assert folder.subfolder("inner").read("file")
    path.chmod(mode(path) | bits)
    with pytest.raises(UntrustedError, match="others may write to it") as refused:
        folder.subfolder("inner").read("file")
    assert refused.value.filename == str(path)


@pytest.mark.parametrize("place", [".", "inner"])
def test_nothing_is_written_where_others_may_write(folder: PrivateFolder, place: str) -> None:
    (folder.path / place).chmod(0o777)
    with pytest.raises(UntrustedError):
        folder.subfolder("inner").write("more", b"")
    assert not list(folder.path.rglob("*more*"))


@pytest.mark.skipif(BY_DESCRIPTOR and os.geteuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize("place", [".", "inner", "inner/file"])
def test_what_another_user_owns_is_not_read(folder: PrivateFolder, place: str) -> None:
    os.chown(folder.path / place, NOBODY, NOBODY)
    with pytest.raises(UntrustedError, match="another user owns it"):
        folder.subfolder("inner").read("file")


def test_others_may_read(folder: PrivateFolder) -> None:
    folder.path.chmod(0o755)
    assert folder.read("file") == b"content"


def test_a_link_is_followed_to_what_is_checked_and_not_to_where_it_led_before(
    folder: PrivateFolder, tmp_path: Path
) -> None:
    public, link = tmp_path / "public", tmp_path / "link"
    public.mkdir()
    public.chmod(0o777)
    (public / "file").write_bytes(b"planted")
    link.symlink_to(folder.path)
    linked = PrivateFolder(link)
    assert linked.read("file") == b"content"
    link.unlink()
    link.symlink_to(public)
    with pytest.raises(UntrustedError):
        linked.read("file")


@pytest.mark.parametrize("place", ["inner", "inner/file"])
def test_below_the_folder_no_link_is_followed(folder: PrivateFolder, tmp_path: Path, place: str) -> None:
    path = folder.path / place
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match=r"Not a directory|Too many levels"):
        folder.subfolder("inner").read("file")


def test_a_failed_write_leaves_no_fragment(folder: PrivateFolder) -> None:
    with pytest.raises(OSError, match="directory"):
        folder.write("inner", b"a folder is there")
    assert {path.name for path in folder.path.iterdir()} == {"file", "inner"}


def test_what_is_not_there_is_removed_in_silence(folder: PrivateFolder) -> None:
    folder.remove("file")
    folder.remove("file")
    with pytest.raises(FileNotFoundError):
        folder.read("file")
