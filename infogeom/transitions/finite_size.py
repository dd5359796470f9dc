"""Critical points and exponents from a few sizes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogeom.arguments import check_positive, check_real, finite_array
from infogeom.transitions.bulirsch_stoer import Limit, limit, tip
from infogeom.transitions.estimates import Estimate, Exponent

__all__ = ["critical_point", "exponent"]

Array = NDArray[np.float64]
Terms = tuple[Array, Array]
Omega = float | tuple[float, float] | None
Places = NDArray[np.intp]
Candidates = list[tuple[Places, str]]

#: Sizes of one sequence, at least.
FEWEST_SIZES = 3
#: An exponent of increments this small is none, whatever its error; one with a larger error tells nothing.
SMALL_POWER = 0.02
RESOLVED = 0.1
#: Logarithm by which the error of the location changes values, at most.
MOST_CHANGE = 100.0
#: Of the location, where there is no error of it.
SMALL_STEP = 1e-7


def critical_point(sizes: ArrayLike, locations: ArrayLike, *, omega: Omega = None, observable: str = "") -> Estimate:
    """Where pseudo-transitions of finite systems go as the size grows, L → ∞.

    Extrapolated by Bulirsch and Stoer's rational functions of L^−ω (Henkel and Schütz, J. Phys. A 21 (1988) 2617). For
    a maximum ω is 1/ν, the shift exponent, where the scaling function is regular; an `exponent` found for it can be
    given as a range, and sharpens the result much. The error is three times the largest deviation among other windows
    of sizes and neighbouring ω; it cannot tell of corrections that none of the sizes shows. Locations are taken as
    they are, to all their digits: extrapolation magnifies noise, and of simulated ones the error need not hold.

    Parameters
    ----------
    sizes : array_like, shape (n,)
        At least three, positive and increasing. Where odd and even ones are among them, the even, the odd and, as one
        sequence, all of them are extrapolated, and the one of the least error is taken.
    locations : array_like, shape (n,)
    omega : float or (float, float), optional
        Exponent of the leading correction, or its range; sought from 0.3 to 4, and as powers of 1/ln(1 + L), when
        omitted.
    observable : str
        What had its maximum there, for the account.

    Returns
    -------
    Estimate

    Raises
    ------
    TypeError, ValueError
        For fewer than three sizes, sizes that are not positive and increasing, lengths that differ, values that are
        not finite, exponents that are not positive.

    Examples
    --------
    >>> import infogeom as ig
    >>> sizes = [4, 6, 8, 10, 12]
    >>> found = ig.transitions.critical_point(sizes, [0.44 - 0.7 / L - 0.3 / L**2 for L in sizes], observable="s")
    >>> print(found)
    0.440 ± 1.1e-02 of s; sizes 4, 6, 8, 10, 12, even; correction L^−ω, ω = 1.002 (sought, 0.82 to 1.22 as good);
    3 windows
    """
    L, y = _checked(sizes, "locations", locations)
    found = _extrapolated(L, y, lambda L, y: (L, y), _checked_omega(omega), _candidates(L, FEWEST_SIZES))
    return Estimate(**found.told(L, observable, omega is not None))


def exponent(
    sizes: ArrayLike,
    values: ArrayLike,
    *,
    slopes: ArrayLike | None = None,
    location_error: float = 0.0,
    omega: Omega = None,
    observable: str = "",
) -> Exponent:
    """Exponent x of values that grow like size^x: C, susceptibilities and their like at a critical point.

    The limit of local exponents, Δ ln y / Δ ln L between neighbouring sizes, extrapolated as `critical_point`. With
    four sizes and more also that of the increments Δy / Δ ln L, for which a constant beside the power does not count;
    of the two the one of the least error, which reaches to the other. Increments whose exponent is 0 within its error,
    or 0.02, tend to a constant: y grows like a logarithm.

    Parameters
    ----------
    sizes : array_like, shape (n,)
        As for `critical_point`.
    values : array_like, shape (n,)
        Positive.
    slopes : array_like, shape (n,), optional
        Their derivatives by the location at which they were taken, a β_c that is an estimate itself.
    location_error : float
        Error of that location; it takes ``slopes``.
    omega : float or (float, float), optional
        As for `critical_point`.
    observable : str
        For the account.

    Returns
    -------
    Exponent

    Raises
    ------
    TypeError, ValueError
        As `critical_point`; for values that are not positive, a negative error, one without slopes or one that leaves
        nothing of the values.

    Examples
    --------
    >>> import math
    >>> import infogeom as ig
    >>> sizes = [4, 6, 8, 10, 12, 14, 16]
    >>> chi = ig.transitions.exponent(sizes, [2 * L**1.75 - 0.2 * L for L in sizes], observable="chi")
    >>> print(chi)
    1.7500 ± 2.8e-03 of chi; sizes 4, 6, 8, 10, 12, 14, 16, even;
    correction L^−ω, ω = 0.7499 (sought, 0.679 to 0.829 as good); 6 windows
    >>> heat = ig.transitions.exponent(sizes, [0.5 + 2.5 * math.log(L) + 1 / L for L in sizes])
    >>> heat.logarithm, round(heat.amplitude, 6)
    (True, 2.5)
    """
    L, y = _checked(sizes, "values", values)
    if (below := np.flatnonzero(y <= 0)).size:
        raise ValueError(f"values must be positive, got {y[below[0]]} at index {below[0]}")
    known, relative = _checked_omega(omega), _checked_slopes(L, slopes, location_error) / y
    if (location_error * abs(relative) > MOST_CHANGE).any():
        raise ValueError(f"location_error must leave values within factors of e^{MOST_CHANGE:g}, got {location_error}")

    # Of the values themselves; and of their increments, where these are all positive.
    found, logarithm = _extrapolated(L, y, _of_values, known, _candidates(L, FEWEST_SIZES)), False
    rising = [(taken, words) for taken, words in _candidates(L, FEWEST_SIZES + 1) if (np.diff(y[taken]) > 0).all()]
    if rising:
        growing = _extrapolated(L, y, _of_increments, known, rising)
        x, error = growing.limit.value, growing.limit.error
        logarithm = abs(x) <= max(error, SMALL_POWER) and error <= RESOLVED
        if logarithm:
            found = growing.reaching(0.0)
        elif x > error:
            least, other = sorted((found, growing), key=lambda one: one.limit.error)
            found = least.reaching(other.limit.value)

    # How far the limit moves with the location: all else as it is, and with corrections that fit what it becomes.
    taken, terms, at = found.taken, found.terms, np.array([found.limit.omega])

    def moved(step: float) -> Terms:
        return terms(L[taken], y[taken] * np.exp(step * relative[taken]))

    step = location_error or SMALL_STEP
    ahead, behind = (float(tip(*moved(sign * step), at)[0]) for sign in (1, -1))
    sensitivity = (ahead - behind) / (2 * step)
    by_location = abs(sensitivity) * location_error
    for sign in (1, -1) if location_error else ():
        by_location = max(by_location, abs(limit(*moved(sign * step), known).value - found.limit.value))
    told = found.told(L, observable, omega is not None)
    told["error"] += by_location
    if logarithm:
        growth = limit(*_slopes(L[taken], y[taken]), known)
        told |= {"logarithm": True, "amplitude": growth.value, "amplitude_error": growth.error}
    return Exponent(
        of_increments=terms is _of_increments,
        sensitivity=sensitivity,
        by_location=by_location,
        **told,
    )


@dataclass(frozen=True)
class _Extrapolated:
    """A limit, of which terms, of which of the sizes, and what these are called."""

    limit: Limit
    terms: Callable[[Array, Array], Terms]
    taken: Places
    words: str

    def reaching(self, other: float, within: float = 0.0) -> _Extrapolated:
        """The same with an error that reaches another value, or what the error of that leaves possible.

        One that did not reach is added in squares: where the other one is right, it is so but for as much.
        """
        apart, error = abs(self.limit.value - other) - within, self.limit.error
        return self if apart <= error else replace(self, limit=replace(self.limit, error=math.hypot(apart, error)))

    def told(self, L: Array, observable: str, given: bool) -> dict[str, Any]:
        """Fields of an `Estimate`."""
        return {
            **vars(self.limit),
            "observable": observable,
            "sizes": tuple(map(float, L[self.taken])),
            "sequence": self.words,
            "assumed": given,
        }


def _extrapolated(
    L: Array, y: Array, terms: Callable[[Array, Array], Terms], omega: Omega, candidates: Candidates
) -> _Extrapolated:
    """Of the sequences that there are the one of the least error, which reaches what the others leave possible."""
    found = []
    for taken, words in candidates:
        found.append(_Extrapolated(limit(*terms(L[taken], y[taken]), omega), terms, taken, words))
    best = min(found, key=lambda one: one.limit.error)
    for other in found:
        best = best.reaching(other.limit.value, other.limit.error)
    return best


def _candidates(L: Array, least: int) -> Candidates:
    """Odd and even sizes apart, where there are enough, and what there is as one sequence."""
    odd, even = L % 2 == 1, L % 2 == 0
    everything = np.arange(len(L))
    if even.all() or odd.all() or not (odd | even).all():
        word = "even" if even.all() else "odd" if odd.all() else "in one sequence"
        return [(everything, word)] if len(L) >= least else []
    apart = [(np.flatnonzero(odd), "odd sizes alone"), (np.flatnonzero(even), "even sizes alone")]
    enough = [(taken, words) for taken, words in apart if len(taken) >= least]
    together = "odd and even sizes as one sequence"
    if len(enough) < len(apart):
        together += ", too few to tell them apart"
    return [*enough, (everything, together)] if len(L) >= least else []


def _slopes(x: Array, y: Array) -> Terms:
    """Geometric means of neighbouring sizes, and Δy / Δ ln x there."""
    return np.sqrt(x[1:] * x[:-1]), np.diff(y) / np.diff(np.log(x))


def _of_values(L: Array, y: Array) -> Terms:
    """Local exponents of values."""
    return _slopes(L, np.log(y))


def _of_increments(L: Array, y: Array) -> Terms:
    """Local exponents of what values grow by for each unit of ln L."""
    middle, growth = _slopes(L, y)
    return _slopes(middle, np.log(growth))


def _checked(sizes: ArrayLike, name: str, given: ArrayLike) -> tuple[Array, Array]:
    """Sizes and what belongs to them."""
    L, y = finite_array("sizes", sizes, 1), finite_array(name, given, 1)
    if len(L) < FEWEST_SIZES:
        raise ValueError(f"sizes must be at least {FEWEST_SIZES}, got {len(L)}")
    if L[0] <= 0:
        raise ValueError(f"sizes must be positive, got {L[0]:g} at index 0")
    if (falls := np.flatnonzero(np.diff(L) <= 0)).size:
        at = int(falls[0]) + 1
        raise ValueError(f"sizes must be increasing, got {L[at]:g} after {L[at - 1]:g} at index {at}")
    if len(y) != len(L):
        raise ValueError(f"{name} must be as many as sizes, {len(L)}, got {len(y)}")
    return L, y


def _checked_omega(omega: Omega) -> Omega:
    """One exponent, or a range of them."""
    if omega is None:
        return None
    ends = tuple(omega) if isinstance(omega, tuple | list) else (omega, omega)
    if len(ends) != 2:
        raise ValueError(f"omega must be a number or a pair (low, high), got {omega!r}")
    for end in ends:
        check_positive("omega", end)
    if ends[0] > ends[1]:
        raise ValueError(f"omega must be a pair (low, high), got {omega!r}")
    return float(ends[0]), float(ends[1])


def _checked_slopes(L: Array, slopes: ArrayLike | None, location_error: float) -> Array:
    """Slopes for each size, 0 where none are given."""
    check_real("location_error", location_error)
    if not 0 <= location_error < np.inf:
        raise ValueError(f"location_error must be finite and not negative, got {location_error}")
    if slopes is None:
        if location_error:
            raise ValueError(f"location_error takes slopes, got {location_error} without them")
        return np.zeros_like(L)
    found = finite_array("slopes", slopes, 1)
    if len(found) != len(L):
        raise ValueError(f"slopes must be as many as sizes, {len(L)}, got {len(found)}")
    return found
