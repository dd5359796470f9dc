"""Collapse of curves whose scaling function and exponents are known, and of those of small Ising tori."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import infogeom as ig
from infogeom.transitions import Collapse, collapse
from tests.strategies import numbers
from tests.transitions.ising_reference import CRITICAL

SIZES = np.array([8, 12, 16, 24])
X = np.linspace(-0.12, 0.12, 41)


def curves(critical: float, exponent: float, ratio: float, correction: float = 0.0, omega: float = 1.0) -> xr.Dataset:
    """y = L^ratio F((x − x_c) L^exponent), F = exp(0.3 u) / (1 + u²) less 0.1, with a correction."""
    found = []
    for L in SIZES:
        u = X * L**exponent
        F = np.exp(0.3 * u) / (1 + u**2) - 0.1
        found.append(L**ratio * F * (1 + correction * L**-omega))
    return xr.Dataset({"chi": (("size", "x"), found)}, {"size": SIZES, "x": critical + X})


@cache
def whole() -> Collapse:
    """The collapse of curves without a correction."""
    return collapse(curves(0.4, 1.0, 1.75), "x", "chi")


@pytest.mark.slow
@settings(max_examples=3)
@given(numbers(-1, 1), numbers(0.7, 1.2), numbers(-1, 2))
def test_curves_that_collapse_have_their_exponents(critical: float, exponent: float, ratio: float) -> None:
    found = collapse(curves(critical, exponent, ratio), "x", "chi")
    # The splines' errors: (step/width)⁴/384 of the fourth derivative, about 1e-4 of the curves at the largest size.
    assert found.critical == pytest.approx(critical, abs=1e-4)
    assert found.exponent == pytest.approx(exponent, abs=3e-3)
    assert found.ratio == pytest.approx(ratio, abs=3e-3)
    assert found.distance < 1e-3


@pytest.mark.parametrize(("correction", "omega"), [(0.5, 1.0), (-0.5, 1.0), (1.0, 2.0)])
def test_the_error_holds_where_there_are_corrections(correction: float, omega: float) -> None:
    found = collapse(curves(0.4, 1.0, 1.75, correction, omega), "x", "chi")
    assert abs(found.critical - 0.4) <= found.critical_error
    assert abs(found.exponent - 1) <= found.exponent_error
    assert abs(found.ratio - 1.75) <= found.ratio_error


@pytest.mark.parametrize("held", [{"critical": 0.4}, {"exponent": 1.0, "ratio": 1.75}])
def test_what_is_held_is_held_and_has_no_error(held: dict[str, float]) -> None:
    found = collapse(curves(0.4, 1.0, 1.75), "x", "chi", **held)
    for name, value in held.items():
        assert getattr(found, name) == value
        assert getattr(found, f"{name}_error") == 0
    assert found.distance < 1e-3


@pytest.mark.slow
@settings(max_examples=2)
@given(numbers(0.1, 10), st.booleans())
def test_units_of_y_do_not_matter(unit: float, negative: bool) -> None:
    other = collapse(curves(0.4, 1.0, 1.75) * (-unit if negative else unit), "x", "chi")
    assert other.exponent == pytest.approx(whole().exponent, abs=1e-4)


@pytest.mark.slow
def test_the_ising_susceptibility_collapses_within_the_errors() -> None:
    sizes, chi, beta = [4, 5, 6, 7, 8], [], []
    for L in sizes:
        values = CRITICAL + np.linspace(-0.6, 0.4, 21) / L
        points = np.stack([values, np.zeros_like(values)], axis=1)
        g = ig.evaluate_points(ig.models.ising_torus(L), points, ["metric"]).metric
        chi.append(g.sel(i="h", j="h").values / L**2)
        beta.append(values)
    ds = xr.Dataset({"chi": (("size", "k"), chi), "beta": (("size", "k"), beta)}, {"size": sizes})
    found = collapse(ds, "beta", "chi")
    assert abs(found.critical - CRITICAL) <= found.critical_error
    assert abs(found.exponent - 1) <= found.exponent_error
    assert abs(found.ratio - 7 / 4) <= found.ratio_error
    assert found.distance < 0.03


def test_the_account_says_what_is_assumed() -> None:
    found = whole()
    for words in ("chi = L^ratio F((x − critical) L^exponent)", "sizes 8, 12, 16, 24", "no corrections assumed"):
        assert words in str(found)
    assert repr(found).count("without") == 3


SMALL = curves(0.4, 1.0, 1.0)


@pytest.mark.parametrize(
    ("ds", "x", "y", "message"),
    [
        (SMALL, "beta", "chi", "x must name one of .*, got 'beta'"),
        (SMALL, "x", "C", "y must name one of .*, got 'C'"),
        (SMALL.isel(size=[0, 1]), "x", "chi", "size must be at least 3, positive and increasing"),
        (SMALL.isel(size=[2, 1, 0]), "x", "chi", "size must be at least 3, positive and increasing"),
        (SMALL.isel(x=slice(None, None, -1)), "x", "chi", "x must be increasing"),
        (SMALL.isel(x=slice(4)), "x", "chi", "x must hold at least 5 values, got 4"),
        (SMALL.isel(size=0), "x", "chi", "y must run along 'size' and one more dimension"),
        (SMALL.where(SMALL.x > 0.3), "x", "chi", "chi must be finite, got nan"),
        (SMALL * (SMALL["size"] > 8), "x", "chi", "y must vary, got 0 alone at size 8"),
        (SMALL, ["x"], "chi", r"x must name one of .*, got \['x'\]"),
    ],
)
def test_what_are_no_curves_is_refused(ds: Any, x: str, y: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        collapse(ds, x, y)


def test_curves_of_which_none_falls_upon_another_tell_nothing() -> None:
    alternating = (-1.0) ** np.arange(SMALL.sizes["x"])
    found = collapse(SMALL.assign(chi=SMALL["size"] * xr.DataArray(alternating, dims="x")), "x", "chi")
    assert found.critical_error == found.exponent_error == found.ratio_error == np.inf


def test_what_is_no_dataset_is_refused() -> None:
    with pytest.raises(TypeError, match=r"dataset must be an xarray\.Dataset, got dict"):
        collapse({}, "x", "y")  # type: ignore[arg-type]
