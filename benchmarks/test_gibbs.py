"""Gibbs models: CPU time of their numbers, beside what is asked of them."""

from time import process_time

import numpy as np
import pytest

import infogeom as ig
from infogeom.kernels.compiled.compile import compiled_module
from infogeom.kernels.gibbs.cylinders.eigenvalue import cylinder_cumulants
from infogeom.kernels.gibbs.tori import enumeration
from infogeom.kernels.gibbs.tori.counting import count
from infogeom.kernels.gibbs.tori.jets import ising_torus_cumulants
from infogeom.kernels.gibbs.zero_field.kaufman import CRITICAL
from infogeom.kernels.gibbs.zero_field.susceptibility import zero_field_cumulants

#: Seconds of CPU time that the joint density of states of an L × L Ising torus may take.
COUNTS = {8: 4.0, 10: 200.0}
#: How often what takes less than a second is timed; the median is told.
REPEATS = 5


def worst(found):
    """The largest bound on an error of a cumulant, relative to it."""
    shares = []
    for errors, values in zip(found.errors, found[:3], strict=True):
        shares.append(np.nanmax(errors / np.where(values, abs(values), np.nan)))
    return float(max(shares))


def median_seconds(function, repeats=REPEATS):
    """What a function gives, and its CPU time."""
    seconds = []
    for _ in range(repeats):
        start = process_time()
        found = function()
        seconds.append(process_time() - start)
    return found, float(np.median(seconds))


@pytest.mark.parametrize("size", COUNTS)
def test_the_joint_density_of_states_of_an_ising_torus(show, size):
    count(2, 3, 3)
    found, seconds = median_seconds(lambda: count(2, size, size), 1)
    assert found.sum() == 2 ** (size * size)
    show(f"\ng(E, M) of the {size} × {size} Ising torus: {seconds:.1f} s (target {COUNTS[size]:.0f})")


def test_every_state_of_25_spins(show):
    enumerated = compiled_module(enumeration)["enumerated"]
    enumerated(3, 3, np.zeros((19, 10), dtype=np.int64))
    counts, seconds = median_seconds(lambda: (c := np.zeros((51, 26), np.int64), enumerated(5, 5, c))[0])
    assert counts.sum() == 2**25
    show(f"\n2²⁵ states of the 5 × 5 Ising torus: {seconds:.2f} s (target 1)")


@pytest.mark.parametrize("size", [8, 10])
def test_a_grid_from_the_density_of_states(show, size):
    model = ig.models.ising_torus(size)
    grid = {"beta": np.linspace(0.01, 0.9, 100), "h": np.linspace(0, 0.3, 100)}
    quantities = ["metric", "ricci_scalar"]
    model.evaluate({"beta": 0.4, "h": 0.1}, quantities)
    found, seconds = median_seconds(lambda: model.evaluate(grid, quantities))
    refined = int((found.status == 1).sum())
    show(f"\nmetric and R at 10⁴ points of {size} × {size}: {seconds:.2f} s (target 0.3), {refined} refined in balls")


def test_curie_weiss_of_a_million_spins(show):
    model = ig.models.curie_weiss(10**6)
    model.evaluate({"beta": 0.5, "h": 0.1}, ["ricci_scalar"], rtol=1e-6)
    found, seconds = median_seconds(lambda: model.evaluate({"beta": 1.0, "h": 0.0}, ["ricci_scalar"]))
    show(f"\nCurie–Weiss, 10⁶ spins, a point: {1e3 * seconds:.0f} ms (target 50), status {found.status.item()}")


@pytest.mark.parametrize("size", [12, 14])
@pytest.mark.parametrize("h", [0.0, 0.01])
def test_a_point_of_an_ising_torus_by_jets(show, size, h):
    ising_torus_cumulants(3, 3, np.array([[0.44, h]]))
    found, seconds = median_seconds(lambda: ising_torus_cumulants(size, size, np.array([[0.44, h]])), 1)
    assert np.isfinite(found.errors[2]).all()
    show(f"\n{size} × {size} at (0.44, {h}): {seconds:.2f} s, bounds up to {worst(found):.0e} of a cumulant")


@pytest.mark.parametrize("beta", [0.4, CRITICAL, 0.5])
def test_a_point_of_an_ising_torus_without_a_field(show, beta):
    zero_field_cumulants(3, 3, np.array([[beta, 0.0]]))
    found, seconds = median_seconds(lambda: zero_field_cumulants(128, 128, np.array([[beta, 0.0]])), 1)
    show(f"\n128 × 128 at β = {beta:.4f}: {seconds:.2f} s (target 3), bounds up to {worst(found):.0e} of a cumulant")


@pytest.mark.parametrize(("beta", "h"), [(0.3, 0.1), (CRITICAL, 0.0), (CRITICAL, 1e-3), (1.0, 0.5)])
def test_a_point_of_an_infinite_ising_cylinder(show, beta, h):
    cylinder_cumulants(3, np.array([[beta, h]]))
    found, seconds = median_seconds(lambda: cylinder_cumulants(16, np.array([[beta, h]])))
    told = f"{seconds:.3f} s (target 0.4), bounds up to {worst(found):.0e} of a cumulant"
    show(f"\nwidth 16 at ({beta:.4f}, {h}): {told}")
