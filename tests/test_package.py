"""The package as a whole: what it exports, and what importing it costs."""

import importlib.metadata
import inspect
import os
import pkgutil
import subprocess
import sys

import pytest

import infogeom

HEAVY = {"dask", "einsteinpy", "llvmlite", "matplotlib", "numba", "numpy", "scipy", "sympy", "xarray"}
COMMANDS = {"__main__", "cli"}
#: Modules that others of the package are made with; users import them at their own risk.
PLUMBING = {
    "arguments",
    "files",
    "formulas",
    "kernels",
    "methods",
    "numeric",
    "precision",
    "quantities",
    "tables",
    "threads",
    "variables",
    "workers",
}
EVERY_MODULE = {module.name for module in pkgutil.iter_modules(infogeom.__path__)}
MODULES = sorted(EVERY_MODULE & set(infogeom.__all__))
#: Public names whose docstrings have no example: they need files or the net.
WITHOUT_EXAMPLE = {
    "network": {"fetch_mnist", "load_mnist", "mnist_source"},
}


#: Prints each name that a process finds in which nothing of the package was imported before; all else is there.
EACH_ALONE = """
import os, sys
import einsteinpy, loky, matplotlib.pyplot, mpmath, numba, scipy.special, scipy.stats, sympy.stats, tqdm, xarray
for name in {names}:
    if os.fork() == 0:
        import infogeom
        found = getattr(infogeom, name) is not None
        os.write(1, f"{{name}}\\n".encode() * found)
        os._exit(0)
    os.wait()
"""


def run(code: str) -> str:
    """Standard output of ``code`` in an interpreter of its own."""
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def test_import_loads_no_heavy_package() -> None:
    loaded = run("import sys, infogeom; print(*{name.partition('.')[0] for name in sys.modules})").split()
    assert "infogeom" in loaded
    assert HEAVY.isdisjoint(loaded)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fresh interpreters are made by fork")
def test_every_public_name_is_reached_by_attribute_alone() -> None:
    told = run(EACH_ALONE.format(names=infogeom.__all__)).split()
    assert sorted(told) == sorted(infogeom.__all__)


def test_the_status_warning_is_that_of_the_grid() -> None:
    assert infogeom.StatusWarning is infogeom.grid.StatusWarning
    assert issubclass(infogeom.StatusWarning, Warning)


def test_an_unknown_attribute_raises_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'infogeom' has no attribute 'tensors'"):
        _ = infogeom.tensors


def test_dir_lists_every_public_name() -> None:
    assert dir(infogeom) == sorted(infogeom.__all__)


def test_every_module_is_a_public_name_or_known_as_plumbing() -> None:
    assert set(MODULES) == EVERY_MODULE - COMMANDS - PLUMBING


@pytest.mark.parametrize("name", MODULES)
def test_dir_of_a_public_module_shows_its_public_names_alone(name: str) -> None:
    module = getattr(infogeom, name)
    assert dir(module) == sorted(module.__all__)


@pytest.mark.parametrize("name", MODULES)
def test_what_a_public_module_promises_is_there(name: str) -> None:
    module = getattr(infogeom, name)
    assert [promised for promised in module.__all__ if not hasattr(module, promised)] == []


@pytest.mark.parametrize("name", MODULES)
def test_every_public_name_has_an_example_in_its_docstring(name: str) -> None:
    public = {promised: getattr(getattr(infogeom, name), promised) for promised in getattr(infogeom, name).__all__}
    missing = {promised for promised, value in public.items() if callable(value) and ">>>" not in (value.__doc__ or "")}
    assert missing == WITHOUT_EXAMPLE.get(name, set())


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("Metric", "symbolic"),
        ("evaluate", "grid"),
        ("evaluate_points", "grid"),
        ("metric", "symbolic"),
        ("verify", "verification"),
    ],
)
def test_a_short_name_is_that_of_its_module(name: str, module: str) -> None:
    assert getattr(infogeom, name) is getattr(getattr(infogeom, module), name)


def test_no_short_name_hides_a_module() -> None:
    assert [name for name in MODULES if not inspect.ismodule(getattr(infogeom, name))] == []


@pytest.mark.parametrize("name", MODULES)
def test_no_public_function_shares_its_name_with_a_module_beside_it(name: str) -> None:
    module = getattr(infogeom, name)
    beside = {found.name for found in pkgutil.iter_modules(getattr(module, "__path__", []))}
    assert beside & set(module.__all__) == set()


def test_version_is_that_of_the_installed_metadata() -> None:
    assert infogeom.__version__ == importlib.metadata.version("infogeom")


def test_no_model_is_hidden_by_a_module_of_its_name() -> None:
    assert [name for name in infogeom.models.__all__ if inspect.ismodule(getattr(infogeom.models, name))] == []
