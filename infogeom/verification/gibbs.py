"""Cumulants of Gibbs models by other ways than their makers': sums in many digits, every state, longer tori."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import combinations_with_replacement, permutations
from typing import Any, NamedTuple

import mpmath
import numpy as np
import sympy
from numpy.typing import NDArray

from infogeom.kernels.compiled.compile import compiled_module
from infogeom.kernels.curvature.jet import Jet
from infogeom.kernels.gibbs.cumulants import PointCumulants
from infogeom.kernels.gibbs.tori import enumeration
from infogeom.kernels.gibbs.tori.densities import density_of_states_ising, density_of_states_potts
from infogeom.kernels.gibbs.tori.jets import ising_torus_cumulants, potts_torus_cumulants
from infogeom.models.gibbs import Gibbs
from infogeom.models.lattices import IsingCylinder, IsingTorus, PottsTorus, Torus
from infogeom.models.spherical import Spherical
from infogeom.models.state_tables import Table
from infogeom.verification.reference import Point, ReferenceJet
from infogeom.verification.spherical import by_slopes

__all__ = ["Way", "other_ways"]

Array = NDArray[Any]
#: Spins of a torus of which every state is visited.
MOST_ENUMERATED = 25
#: Lengths of tori whose difference stands for an infinite one's.
LEAST_LENGTH = 20
LONGEST_LENGTH = 40


class Way(NamedTuple):
    """A way to the jet of a Gibbs model at a point, with its name; ValueError where it has no number."""

    name: str
    jet: Callable[[Point], ReferenceJet]


def other_ways(structure: Gibbs) -> list[Way]:
    """Ways that share no sum and no transfer with the maker, that of most digits first; none where none is known."""
    if isinstance(structure, Table):
        return [Way("definition, every row", _by_states(structure))] if structure.multiplicity is not None else []
    if isinstance(structure, Spherical):
        return [Way("slopes at the saddle point", by_slopes(structure.d))]
    if isinstance(structure, IsingCylinder):
        return [Way("difference of long tori", _by_long_tori(structure.width))]
    assert isinstance(structure, Torus)

    # Of a torus: every state, their count in many digits, the transfer of jets where the maker does not take that.
    ways = []
    if isinstance(structure, IsingTorus) and structure.length * structure.width <= MOST_ENUMERATED:
        ways.append(Way("every state", _by_states(_enumerated(structure))))
    elif structure.counted:
        ways.append(Way("states counted", _by_states(_counted(structure))))
    if structure.transferred:
        ways.append(Way("transfer of jets", _by_jets(structure)))
    return ways


def _by_states(table: Table) -> Callable[[Point], ReferenceJet]:
    """Cumulants by their definition, a sum over the rows."""
    n = table.size
    units = [mpmath.mpf(unit.p) / unit.q for unit in table.units]
    columns = []
    for column, unit in zip(table.statistics.T.tolist(), units, strict=True):
        columns.append([t * unit for t in column])
    statistics = list(zip(*columns, strict=True))
    assert table.multiplicity is not None
    multiplicity = [mpmath.mpf(m) for m in table.multiplicity.tolist()]

    @cache
    def jet(point: Point) -> ReferenceJet:
        powers = [mpmath.exp(mpmath.fdot(point, row)) for row in statistics]
        weights = [m * power for m, power in zip(multiplicity, powers, strict=True)]
        total = mpmath.fsum(weights)
        p = [w / total for w in weights]
        means = [mpmath.fdot(p, column) for column in columns]
        shifted = [[t - mean for t in column] for column, mean in zip(columns, means, strict=True)]
        weighted = list(zip(p, zip(*shifted, strict=True), strict=True))
        value, sizes = [], []
        for rank in (2, 3, 4):
            moments, magnitudes = (np.empty((n,) * rank, dtype=object) for _ in range(2))
            for at in combinations_with_replacement(range(n), rank):
                terms = [q * mpmath.fprod(c[i] for i in at) for q, c in weighted]
                for where in permutations(at):
                    moments[where], magnitudes[where] = mpmath.fsum(terms), mpmath.fsum(terms, absolute=True)
            value.append(moments)
            sizes.append(magnitudes)
        g = value[0]
        pairs = np.einsum("ij,kl->ijkl", g, g) + np.einsum("ik,jl->ijkl", g, g) + np.einsum("il,jk->ijkl", g, g)
        found = Jet(g, value[1], value[2] - pairs)
        exact = [0 * tensor for tensor in found]
        return ReferenceJet(found, Jet(*sizes), Jet(*exact))

    return jet


def _enumerated(torus: IsingTorus) -> Table:
    """Every state of a small torus."""
    L, W = torus.length, torus.width
    counts = np.zeros((2 * L * W + 1, L * W + 1), dtype=np.int64)
    compiled_module(enumeration)["enumerated"](L, W, counts)
    unequal, down = np.nonzero(counts)
    statistics = np.stack([2 * L * W - 2 * unequal, L * W - 2 * down], axis=1)
    return Table(statistics, counts[unequal, down], (sympy.Integer(1),) * 2)


def _counted(torus: Torus) -> Table:
    """The joint density of states."""
    if isinstance(torus, PottsTorus):
        found = density_of_states_potts(torus.q, torus.length, torus.width)
    else:
        found = density_of_states_ising(torus.length, torus.width)
    return Table(*found, (sympy.Integer(1),) * 2)


def _by_jets(torus: Torus) -> Callable[[Point], ReferenceJet]:
    """Transfer of jets, which no maker takes for counted states, nor without a field."""

    def jet(point: Point) -> ReferenceJet:
        x = np.array([point], dtype=float)
        if isinstance(torus, PottsTorus):
            if not torus.counted:
                raise ValueError("no other way to the cumulants of so many states is known than the maker's")
            return _of_numbers(potts_torus_cumulants(torus.q, torus.length, torus.width, x))
        if not torus.counted and (x[0, 1] != 0 or x[0, 0] < 0):
            raise ValueError("no other way to the cumulants of so many states in a field is known than the maker's")
        return _of_numbers(ising_torus_cumulants(torus.length, torus.width, x))

    return jet


def _by_long_tori(width: int) -> Callable[[Point], ReferenceJet]:
    """Per site, what another ring adds to a long torus; the error is twice the last change with the length."""
    lengths = [length for length in range(LEAST_LENGTH, LONGEST_LENGTH) if IsingTorus(2, length, width).transferred]

    @cache
    def jet(point: Point) -> ReferenceJet:
        x = np.array([point], dtype=float)
        found = [ising_torus_cumulants(length, width, x) for length in lengths[-3:]]
        before, last = (_difference(found[k], found[k + 1], width) for k in (0, 1))
        change = [2 * abs(a - b) for a, b in zip(before.value[:2], last.value[:2], strict=True)]
        errors = Jet(last.errors.g + change[0], last.errors.dg + change[1], last.errors.ddg)
        return ReferenceJet(last.value, last.sizes, errors)

    return jet


def _difference(short: PointCumulants, long: PointCumulants, width: int) -> ReferenceJet:
    """What a ring adds, for each of its sites."""
    tensors = [(b - a) / width for a, b in zip(short[:3], long[:3], strict=True)]
    errors = [(a + b) / width for a, b in zip(short.errors, long.errors, strict=True)]
    return _of_numbers(PointCumulants(tensors[0], tensors[1], tensors[2], (errors[0], errors[1], errors[2])))


def _of_numbers(found: PointCumulants) -> ReferenceJet:
    """A jet of float64 numbers at one point; ∂∂g, of which curvature takes nothing, is 0."""
    exact = np.vectorize(mpmath.mpf, otypes=[object])
    g, dg, of_g, of_dg = (exact(t[..., 0]) for t in (found.second, found.third, *found.errors[1:]))
    nothing = exact(np.zeros((len(g),) * 4))
    return ReferenceJet(Jet(g, dg, nothing), Jet(abs(g), abs(dg), nothing), Jet(of_g, of_dg, nothing))
