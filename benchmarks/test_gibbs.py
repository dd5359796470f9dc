"""Gibbs models: how long their numbers take, in CPU time against what is asked of them."""

from time import process_time

import pytest

from infogeom.kernels.gibbs.counting import count

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
