"""What is amiss with the kernels on disk costs a warning and a compilation, never a result, and is not run."""

from __future__ import annotations

import os
import pickle
import py_compile
import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import cache_from_source
from pathlib import Path

import numba
import numpy as np
import pytest

from infogeom.kernels.compiled.compile import CacheWarning, compiled
from infogeom.kernels.compiled.private_folder import BY_DESCRIPTOR

#: Two kernels, and what they make of 0.25.
SOURCES = ["def tile(x):\n    return 3.0 * x + 1.0\n", "def other(x):\n    return x * x\n"]
VALUES = [1.75, 0.0625]
KINDS = ["*.py", "*.nbi", "*.nbc"]

Damage = Callable[[Path, np.random.Generator], None]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache folder that both kernels are in."""
    monkeypatch.setenv("INFOGEOM_CACHE_DIR", str(tmp_path / "kernels"))
    assert results() == VALUES
    yield tmp_path / "kernels"
    compiled.cache_clear()


def results() -> list[float]:
    """What a new process would get."""
    compiled.cache_clear()
    return [next(iter(compiled(source).values()))(0.25) for source in SOURCES]


def quiet_results() -> list[float]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return results()


def one_of(folder: Path, kind: str) -> Path:
    return min(folder.rglob(kind))


# --- Damage -----------------------------------------------------------------------------------------------------------


def emptied(path: Path, _: np.random.Generator) -> None:
    path.write_bytes(b"")


def cut(path: Path, rng: np.random.Generator) -> None:
    os.truncate(path, rng.integers(path.stat().st_size))


def lengthened(path: Path, rng: np.random.Generator) -> None:
    path.write_bytes(path.read_bytes() + rng.bytes(rng.integers(1, 100)))


def one_bit_flipped(path: Path, rng: np.random.Generator) -> None:
    content = bytearray(path.read_bytes())
    content[rng.integers(len(content))] ^= 1 << rng.integers(8)
    path.write_bytes(content)


def a_block_of_zeros(path: Path, rng: np.random.Generator) -> None:
    content, start = path.read_bytes(), rng.integers(path.stat().st_size - 8)
    path.write_bytes(content[:start] + bytes(len(content) - start))


def noise(path: Path, rng: np.random.Generator) -> None:
    path.write_bytes(rng.bytes(path.stat().st_size))


def another_file(path: Path, rng: np.random.Generator) -> None:
    others = sorted({*path.parents[1].rglob("infogeom*.*"), *path.parent.glob("infogeom*.*")} - {path})
    shutil.copyfile(others[rng.integers(len(others))], path)


DAMAGES: list[Damage] = [emptied, cut, lengthened, one_bit_flipped, a_block_of_zeros, noise, another_file]


def results_and_warnings() -> tuple[list[float], list[str]]:
    """What a new process would get, and be told."""
    with pytest.warns(CacheWarning) as caught:
        found = results()
    return found, [str(warning.message) for warning in caught]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_file_is_told_and_replaced(folder: Path, kind: str, damage: Damage) -> None:
    path = one_of(folder, kind)
    damage(path, np.random.default_rng(12))
    found, (told,) = results_and_warnings()
    assert found == VALUES
    assert str(path) in told
    assert path.exists()
    assert quiet_results() == VALUES


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_whole_but_belongs_to_another_kernel_is_told_and_replaced(folder: Path, kind: str) -> None:
    path, other = sorted(folder.rglob(kind))
    shutil.copyfile(other, path)
    found, (told,) = results_and_warnings()
    assert found == VALUES
    assert str(path) in told
    assert path.exists()
    assert quiet_results() == VALUES


@pytest.mark.slow
def test_five_hundred_damaged_files_cost_no_result(folder: Path) -> None:
    rng = np.random.default_rng(500)
    for _ in range(500):
        files = sorted(file for kind in KINDS for file in folder.rglob(kind))
        path, damage = files[rng.integers(len(files))], DAMAGES[rng.integers(len(DAMAGES))]
        damage(path, rng)
        found, told = results_and_warnings()
        assert found == VALUES
        assert [str(path) in message for message in told] == [True]
        assert quiet_results() == VALUES


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_is_gone_is_made_anew_in_silence(folder: Path, kind: str) -> None:
    one_of(folder, kind).unlink()
    assert quiet_results() == VALUES
    assert one_of(folder, kind).exists()


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_in_the_place_of_a_file_is_told(folder: Path, kind: str) -> None:
    path = one_of(folder, kind)
    path.unlink()
    path.mkdir()
    with pytest.warns(CacheWarning, match=str(folder)):
        assert results() == VALUES


# --- No room ----------------------------------------------------------------------------------------------------------


@contextmanager
def no_file_longer_than(size: int) -> Iterator[None]:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [0, 100, 4000])
def test_without_room_kernels_live_in_memory_after_one_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setenv("INFOGEOM_CACHE_DIR", str(tmp_path / "small"))
    told = rf"memory only: {tmp_path}/small: File too large"
    with pytest.warns(CacheWarning, match=told) as caught, no_file_longer_than(size):
        found = results()
    assert (found, len(caught)) == (VALUES, 1)
    assert not list(tmp_path.rglob("*.part"))
    assert quiet_results() == VALUES


# --- Other users ------------------------------------------------------------------------------------------------------


class Flag:
    """A pickle that makes a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("kind", ["*.nbi", "*.nbc"])
