"""Limits of sequences over sizes: Bulirsch–Stoer extrapolation, and what other windows and exponents make of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["LOGARITHMIC", "Limit", "Window", "limit", "tip"]

Array = NDArray[np.float64]

#: Exponent that stands for corrections in powers of 1/ln(1 + L), slower than any power of 1/L.
LOGARITHMIC = 0.0
#: Exponents between which the leading correction is sought, where nothing is said of it, and how many are tried.
SLOWEST = 0.3
FASTEST = 4.0
EXPONENTS = 61
#: Rounds in which the best exponent is refined, and exponents of each.
ROUNDS = 6
FINER = 21
#: Exponents at which windows differ up to so many times as much as at the best one are neighbours of it.
AS_GOOD = 4.0
#: Half width of ln ω that is neighbourhood anyway, by the number of terms: few fit many an exponent.
EXPONENT_WIDTHS = {2: 1.0, 3: 1.0, 4: 0.5, 5: 0.2, 6: 0.1}
LEAST_EXPONENT_WIDTH = 0.01
#: Terms that the windows leave out at most whose results make the error.
LEFT_OUT = 2
#: Terms up to which they leave out one, and all of them count; of more the one that deviates most may have met a pole.
FEW_TERMS = 5
#: What the largest deviation is multiplied by to make the error.
TIMES_DEVIATION = 3.0


@dataclass(frozen=True)
class Window:
    """What some of the sizes, all from the first to the last named, extrapolate to.

    Attributes
    ----------
    first, last : float
        Smallest and largest size.
    omega : float
        Its own exponent of the leading correction.
    value : float
    """

    first: float
    last: float
    omega: float
    value: float


@dataclass(frozen=True)
class Limit:
    """Limit of a sequence.

    Attributes
    ----------
    value, error : float
    omega : float
        Exponent of the leading correction, `LOGARITHMIC` for powers of 1/ln(1 + L).
    omegas : tuple of float
        Smallest and largest exponent that the error allows for.
    windows : tuple of Window
        The whole sequence first.
    """

    value: float
    error: float
    omega: float
    omegas: tuple[float, float]
    windows: tuple[Window, ...]


def tableau(sizes: Array, terms: Array, omegas: Array) -> list[Array]:
    """Columns of the Bulirsch–Stoer tableau, each (k, n − m), for k exponents (Henkel and Schütz, J. Phys. A 21, 1988).

    Their Eq. 3.3 with h = 1/L. Entry i of column m extrapolates the terms from i to i + m: exactly, where a term is a
    ratio of polynomials in L^−ω that has m + 1 coefficients, with degrees of m/2 or of (m − 1)/2 and (m + 1)/2;
    `LOGARITHMIC`: in 1/ln(1 + L).
    """
    count, logarithmic = len(terms), (omegas == LOGARITHMIC)[:, None]
    exponents = np.where(logarithmic, np.log(np.log1p(sizes)), omegas[:, None] * np.log(sizes))
    before, columns = np.zeros((len(omegas), count + 1)), [np.tile(terms, (len(omegas), 1))]
    for m in range(1, count):
        smaller, larger, inner = columns[-1][:, :-1], columns[-1][:, 1:], before[:, 1:-1]
        step = larger - smaller
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # poles, which differ among windows
            ratio = np.exp(exponents[:, m:] - exponents[:, : count - m])
            correction = step / (ratio * (1 - step / (larger - inner)) - 1)
        before = columns[-1]
        columns.append(larger + np.where(step == 0, 0, correction))
    return columns


def tip(sizes: Array, terms: Array, omegas: Array) -> Array:
    """What all the terms extrapolate to for each of the exponents."""
    return tableau(sizes, terms, omegas)[-1][:, 0]


def limit(sizes: Array, terms: Array, omega: float | tuple[float, float] | None = None) -> Limit:
    """Limit of a sequence of at least two terms, with an error that other windows and exponents give.

    The exponent ω of the leading correction is where windows that leave out small sizes, or the largest one, agree
    best. The error is three times the largest deviation among what windows without one size give, each with its own
    exponent (of six sizes and more without up to two, all but one window, which may have met a pole), and what other
    exponents give at which windows agree nearly as well; of up to three terms at least the distance from the last one.

    Parameters
    ----------
    sizes, terms : ndarray, shape (n,)
    omega : float or pair of float, optional
        The exponent, where it is known, or the range of it.
    """
    count, tried = len(terms), _exponents(omega)
    found, near = _best(sizes, terms, tried)
    value = float(tip(sizes, terms, np.array([found]))[0])

    # What is left without some sizes, with an exponent of its own.
    windows, compared = [Window(float(sizes[0]), float(sizes[-1]), found, value)], []
    for i, j in _windows(count)[1:]:
        own, _ = _best(sizes[i:j], terms[i:j], tried)
        found_there = float(tip(sizes[i:j], terms[i:j], np.array([own]))[0])
        windows.append(Window(float(sizes[i]), float(sizes[j - 1]), own, found_there))
        compared.append(found_there)
    if count > FEW_TERMS:
        compared.remove(max(compared, key=lambda other: abs(other - value)))

    # What other exponents make of the whole: few terms can hardly tell them from one another.
    if len(tried) > 1 and found != LOGARITHMIC:
        width = EXPONENT_WIDTHS.get(count, LEAST_EXPONENT_WIDTH)
        beside = np.clip(found * np.exp(np.linspace(-width, width, FINER)), tried[tried > 0].min(), tried.max())
        near = np.concatenate([near, beside])
    deviations = abs(np.concatenate([compared, tip(sizes, terms, near)]) - value)
    error = TIMES_DEVIATION * float(np.max(deviations[np.isfinite(deviations)], initial=0.0))
    if count <= 3:
        error = max(error, abs(value - float(terms[-1])))
    return Limit(value, error, found, (float(near.min()), float(near.max())), tuple(windows))


def _best(sizes: Array, terms: Array, tried: Array) -> tuple[float, Array]:
    """Exponent at which windows agree best, and those of the ones tried at which they do nearly as well."""
    if len(tried) == 1 or len(terms) == 2:  # which agrees with itself
        usual = float(tried[abs(tried - 1).argmin()])
        return usual, np.array([usual])
    windows = _agreeing(len(terms))
    spread = _spread(sizes, terms, windows, tried)
    found, least, near = float(tried[spread.argmin()]), float(spread.min()), tried
    for _ in range(ROUNDS if found != LOGARITHMIC else 0):
        at = int(np.flatnonzero(near == found)[0])
        finer = np.linspace(near[max(at - 1, 0)], near[min(at + 1, len(near) - 1)], FINER)
        near = np.unique(np.append(finer[finer > 0], found))
        differ = _spread(sizes, terms, windows, near)
        found, least = float(near[differ.argmin()]), float(differ.min())
    return found, np.append(tried[spread <= AS_GOOD * least], found)


def _exponents(omega: float | tuple[float, float] | None) -> Array:
    """Exponents to try: a known one alone."""
    if omega is None:
        return np.concatenate([[LOGARITHMIC], np.geomspace(SLOWEST, FASTEST, EXPONENTS)])
    low, high = omega if isinstance(omega, tuple) else (omega, omega)
    return np.geomspace(low, high, EXPONENTS) if low < high else np.array([low])


def _windows(count: int) -> Sequence[tuple[int, int]]:
    """The whole sequence, then what is left without a few terms at its ends."""
    shortest = count - (LEFT_OUT if count > FEW_TERMS else 1)
    found = [(i, j) for i in range(count) for j in range(i + shortest, count + 1)]
    return sorted(found, key=lambda window: (window[0] - window[1], window[0]))


def _agreeing(count: int) -> Sequence[tuple[int, int]]:
    """Windows that the exponent makes agree: of many terms those that leave out small sizes, or the largest one."""
    if count <= FEW_TERMS:
        return _windows(count)
    fewer = max(LEFT_OUT, count // 2 - 1)
    return [(i, count) for i in range(fewer + 1)] + [(0, count - 1)]


def _spread(sizes: Array, terms: Array, windows: Sequence[tuple[int, int]], omegas: Array) -> Array:
    """By how much windows differ at each exponent; infinitely much where one has a pole."""
    columns = tableau(sizes, terms, omegas)
    found = np.ptp([columns[j - i - 1][:, i] for i, j in windows], axis=0)
    return np.where(np.isfinite(found), found, np.inf)
