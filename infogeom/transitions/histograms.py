"""First or second order: the histogram of a statistic at a pseudo-transition, and the width of its window."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp

from infogeom.arguments import by_name, finite_array, sequence_of
from infogeom.kernels.gibbs.tori.densities import DensityOfStates, density_of_states_ising, density_of_states_potts
from infogeom.models.lattices import IsingTorus, PottsTorus
from infogeom.models.model import Model
from infogeom.models.state_tables import Table as TableOfStates
from infogeom.tables import Table
from infogeom.transitions.lines import POINTS_OF_LINE, peak_of

__all__ = ["Order", "SizeOfOrder", "order"]

Array = NDArray[np.float64]

#: Width of the Gaussian that smooths a histogram: in standard deviations, and at least in distances of its values.
SMOOTHING = 0.1
VALUES_APART = 2.0
#: Points at which it is looked at.
HISTOGRAM_POINTS = 301
#: Standard deviations to either side that are looked at, and bins to each width.
DEVIATIONS_SHOWN = 6.0
FINENESS = 10
#: Exponent by which a peak may be favoured for each standard deviation, and halvings in which the peaks are made
#: equally high.
LARGEST_TILT = 3.0
HALVINGS = 60
#: Least barrier that one size alone takes for one.
LEAST_BARRIER = 1.0


class SizeOfOrder(NamedTuple):
    """What one size shows.

    Attributes
    ----------
    extent : float
        Largest value of the statistic less the smallest: proportional to the number of sites.
    location : float
        Where its variance has its maximum.
    width : float
        Of that maximum, √(−κ₂/κ₄): as N⁻¹ at a transition of first order.
    kurtosis : float
        κ₄/κ₂² there, −1 over (width times standard deviation)²: −2 of two sharp peaks, 0 of a normal law.
    gap : float
        Distance of the two peaks of the histogram, in units of the extent; 0 where there is one peak.
    barrier : float
        ln of a peak over the valley between them, where both are equally high; 0 where there is one peak.
    """

    extent: float
    location: float
    width: float
    kurtosis: float
    gap: float
    barrier: float


@dataclass(frozen=True, repr=False)
class Order(Table):
    """Of which order a transition is; prints as one line, and as a table of what each size shows.

    Attributes
    ----------
    order : {"first", "second"}
        Second stands for anything without a barrier that grows.
    statistic : str
        By the parameter that multiplies it.
    sizes : tuple of SizeOfOrder
    growth, narrowing : float
        Exponents of barrier and width in the number of sites, between the last two sizes; nan where one has none.

    Examples
    --------
    >>> import infogeom as ig
    >>> print(ig.transitions.order(ig.models.curie_weiss(100), {"beta": 1.5, "h": (-0.5, 0.5)}))
    first order, by the histogram of the statistic of h: a barrier of 11.5; one size alone suggests it and no more
    """

    order: str
    statistic: str
    sizes: tuple[SizeOfOrder, ...]
    growth: float
    narrowing: float

    def __str__(self) -> str:
        last = self.sizes[-1]
        barrier = f"a barrier of {last.barrier:.3g}" if last.barrier else "no barrier"
        told = f"{self.order} order, by the histogram of the statistic of {self.statistic}: {barrier}"
        if len(self.sizes) == 1:
            return f"{told}; one size alone suggests it and no more"
        grows = f" that grows as N^{self.growth:.2f}" if np.isfinite(self.growth) else ""
        return (
            f"{told}{grows}, a window that narrows as N^{self.narrowing:.2f}; {len(self.sizes)} sizes, no corrections"
        )

    def _above(self) -> Sequence[str]:
        return [str(self)]

    def _cells(self) -> list[list[str]]:
        rows = [list(SizeOfOrder._fields)]
        for size in self.sizes:
            rows += [[f"{number:.6g}" for number in size]]
        return rows


def order(models: Model | Sequence[Model], at: Mapping[str, ArrayLike]) -> Order:
    """Whether a transition is of first order, from the histogram of the statistic that drives it.

    At the maximum of the variance of the statistic X of a parameter; the histogram is smoothed by a Gaussian of a tenth
    of its standard deviation, or twice the distance of its values, and the parameter moved until its two peaks are
    equally high. Of first order is a transition whose barrier between them, ln of peak over valley, grows from the last
    size but one to the last (Lee and Kosterlitz, Phys. Rev. Lett. 65 (1990) 137), while the kurtosis falls towards the
    −2 of two sharp peaks: the window then narrows as fast as the fluctuations grow, as N⁻¹. At a critical point both
    tend to constants, and that of the barrier need not be 0: the magnetisation of the critical Ising model has two
    peaks. So one size alone suggests an order and no more, and |R| tells none.

    Parameters
    ----------
    models : Model or sequence of Model
        The same at one size or at several, increasing ones; each a table of states, or a torus whose states can be
        counted.
    at : mapping of str or Symbol to number or (low, high)
        Every parameter: one by the range in which its transition is sought, the others by numbers.

    Returns
    -------
    Order

    Raises
    ------
    TypeError, ValueError
        Naming the argument, the rule and the value; for models without a table of states, and where the variance has
        no maximum inside the range.

    Examples
    --------
    >>> import infogeom as ig
    >>> sizes = [ig.models.mean_field_potts(3, n) for n in (120, 240)]
    >>> ig.transitions.order(sizes, {"beta": (2, 4), "h": 0}).order
    'first'
    >>> ig.transitions.order([ig.models.curie_weiss(n) for n in (60, 120)], {"beta": (0.8, 2), "h": 0}).order
    'second'
    """
    listed = sequence_of("models", models, Model)
    if not listed:
        raise ValueError("models must hold at least one, got none")
    name, ends, fixed = _checked_at(listed, at)
    sizes = tuple(_size(model, name, ends, fixed) for model in listed)
    extents = [size.extent for size in sizes]
    if (np.diff(extents) <= 0).any():
        raise ValueError(f"models must be of increasing size, got statistics that extend over {extents}")

    # With one size there is nothing to compare; with several the last two are.
    last = sizes[-1]
    if len(sizes) == 1:
        coexist, powers = last.barrier > LEAST_BARRIER, (math.nan, math.nan)
    else:
        before = sizes[-2]
        coexist = last.barrier > before.barrier and last.kurtosis < before.kurtosis
        powers = _power(before, last, "barrier"), _power(before, last, "width")
    return Order("first" if coexist else "second", name, sizes, *powers)


def _power(before: SizeOfOrder, last: SizeOfOrder, field: str) -> float:
    """Exponent with which a number goes with the extent, hence with the number of sites; nan where it is 0."""
    a, b = getattr(before, field), getattr(last, field)
    return float(math.log(b / a) / math.log(last.extent / before.extent)) if a > 0 and b > 0 else math.nan


@singledispatch
def states_of(structure: Any) -> tuple[Array, Array]:
    """Values of the statistics (S, n), and logarithms of how many states have each; NotImplementedError without."""
    raise NotImplementedError(structure)


@states_of.register
def _of_table(structure: TableOfStates) -> tuple[Array, Array]:
    units = np.array([float(unit) for unit in structure.units])
    return structure.statistics * units, structure.logarithms.sum(axis=0)


@states_of.register
def _of_ising_torus(structure: IsingTorus) -> tuple[Array, Array]:
    return _counted(density_of_states_ising(structure.length, structure.width))


@states_of.register
def _of_potts_torus(structure: PottsTorus) -> tuple[Array, Array]:
    return _counted(density_of_states_potts(structure.q, structure.length, structure.width))


def _counted(density: DensityOfStates) -> tuple[Array, Array]:
    logarithms = np.array([math.log(multiplicity) for multiplicity in density.multiplicities])
    return density.statistics.astype(float), logarithms


class _Histogram:
    """Probabilities of the values of one statistic, whatever the others are, as its parameter moves."""

    def __init__(self, model: Model, name: str, fixed: Mapping[str, float]) -> None:
        names = [p.name for p in model.parameters]
        try:
            statistics, logarithms = states_of(model.structure)
        except NotImplementedError:
            raise TypeError(
                f"models must have a table of states, got {model}; ising_torus and from_states give one"
            ) from None
        others = np.array([0.0 if other == name else fixed[other] for other in names])
        weights = logarithms + statistics @ others
        self.values, place = np.unique(statistics[:, names.index(name)], return_inverse=True)

        self.logarithms = _summed(weights, place, len(self.values))
        self.extent = float(np.ptp(self.values))

    def probabilities(self, theta: float) -> Array:
        """Of each value."""
        exponents: Array = self.logarithms + theta * self.values
        found: Array = np.exp(exponents - logsumexp(exponents))
        return found

    def cumulants(self, theta: float) -> tuple[float, float, float]:
        """Mean, κ₂ and κ₄."""
        p = self.probabilities(theta)
        mean = float(p @ self.values)
        second, fourth = (float(p @ (self.values - mean) ** k) for k in (2, 4))
        return mean, second, fourth - 3 * second**2

    def variances(self, thetas: Array) -> Array:
        """κ₂ at several places."""
        return np.array([self.cumulants(theta)[1] for theta in thetas])

    def peaks(self, theta: float) -> tuple[float, float]:
        """Distance of two peaks that are made equally high, and the barrier between them; zeros where there is one."""
        mean, second, _ = self.cumulants(theta)
        deviation = math.sqrt(second)
        ends = np.clip(
            [mean - DEVIATIONS_SHOWN * deviation, mean + DEVIATIONS_SHOWN * deviation], self.values[0], self.values[-1]
        )
        x = np.linspace(ends[0], ends[1], HISTOGRAM_POINTS)

        # Smoothed over several values, of which many are put into bins that are far narrower.
        apart = float(self.probabilities(theta)[1:] @ np.diff(self.values))
        width = max(SMOOTHING * deviation, VALUES_APART * apart)
        _, place = np.unique(np.rint((self.values - mean) / (width / FINENESS)), return_inverse=True)
        values = np.bincount(place, self.values) / np.bincount(place)
        weights = _summed(self.logarithms + theta * self.values, place, len(values))
        smoothed = weights - 0.5 * ((x[:, None] - values) / width) ** 2

        # A tilt favours the one peak or the other, until they are equally high, or the one goes where the other comes.
        low, high, found = -LARGEST_TILT, LARGEST_TILT, (0.0, 0.0)
        for _ in range(HALVINGS):
            tilt = (low + high) / 2
            left, valley, right = _peaks_of(logsumexp(smoothed + tilt * (values - mean) / deviation, axis=1))
            if valley is None:
                leans_left, found = x[left[0]] < mean, (0.0, 0.0)
            else:
                leans_left, found = left[1] > right[1], (x[right[0]] - x[left[0]], (left[1] + right[1]) / 2 - valley)
            low, high = (tilt, high) if leans_left else (low, tilt)
        return float(found[0]), float(found[1])


def _peaks_of(density: Array) -> tuple[tuple[int, float], float | None, tuple[int, float]]:
    """The two highest peaks, by place and height, and the valley between them; None where there is one peak."""
    padded = np.concatenate([[-np.inf], density, [-np.inf]])
    tops = np.flatnonzero((padded[1:-1] > padded[:-2]) & (padded[1:-1] >= padded[2:]))
    highest = np.sort(tops[np.argsort(density[tops])[-2:]])
    left, right = int(highest[0]), int(highest[-1])
    valley = float(density[left:right].min()) if left < right else None
    return (left, float(density[left])), valley, (right, float(density[right]))


def _summed(weights: Array, place: NDArray[np.intp], count: int) -> Array:
    """Logarithms of sums of exponentials, place by place."""
    largest = np.full(count, -np.inf)
    np.maximum.at(largest, place, weights)
    found: Array = largest + np.log(np.bincount(place, np.exp(weights - largest[place]), count))
    return found


def _size(model: Model, name: str, ends: tuple[float, float], fixed: Mapping[str, float]) -> SizeOfOrder:
    """What one model shows."""
    histogram = _Histogram(model, name, fixed)
    thetas = np.linspace(ends[0], ends[1], POINTS_OF_LINE)
    peak = peak_of(histogram.variances, thetas, histogram.variances(thetas))
    if peak.kind == "none":
        raise ValueError(f"at[{name!r}] must hold the transition: no maximum of the variance inside {ends}, {model}")
    _, second, fourth = histogram.cumulants(peak.location)
    width = math.sqrt(-second / fourth) if fourth < 0 else math.nan
    gap, barrier = histogram.peaks(peak.location)
    return SizeOfOrder(histogram.extent, peak.location, width, fourth / second**2, gap / histogram.extent, barrier)


def _checked_at(models: Sequence[Model], at: Any) -> tuple[str, tuple[float, float], dict[str, float]]:
    """The parameter that drives the transition, its range, and numbers for the others."""
    if not isinstance(at, Mapping):
        raise TypeError(f"at must be a mapping of parameters to numbers, got {at!r}")
    names, given = [p.name for p in models[0].parameters], by_name("at", at)
    for model in models:
        if (own := [p.name for p in model.parameters]) != names:
            raise ValueError(f"models must have the same parameters, got {names} and {own}")
    missing, unknown = [n for n in names if n not in given], [n for n in given if n not in names]
    if missing or unknown:
        raise ValueError(f"at must name {names}; missing {missing}, unknown {unknown}")
    found = {name: finite_array(f"at[{name!r}]", given[name]) for name in names}
    ranges = [name for name in names if found[name].ndim]
    if len(ranges) != 1 or found[ranges[0]].shape != (2,) or not np.diff(found[ranges[0]])[0] > 0:
        raise ValueError(f"at must give one parameter as (low, high), the others as numbers, got {at!r}")
    low, high = map(float, found[ranges[0]])
    return ranges[0], (low, high), {name: float(array) for name, array in found.items() if not array.ndim}
