"""Scans along a line: observables against their definition, and extrema to a few roundings."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import sympy

import infogeom as ig
from infogeom.transitions import scan
from infogeom.transitions.lines import peak_of

SPINS = 20
CURIE_WEISS = ig.models.curie_weiss(SPINS)


def cumulants(beta: mpmath.mpf) -> dict[str, mpmath.mpf]:
    """C, g_h, s_h and R of the Curie–Weiss model on h = 0, by sums over its states."""
    weights = {}
    for down in range(SPINS + 1):
        M = SPINS - 2 * down
        weights[M] = mpmath.binomial(SPINS, down) * mpmath.exp(beta * mpmath.mpf(M * M) / (2 * SPINS))
    Z = mpmath.fsum(weights.values())

    def mean(power: int) -> mpmath.mpf:
        return mpmath.fsum(w * mpmath.mpf(M) ** power for M, w in weights.items()) / Z

    e1, e2, e3 = (mean(2 * k) / (2 * SPINS) ** k for k in (1, 2, 3))
    C, third = e2 - e1**2, e3 - 3 * e2 * e1 + 2 * e1**3
    s = (mean(4) / mean(2) - mean(2)) / (2 * SPINS)
    return {"C": C, "g_h": mean(2), "s_h": s, "R": s * (s - third / C) / (2 * C)}


def extremum(observable: str, near: float) -> mpmath.mpf:
    """Root of the derivative, to 20 digits."""
    with mpmath.workdps(50):
        return mpmath.findroot(lambda b: mpmath.diff(lambda x: cumulants(x)[observable], b), mpmath.mpf(near))


@pytest.fixture(scope="module")
def scanned() -> object:
    return scan(CURIE_WEISS, {"beta": (0.6, 2.2)}, {"h": 0})


@pytest.mark.parametrize("observable", ["C", "g_h", "s_h", "R"])
def test_observables_are_what_they_are_called(scanned, observable: str) -> None:  # type: ignore[no-untyped-def]
    for k in (0, 30, 64):
        expected = float(cumulants(mpmath.mpf(float(scanned.beta[k])))[observable])
        assert float(scanned[observable][k]) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("observable", ["C", "s_h", "R"])
def test_extrema_are_found_to_a_few_roundings(scanned, observable: str) -> None:  # type: ignore[no-untyped-def]
    found = scanned.sel(observable=observable)
    exact = extremum(observable, float(found.location))
    assert found.kind.item() == "maximum"
    # Of R, which rounding may change by 1e-9 of itself at least, as it does these.
    assert float(found.location) == pytest.approx(float(exact), rel=1e-9 if observable == "R" else 1e-11)
    assert float(found.extremum) == pytest.approx(float(cumulants(exact)[observable]), rel=1e-9)


def test_what_has_no_maximum_inside_the_line_is_said_to_have_none(scanned) -> None:  # type: ignore[no-untyped-def]
    found = scanned.sel(observable="g_h")
    assert found.kind.item() == "none"
    assert np.isnan(found.location)
    assert found.extrema == 0


def test_a_negative_curvature_has_its_extremum_as_a_minimum() -> None:
    found = scan(ig.models.curie_weiss(200), {"h": (-0.3, 0.3)}, {"beta": 1.2}).sel(observable="R")
    assert found.kind.item() == "minimum"
    assert float(found.extremum) < 0
    assert found.extrema == 3  # one to either side, and the small positive one on h = 0
    step = 1e-4
    beside = ig.evaluate_points(
        ig.models.curie_weiss(200), [[1.2, float(found.location) + d] for d in (-step, 0, step)]
    )
    assert beside.ricci_scalar.values.argmin() == 1


def test_components_that_are_not_diagonal_are_differentiated_too() -> None:
    beta, h, step = 0.9, 0.1, 1e-4
    ds = scan(CURIE_WEISS, {"beta": [beta - step, beta, beta + step]}, {"h": h})
    difference = float(np.log(ds["g_h"][2] / ds["g_h"][0])) / (2 * step)
    assert float(ds["s_h"][1]) == pytest.approx(difference, rel=1e-6)


def test_the_dataset_says_in_which_coordinates_components_are(scanned) -> None:  # type: ignore[no-untyped-def]
    assert scanned.attrs["coordinates"] == "beta, h"
    assert scanned.attrs["at_h"] == 0
    assert r"(\mathrm{beta}, h)" in scanned["g_h"].attrs["long_name"] or r"(\beta, h)" in scanned["g_h"].long_name


def test_models_of_one_parameter_have_their_heat_capacity_alone() -> None:
    ds = scan(ig.models.from_energies([0, 1], [1, 3]), {"beta": (0.1, 5)})
    assert "R" not in ds
    # Two levels, a gap of 1: the variance of E is largest where both are as likely.
    assert float(ds.location.sel(observable="C")) == pytest.approx(np.log(3), rel=1e-12)
    assert float(ds.extremum.sel(observable="C")) == pytest.approx(0.25, rel=1e-14)


def test_a_kink_is_found_without_a_polynomial() -> None:
    x = np.linspace(0, 1, 11)
    found = peak_of(lambda v: -np.abs(v - 0.437), x, -np.abs(x - 0.437))
    assert found.location == pytest.approx(0.437, abs=1e-7)


@pytest.mark.parametrize(
    ("axis", "at", "message"),
    [
        ({"beta": (1, 0.5)}, {"h": 0}, r"axis 'beta' must be \(low, high\) or an increasing sequence"),
        ({"beta": [1]}, {"h": 0}, r"axis 'beta' must be \(low, high\) or an increasing sequence"),
        ({"gamma": (0, 1)}, {"h": 0}, r"axis must name one of \['beta', 'h'\], got 'gamma'"),
        ({"beta": (0, 1)}, {}, r"at must name \['h'\]; missing \['h'\]"),
        ({"beta": (0, 1)}, {"h": 0, "beta": 1}, r"unknown \['beta'\]"),
        ({"beta": (0, np.nan)}, {"h": 0}, "axis 'beta' must be finite, got nan at index 1"),
        ({"beta": (0, 1)}, {"h": np.inf}, r"at\['h'\] must be finite, got inf"),
    ],
)
def test_lines_that_are_none_are_refused(axis: object, at: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        scan(CURIE_WEISS, axis, at)  # type: ignore[arg-type]


def test_two_axes_are_refused() -> None:
    with pytest.raises(TypeError, match="axis must be a mapping of one parameter to its values"):
        scan(CURIE_WEISS, {"beta": (0, 1), "h": (0, 1)})


def test_numbers_for_the_others_have_names() -> None:
    with pytest.raises(TypeError, match="at must be a mapping of the other parameters to numbers, got 3"):
        scan(CURIE_WEISS, {"beta": (0, 1)}, 3)  # type: ignore[arg-type]


def test_a_parameter_called_like_an_observable_is_refused() -> None:
    named = ig.models.from_states([[1, 1], [1, -1], [-1, 0]], [sympy.Symbol("C", real=True), "h"])
    with pytest.raises(ValueError, match="parameter name 'C' is reserved"):
        scan(named, {"h": (0, 1)}, {"C": 0})
