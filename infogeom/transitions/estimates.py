"""Numbers extrapolated from finite sizes, with an error and an account of what they assume."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from infogeom.tables import Table
from infogeom.transitions.bulirsch_stoer import LOGARITHMIC, Window

__all__ = ["Estimate", "Exponent"]

#: Decimals of what is printed, and sizes that are all named, at most.
MOST_DIGITS = 12
MOST_LISTED = 8


@dataclass(frozen=True, repr=False)
class Estimate(Table):
    """A number extrapolated from finite sizes; prints as one line, and as a table of what windows of sizes give.

    Attributes
    ----------
    value, error : float
    observable : str
        What was extrapolated, as it was called.
    sizes : tuple of float
        Those that were taken.
    sequence : str
        Whether odd and even sizes were one sequence.
    omega : float
        Exponent of the leading correction in 1/size; 0 for powers of 1/ln(1 + size).
    omegas : tuple of float
        Smallest and largest exponent that the error allows for.
    assumed : bool
        Whether the exponent was given, or sought.
    windows : tuple of Window
        What the sizes from ``first`` to ``last`` give, with an ``omega`` of their own, in ``value``.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.transitions.critical_point([10, 20, 40, 80], [1.1, 1.05, 1.025, 1.0125], omega=1, observable="C")
    1.000000000000 ± 0.0e+00 of C; sizes 10, 20, 40, 80, even; correction L^−ω, ω = 1 (given); 3 windows
    <BLANKLINE>
    sizes    ω  limit
    10 … 80  1  1.000000000000
    10 … 40  1  1.000000000000
    20 … 80  1  1.000000000000
    """

    value: float
    error: float
    observable: str
    sizes: tuple[float, ...]
    sequence: str
    omega: float
    omegas: tuple[float, float]
    assumed: bool
    windows: tuple[Window, ...]

    @property
    def correction(self) -> str:
        """In words, the leading correction."""
        if self.omega == LOGARITHMIC:
            return "powers of 1/ln(1 + L)"
        how = "given" if self.assumed else "sought"
        between = f", {self.omegas[0]:.3g} to {self.omegas[1]:.3g} as good" if self.omegas[0] < self.omegas[1] else ""
        return f"L^−ω, ω = {self.omega:.4g} ({how}{between})"

    def _result(self) -> str:
        return f"{self.value:.{_digits(self.error)}f} ± {self.error:.1e}"

    def __str__(self) -> str:
        of = f" of {self.observable}" if self.observable else ""
        return (
            f"{self._result()}{of}; sizes {_listed(self.sizes)}, {self.sequence}; "
            f"correction {self.correction}; {len(self.windows)} windows"
        )

    def _above(self) -> list[str]:
        return [str(self)]

    def _cells(self) -> list[list[str]]:
        digits = _digits(self.error)
        rows = [["sizes", "ω", "limit"]]
        for window in self.windows:
            sizes = f"{window.first:g} … {window.last:g}"
            rows += [[sizes, f"{window.omega:.4g}", f"{window.value:.{digits}f}"]]
        return rows


@dataclass(frozen=True, repr=False)
class Exponent(Estimate):
    """An exponent x of values ∝ size^x, or the word that they grow like the logarithm of the size.

    Attributes
    ----------
    of_increments : bool
        Whether x is that of the increments over ln L, for which a constant beside the power does not count.
    logarithm : bool
        Whether these tend to a constant: ``value`` is then 0 within its error.
    amplitude : float or None
        Of a logarithm, growth for each unit of ln L.
    amplitude_error : float or None
    sensitivity : float
        By how much the exponent changes for each unit of the location at which the values were taken, all else as it
        is.
    by_location : float
        Part of the error that comes from that of the location, which other corrections may seem to fit.

    Examples
    --------
    >>> import infogeom as ig
    >>> found = ig.transitions.exponent([8, 16, 32, 64], [64, 256, 1024, 4096])
    >>> found.value, found.logarithm
    (2.0, False)
    """

    of_increments: bool = False
    logarithm: bool = False
    amplitude: float | None = None
    amplitude_error: float | None = None
    sensitivity: float = 0.0
    by_location: float = 0.0

    def _result(self) -> str:
        told = super()._result()
        if self.logarithm and self.amplitude is not None and self.amplitude_error is not None:
            growth = f"{self.amplitude:.{_digits(self.amplitude_error)}f} ± {self.amplitude_error:.1e}"
            told = f"a logarithm, {growth} for each unit of ln L (exponent {told})"
        if self.by_location:
            told += f", of which {self.by_location:.1e} by the location"
        return told


def _digits(error: float) -> int:
    """Decimals of a number with an error: two digits of that."""
    return MOST_DIGITS if error <= 0 else int(np.clip(1 - np.floor(np.log10(error)), 1, MOST_DIGITS))


def _listed(sizes: Sequence[float]) -> str:
    """Sizes, many of them by the first and the last."""
    words = [f"{size:g}" for size in sizes]
    return ", ".join(words) if len(words) <= MOST_LISTED else f"{words[0]}, {words[1]}, …, {words[-1]} ({len(words)})"
