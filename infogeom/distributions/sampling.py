"""Independent observations of a law."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import sympy
from numpy.random import Generator

from infogeom.distributions.by_scipy import known_to_scipy
from infogeom.distributions.density import Array, Density
from infogeom.distributions.inversion import continuous_quantiles, discrete_quantiles
from infogeom.models.model import Structure

__all__ = ["draws"]

#: Outcomes of several variables that are told one by one.
MOST_OUTCOMES = 2**16


def draws(density: Density, n: int, rng: Generator) -> Array:
    """``n`` observations, shape (n, variables)."""
    structure = density.model.structure or Structure()
    parts = structure.parts_at(density.model, density.number)
    if parts:
        return np.hstack([draws(Density(part, point), n, rng) for part, point in parts])
    origin = structure.drawn_from(density.model, density.number)
    if origin:
        return structure.seen(draws(Density(*origin), n, rng))
    try:
        found = structure.draw(density.model, density.number, n, rng)
    except (OverflowError, ValueError) as error:
        raise ArithmeticError(f"model {density.model.name!r} cannot be sampled there: {error}") from None
    if found is not None:
        return found
    return _of_one(density, n, rng) if len(density.symbols) == 1 else _of_several(density, n, rng)


def _of_one(density: Density, n: int, rng: Generator) -> Array:
    """By SciPy's own sampler where the law is one of SciPy's, else by inversion."""
    (support,) = density.supports or (None,)
    if support is None:
        raise TypeError(f"model {density.model.name!r} has a density with respect to a measure that is not given")
    known = known_to_scipy(density)
    if known is not None:
        found = _rvs(density, known, n, rng)
    elif isinstance(support, sympy.Interval):
        found = continuous_quantiles(lambda x: density.log([x]), support, rng.random(n))
    else:
        found = discrete_quantiles(lambda x: density.log([x]), support, rng.random(n))
    return (_inward(found, support) if isinstance(support, sympy.Interval) else found)[:, None]


def _rvs(density: Density, known: Any, n: int, rng: Generator) -> Array:
    try:
        with np.errstate(over="ignore", divide="ignore", under="ignore", invalid="ignore"):  # beyond float64
            found = np.asarray(known.rvs(n, random_state=rng), dtype=float)
    except (OverflowError, ValueError) as error:
        raise ArithmeticError(f"model {density.model.name!r} cannot be sampled there: {error}") from None
    if np.isnan(found).any():
        raise ArithmeticError(f"model {density.model.name!r} cannot be sampled there: SciPy's sampler gives nan")
    return found


def _inward(x: Array, support: sympy.Interval) -> Array:
    """Observations that rounding has put on an open end of the support, or beyond float64, next to it."""
    low, high = float(support.start), float(support.end)
    least = np.nextafter(low, np.inf) if support.left_open else low
    most = np.nextafter(high, -np.inf) if support.right_open else high
    return np.asarray(np.clip(x, least, most))


def _of_several(density: Density, n: int, rng: Generator) -> Array:
    """By their probabilities, where there are not too many outcomes."""
    supports = density.supports or ()
    counted = [support.is_finite_set and not support.free_symbols for support in supports]
    if not counted or not all(counted) or np.prod([float(len(s)) for s in supports]) > MOST_OUTCOMES:
        raise TypeError(f"model {density.model.name!r} has no sampler, a law of {len(density.symbols)} variables")
    outcomes = np.array(list(product(*supports)), dtype=float)
    mass = np.cumsum(np.exp(density.log(list(outcomes.T))))
    return np.asarray(outcomes[np.searchsorted(mass, rng.random(n) * mass[-1])])