def test_a_pickle_in_the_place_of_a_file_is_not_loaded(folder: Path, tmp_path: Path, kind: str) -> None:
    one_of(folder, kind).write_bytes(pickle.dumps(numba.__version__) + pickle.dumps(Flag(tmp_path / "flag")))
    with pytest.warns(CacheWarning, match="damaged"):
        assert results() == VALUES
    assert not (tmp_path / "flag").exists()


def test_bytecode_beside_a_source_is_not_run(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "planted.py").write_text("raise SystemExit('run')")
    for path in folder.glob("*.py"):
        bytecode, unchecked = cache_from_source(path), py_compile.PycInvalidationMode.UNCHECKED_HASH
        py_compile.compile(str(tmp_path / "planted.py"), bytecode, invalidation_mode=unchecked)
    assert quiet_results() == VALUES


def test_numbas_own_folder_plays_no_part(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(folder)
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "numba"))  # NUMBA_CACHE_DIR
    assert results() == VALUES
    assert list(folder.rglob("*.nbi"))
    assert not (tmp_path / "numba").exists()


@pytest.mark.skipif(not BY_DESCRIPTOR, reason="this system has no modes of files")
@pytest.mark.parametrize("place", [".", "__pycache__"])
def test_a_folder_that_others_may_write_to_since_the_last_kernel_is_not_read(folder: Path, place: str) -> None:
    next(iter(compiled(SOURCES[0]).values()))  # in this process all was well
    (folder / place).chmod(0o777)
    with pytest.warns(CacheWarning, match="others may write to it") as caught:
        assert results() == VALUES
    assert len(caught) == 1


@pytest.mark.skipif(not BY_DESCRIPTOR, reason="this system has no modes of files")
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_others_may_write_to_is_replaced(folder: Path, kind: str) -> None:
    path = one_of(folder, kind)
    path.chmod(0o666)
    with pytest.warns(CacheWarning, match="others may write to it"):
        assert results() == VALUES
    assert path.stat().st_mode & 0o777 == 0o600
    assert quiet_results() == VALUES


# --- Whose machine code it is -----------------------------------------------------------------------------------------


def test_each_signature_has_a_file_of_its_own(folder: Path) -> None:
    tile = compiled(SOURCES[0])["tile"]
    before = len(list(folder.rglob("*.nbc")))
    assert tile(np.array([0.25])).tolist() == [VALUES[0]]
    assert len(list(folder.rglob("*.nbc"))) == before + 1
    compiled.cache_clear()
    again = compiled(SOURCES[0])["tile"]
    assert (again(0.25), again(np.array([0.25])).tolist()) == (VALUES[0], [VALUES[0]])
    assert not again.stats.cache_misses


def test_the_folder_stays_when_the_working_directory_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INFOGEOM_CACHE_DIR", "relative")
    compiled.cache_clear()
    tile = compiled(SOURCES[0])["tile"]
    (tmp_path / "away").mkdir()
    monkeypatch.chdir(tmp_path / "away")
    assert tile(0.25) == VALUES[0]
    assert not (tmp_path / "away" / "relative").exists()
    compiled.cache_clear()
