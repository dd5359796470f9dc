"""Files that are whole or absent."""

from pathlib import Path
from typing import BinaryIO

import pytest

from infogeom.files import writable_folder, write_atomically


def test_a_write_that_fails_leaves_the_earlier_file_and_no_fragment(tmp_path: Path) -> None:
    target = tmp_path / "grid.nc"
    target.write_text("earlier")

    def fail(file: BinaryIO) -> None:
        file.write(b"half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_atomically(target, fail)
    assert [file.name for file in tmp_path.iterdir()] == ["grid.nc"]
    assert target.read_text() == "earlier"


def test_a_write_replaces_the_earlier_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "grid.nc"
    target.write_text("earlier")
    write_atomically(target, lambda file: file.write(b"later"))
    assert target.read_text() == "later"
    assert [file.name for file in tmp_path.iterdir()] == ["grid.nc"]


def test_a_file_has_the_permissions_of_any_other(tmp_path: Path) -> None:
    write_atomically(tmp_path / "one", lambda file: file.write(b""))
    (tmp_path / "other").touch()
    assert (tmp_path / "one").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_folder_is_made_with_those_above_it(tmp_path: Path) -> None:
    assert writable_folder(tmp_path / "a" / "b").is_dir()
    assert not list((tmp_path / "a" / "b").iterdir())


def test_a_folder_that_cannot_be_made_is_an_os_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        writable_folder(tmp_path / "file" / "folder")
