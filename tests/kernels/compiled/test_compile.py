"""From source to compiled functions by way of the cache folder."""

from __future__ import annotations

import stat
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infogeom.kernels.compiled import compile as compiling
from infogeom.kernels.compiled.compile import CacheWarning, cache_directory, compiled, interpreted


def source(constant: int) -> str:
    """A kernel of its own for each constant."""
    return f"def tile(x):\n    return exp(x) + {constant}.0\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A fresh cache folder, not made yet; kernels compiled in it are forgotten afterwards."""
    monkeypatch.setenv("INFOGEOM_CACHE_DIR", str(tmp_path / "kernels"))
    compiled.cache_clear()
    yield tmp_path / "kernels"
    compiled.cache_clear()


def again(text: str) -> dict[str, Any]:
    """What a new process would get."""
    compiled.cache_clear()
    return compiled(text)


@pytest.mark.usefixtures("folder")
def test_a_kernel_computes_what_its_source_says() -> None:
    assert compiled(source(1))["tile"](0.0) == interpreted(source(1))["tile"](0.0) == 2.0


def test_the_cache_folder_is_the_one_of_the_environment(folder: Path) -> None:
    assert cache_directory() == folder
    compiled(source(2))["tile"](0.0)
    assert list(folder.glob("infogeom_kernel_*.py"))


def test_without_the_environment_the_folder_is_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INFOGEOM_CACHE_DIR", raising=False)
    assert "infogeom" in cache_directory().parts


def test_the_home_folder_may_be_a_tilde_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFOGEOM_CACHE_DIR", "~/kernels")
    assert cache_directory() == Path.home() / "kernels"


def test_the_cache_folder_is_private(folder: Path) -> None:
    compiled(source(3))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_file_is_named_by_the_hash_of_its_source(folder: Path) -> None:
    compiled(source(4))
    compiled(source(5))
    assert len({path.name for path in folder.glob("*.py")}) == 2


def test_no_temporary_file_is_left(folder: Path) -> None:
    compiled(source(6))["tile"](0.0)
    assert {file.suffix for file in folder.rglob("*") if file.is_file()} == {".py", ".nbi", ".nbc"}


def test_an_existing_file_is_never_rewritten(folder: Path) -> None:
    compiled(source(7))
    (path,) = folder.glob("*.py")
    before = path.stat()
    again(source(7))
    after = path.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.usefixtures("folder")
def test_a_warm_cache_is_not_compiled_again() -> None:
    compiled(source(8))["tile"](0.0)
    tile = again(source(8))["tile"]
    tile(0.0)
    assert sum(tile.stats.cache_hits.values()) == 1
    assert not tile.stats.cache_misses


def test_a_tampered_file_is_not_executed(folder: Path) -> None:
    compiled(source(9))
    (path,) = folder.glob("*.py")
    path.write_text("raise SystemExit('executed')\n")
    with pytest.warns(CacheWarning, match="does not hold the source"):
        assert again(source(9))["tile"](0.0) == 10.0


def test_a_folder_that_cannot_be_made_costs_one_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("INFOGEOM_CACHE_DIR", str(tmp_path / "file" / "kernels"))
    with pytest.warns(CacheWarning, match=r"kept in memory only: .*INFOGEOM_CACHE_DIR") as caught:
        functions = again(source(10)), again(source(11))
    assert len(caught) == 1
    assert [f["tile"](0.0) for f in functions] == [11.0, 12.0]


def test_a_folder_that_others_may_write_to_is_not_used(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.warns(CacheWarning, match="others may write"):
        assert again(source(14))["tile"](0.0) == 15.0
    assert not list(folder.iterdir())


@pytest.mark.usefixtures("folder")
def test_a_good_folder_does_not_warn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compiled(source(15))["tile"](0.0)


def test_nothing_is_read_from_the_environment_at_import(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("INFOGEOM_CACHE_DIR", str(tmp_path / "later"))
    assert compiling.cache_directory() == tmp_path / "later"
