"""The package as a whole: what it exports, and what importing it costs."""

import importlib.metadata
import inspect
import pkgutil
import subprocess
import sys

import pytest

import infogeom

HEAVY = {"dask", "einsteinpy", "llvmlite", "matplotlib", "numba", "numpy", "scipy", "sympy", "xarray"}
COMMANDS = {"__main__", "cli"}


def run(code: str) -> str:
    """Standard output of ``code`` in an interpreter of its own."""
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def test_import_loads_no_heavy_package() -> None:
    loaded = run("import sys, infogeom; print(*{name.partition('.')[0] for name in sys.modules})").split()
    assert "infogeom" in loaded
    assert HEAVY.isdisjoint(loaded)


@pytest.mark.parametrize("name", infogeom.__all__)
def test_every_public_name_is_reached_by_attribute_alone(name: str) -> None:
    assert run(f"import infogeom; print(infogeom.{name} is not None)").strip() == "True"


def test_the_status_warning_is_that_of_the_grid() -> None:
    assert infogeom.StatusWarning is infogeom.grid.StatusWarning
    assert issubclass(infogeom.StatusWarning, Warning)


def test_an_unknown_attribute_raises_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'infogeom' has no attribute 'tensors'"):
        _ = infogeom.tensors


def test_dir_lists_every_public_name() -> None:
    assert dir(infogeom) == sorted(infogeom.__all__)


def test_every_module_is_a_public_name() -> None:
    modules = {module.name for module in pkgutil.iter_modules(infogeom.__path__)}
    assert modules - COMMANDS <= set(infogeom.__all__)


def test_version_is_that_of_the_installed_metadata() -> None:
    assert infogeom.__version__ == importlib.metadata.version("infogeom")


def test_no_model_is_hidden_by_a_module_of_its_name() -> None:
    assert [name for name in infogeom.models.__all__ if inspect.ismodule(getattr(infogeom.models, name))] == []
