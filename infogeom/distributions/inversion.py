"""Quantiles of laws of one variable from their log-density alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import sympy
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator
from scipy.optimize import minimize_scalar
from scipy.special import expit, log_expit

__all__ = ["continuous_quantiles", "discrete_quantiles"]

Array = NDArray[np.float64]
LogDensity = Callable[[Array], Array]

#: Where a peak is looked for, in the variable t on the whole line.
END_OF_SEARCH = 700.0
#: Distance of the places that are looked at.
SEARCH_STEP = 0.05
#: Exponent by which the density has fallen where it is left off.
FALL = 40.0
#: Panels between those ends, each with this many nodes.
FEWEST_PANELS = 2**12
MOST_PANELS = 2**17
NODES = 8
#: Where the mass rises by less, the inverse has derivatives beyond float64; shares are multiples of 2⁻⁵³.
LEAST_RISE = 1e-80
#: By how much the mass may miss 1.
TOLERANCE = 1e-8
#: Outcomes that are added up at most, and the mass of those that are left off.
MOST_ADDED = 2**20
LEFT_OFF_MASS = 1e-12


def continuous_quantiles(log_density: LogDensity, support: sympy.Interval, shares: Array) -> Array:
    """Quantiles of a continuous law.

    The support is carried to the whole line, the density integrated there panel by panel, and its integral
    interpolated the other way round.

    Raises
    ------
    ArithmeticError
        Where the mass that is found is not 1.
    """
    x, log_slope = _chart(float(support.start), float(support.end))

    def exponent(t: Array) -> Array:
        with np.errstate(over="ignore", divide="ignore", under="ignore"):  # the ends of float64
            found = log_density(np.clip(x(t), -np.finfo(float).max, np.finfo(float).max)) + log_slope(t)
        return np.where(np.isnan(found), -np.inf, found)

    low, high = _ends(exponent)
    panels = FEWEST_PANELS
    while True:
        edges = np.linspace(low, high, panels + 1)
        mass = np.concatenate([[0.0], np.cumsum(_panels(exponent, edges))])
        if abs(mass[-1] - 1) <= TOLERANCE:
            break
        panels *= 4
        if panels > MOST_PANELS:
            raise ArithmeticError(f"the density cannot be inverted: its mass is found to be {mass[-1]:.9g}, not 1")
    rising = np.concatenate([[True], np.diff(np.maximum.accumulate(mass)) > LEAST_RISE])
    return np.asarray(x(PchipInterpolator(mass[rising], edges[rising])(shares * mass[-1])), dtype=float)


def _chart(low: float, high: float) -> tuple[Callable[[Array], Array], Callable[[Array], Array]]:
    """Variable x of t on the whole line, and log dx/dt."""
    if np.isfinite(low) and np.isfinite(high):
        width = high - low
        return lambda t: low + width * expit(t), lambda t: np.log(width) + log_expit(t) + log_expit(-t)
    if np.isfinite(low):
        return lambda t: low + np.exp(t), lambda t: t
    if np.isfinite(high):
        return lambda t: high - np.exp(-t), lambda t: -t
    return np.sinh, lambda t: np.logaddexp(t, -t) - np.log(2)


def _ends(exponent: LogDensity) -> tuple[float, float]:
    """Where a density on the whole line has fallen on either side of its peaks."""
    grid = np.arange(-END_OF_SEARCH, END_OF_SEARCH, SEARCH_STEP)
    values = exponent(grid)
    near = grid[np.argmax(values)]
    peak = minimize_scalar(
        lambda t: -float(exponent(np.array([t]))[0]),
        bounds=(near - SEARCH_STEP, near + SEARCH_STEP),
        options={"xatol": 1e-14},
    )
    top = max(float(-peak.fun), float(values.max()))
    high_up = grid[values > top - FALL]
    centre = float(peak.x)

    def fallen(direction: int) -> float:
        distance = np.spacing(max(1.0, abs(centre)))
        while distance < END_OF_SEARCH and exponent(np.array([centre + direction * distance]))[0] > top - FALL:
            distance *= 2
        return float(centre + direction * distance)

    left, right = fallen(-1), fallen(1)
    return (min(left, high_up[0]), max(right, high_up[-1])) if high_up.size else (left, right)


def _panels(exponent: LogDensity, edges: Array) -> Array:
    """Integral over each panel, by Gauss and Legendre."""
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    middle, half = (edges[1:] + edges[:-1]) / 2, np.diff(edges) / 2
    values = np.exp(exponent(middle[:, None] + half[:, None] * nodes))
    return np.asarray(half * (values @ weights))


def discrete_quantiles(log_density: LogDensity, support: sympy.Set, shares: Array) -> Array:
    """Quantiles of a law of outcomes that can be counted.

    Raises
    ------
    ArithmeticError
        Where a million outcomes do not hold its mass.
    """
    if support.is_finite_set:
        if len(support) > MOST_ADDED:
            raise ArithmeticError(f"the law cannot be inverted: it has {len(support)} outcomes")
        outcomes = np.array(sorted(map(float, support)))
        mass = np.cumsum(np.exp(log_density(outcomes)))
    else:
        count, mass = 64, np.zeros(1)
        while not mass[-1] >= 1 - LEFT_OFF_MASS:
            if count > MOST_ADDED:
                raise ArithmeticError(f"the law cannot be inverted: {mass.size} outcomes hold a mass of {mass[-1]:.9g}")
            outcomes = _outcomes(support, count)
            mass = np.cumsum(np.exp(log_density(outcomes)))
            count *= 2
    return np.asarray(outcomes[np.searchsorted(mass, shares * mass[-1])])


def _outcomes(support: sympy.Set, count: int) -> Array:
    """The first outcomes, or those around 0 where there is no first."""
    first = float(support.inf) if support.inf.is_finite else -float(count)
    return first + np.arange(2.0 * count if support.inf.is_infinite else count)
