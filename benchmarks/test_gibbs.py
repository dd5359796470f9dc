"""Gibbs models: how long their numbers take, in CPU time against what is asked of them."""

from time import process_time

import numpy as np
import pytest

from infogeom.kernels.gibbs.cylinders.eigenvalue import cylinder_cumulants
from infogeom.kernels.gibbs.tori.counting import count
from infogeom.kernels.gibbs.tori.jets import ising_torus_cumulants
from infogeom.kernels.gibbs.zero_field.kaufman import CRITICAL
from infogeom.kernels.gibbs.zero_field.susceptibility import zero_field_cumulants

#: Seconds of CPU time that the joint density of states of an L × L Ising torus may take.
COUNTS = {8: 4.0, 10: 200.0}


@pytest.mark.parametrize("size", COUNTS)
def test_the_joint_density_of_states_of_an_ising_torus(show, size):
    count(2, 3, 3)
    start = process_time()
    found = count(2, size, size)
    seconds = process_time() - start
    assert found.sum() == 2 ** (size * size)
    show(f"\ng(E, M) of the {size} × {size} Ising torus: {seconds:.1f} s of CPU time, at most {COUNTS[size]:.0f}")
    assert seconds <= COUNTS[size]


#: Seconds of CPU time that all cumulants of an L × L Ising torus at a point may take: twice what they took at first.
JETS = {12: 1.2, 14: 22.0}


@pytest.mark.parametrize("size", JETS)
@pytest.mark.parametrize("h", [0.0, 0.01])
def test_a_point_of_an_ising_torus(show, size, h):
    ising_torus_cumulants(3, 3, np.array([[0.44, h]]))
    start = process_time()
    found = ising_torus_cumulants(size, size, np.array([[0.44, h]]))
    seconds = process_time() - start
    assert np.isfinite(found.errors[2]).all()
    show(f"\n{size} × {size} at (0.44, {h}): {seconds:.2f} s of CPU time, at most {JETS[size]:.1f}")
    assert seconds <= JETS[size]


#: Seconds of CPU time that all cumulants of an L × L Ising torus at a point of h = 0 may take.
ZERO_FIELD = {128: 3.0}


@pytest.mark.parametrize("size", ZERO_FIELD)
@pytest.mark.parametrize("beta", [0.4, CRITICAL, 0.5])
def test_a_point_of_an_ising_torus_without_a_field(show, size, beta):
    zero_field_cumulants(3, 3, np.array([[beta, 0.0]]))
    start = process_time()
    found = zero_field_cumulants(size, size, np.array([[beta, 0.0]]))
    seconds = process_time() - start
    worst = max(float(np.nanmax(e / np.where(x, abs(x), np.nan))) for e, x in zip(found.errors, found[:3], strict=True))
    show(f"\n{size} × {size} at β = {beta:.4f}: {seconds:.2f} s of CPU time, bounds up to {worst:.0e} of a cumulant")
    assert seconds <= ZERO_FIELD[size]


#: Seconds of CPU time that all cumulants of an infinite Ising cylinder of a width at a point may take.
CYLINDERS = {16: 0.4}


@pytest.mark.parametrize("width", CYLINDERS)
@pytest.mark.parametrize(("beta", "h"), [(0.3, 0.1), (CRITICAL, 0.0), (CRITICAL, 1e-3), (1.0, 0.5)])
def test_a_point_of_an_infinite_ising_cylinder(show, width, beta, h):
    cylinder_cumulants(3, np.array([[beta, h]]))
    start = process_time()
    found = cylinder_cumulants(width, np.array([[beta, h]]))
    seconds = process_time() - start
    worst = max(float(np.nanmax(e / np.where(x, abs(x), np.nan))) for e, x in zip(found.errors, found[:3], strict=True))
    show(f"\nwidth {width} at ({beta:.4f}, {h}): {seconds:.3f} s of CPU time, bounds up to {worst:.0e} of a cumulant")
    assert seconds <= CYLINDERS[width]
