"""A coordinate of a statistical manifold: its symbol, its domain and where it is typically found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy
from sympy import Interval, Set, Symbol, oo

from infogeom.arguments import check_count, exact, sequence_of
from infogeom.models.names import check_name

__all__ = [
    "POSITIVE",
    "REALS",
    "UNIT_INTERVAL",
    "Constant",
    "Held",
    "Parameter",
    "domain_of",
    "fractions",
    "known_count",
    "parameters_of",
    "positive",
    "probability",
    "real",
    "trials",
]

#: Domains that many parameters share.
REALS = sympy.S.Reals
POSITIVE = Interval.open(0, oo)
UNIT_INTERVAL = Interval.open(0, 1)


def domain_of(symbol: Symbol) -> Set:
    """Open domain that the symbol's assumptions declare."""
    if symbol.is_nonnegative:
        return sympy.Interval.open(0, sympy.oo)
    return sympy.Interval.open(-sympy.oo, 0) if symbol.is_nonpositive else sympy.S.Reals


@dataclass(frozen=True, eq=False)
class Parameter:
    """A coordinate of the statistical manifold.

    Parameters
    ----------
    symbol : sympy.Symbol or str
        The symbol that stands for it in the log-density; its name is an ASCII identifier and no quantity's. A keyword
        of Python takes an underscore, wherever it occurs: ``lambda`` is the parameter ``lambda_``.
    domain : sympy.Interval, optional
        Interval of admissible values, without its ends; from the symbol's assumptions when omitted.
    typical : tuple of two floats, optional
        Range inside the domain where derivations are checked and test points are drawn.

    Raises
    ------
    ValueError
        When the name is reserved or not ASCII, or the typical range is not an interval inside the domain.

    Examples
    --------
    >>> import sympy, infogeom as ig
    >>> ig.models.Parameter("rate", sympy.Interval.open(0, sympy.oo))
    Parameter(symbol=rate, domain=Interval.open(0, oo), typical=(0.5, 2.5))
    """

    symbol: Symbol
    domain: Set = None
    typical: tuple[float, float] = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        symbol = exact(sympy.Symbol(self.symbol, real=True) if isinstance(self.symbol, str) else self.symbol)
        if not isinstance(symbol, Symbol):
            raise TypeError(f"Parameter: symbol must be a sympy Symbol or a name, got {self.symbol!r}")
        check_name(symbol.name)
        domain = domain_of(symbol) if self.domain is None else self.domain
        if not isinstance(domain, sympy.Interval) or domain.measure == 0:
            raise ValueError(f"Parameter {symbol.name!r}: domain must be a sympy Interval, got {domain!r}")
        domain = exact(domain).interior
        try:
            typical = self._typical_of(domain) if self.typical is None else tuple(map(float, self.typical))
        except (TypeError, ValueError):
            typical = ()
        if not self._spans(typical, domain):
            raise ValueError(
                f"Parameter {symbol.name!r}: typical must be two increasing numbers in {domain}, got {self.typical!r}"
            )
        for name, value in (("symbol", symbol), ("domain", domain), ("typical", typical)):
            object.__setattr__(self, name, value)

    @staticmethod
    def _spans(typical: tuple[float, ...], domain: sympy.Interval) -> bool:
        """Whether these are two increasing numbers inside the domain."""
        if len(typical) != 2 or not typical[0] < typical[1]:
            return False
        return all(domain.contains(end) == True for end in typical)  # noqa: E712

    @staticmethod
    def _typical_of(domain: sympy.Interval) -> tuple[float, float]:
        """Middle of a bounded domain, otherwise a stretch of unit size next to its finite end or to 0."""
        low, high = float(domain.start), float(domain.end)
        if np.isfinite(low) and np.isfinite(high):
            return low + (high - low) / 5, high - (high - low) / 5
        if np.isfinite(low):
            return low + 0.5, low + 2.5
        return (high - 2.5, high - 0.5) if np.isfinite(high) else (-1.0, 1.0)

    @property
    def name(self) -> str:
        """ASCII name: the axis, dimension and variable in results."""
        return self.symbol.name  # type: ignore[no-any-return]


def parameters_of(name: str, given: Any) -> list[Parameter]:
    """Parameters in order, given as such or as bare symbols; a single one may stand for itself."""
    declared = sequence_of(name, given, Parameter, Symbol)
    return [p if isinstance(p, Parameter) else Parameter(p) for p in declared]


def real(name: str, typical: tuple[float, float] = (-3, 3)) -> Parameter:
    """A parameter of any sign."""
    return Parameter(Symbol(name, real=True), REALS, typical)


def positive(name: str, typical: tuple[float, float] = (0.3, 3)) -> Parameter:
    """A parameter that is positive."""
    return Parameter(Symbol(name, positive=True), POSITIVE, typical)


def probability(name: str = "p", typical: tuple[float, float] = (0.05, 0.95)) -> Parameter:
    """A parameter between 0 and 1."""
    return Parameter(Symbol(name, positive=True), UNIT_INTERVAL, typical)


class Constant(Symbol):  # type: ignore[misc]  # SymPy has no types
    """A number that a law knows, as the n of a binomial; equal to no symbol of a user's."""

    __slots__ = ()


class Held(Symbol):  # type: ignore[misc]
    """A constant whose number is data of kernels, where float64 rounds it, and no text in them."""

    __slots__ = ()

    @classmethod
    def in_place_of(cls, symbol: Symbol) -> Held:
        """One of the same name and assumptions."""
        return cls(symbol.name, **symbol.assumptions0)


def fractions(held: Mapping[Held, sympy.Rational]) -> tuple[tuple[int, int], ...]:
    """Numbers of constants, in order, as numerators and denominators."""
    return tuple((int(number.p), int(number.q)) for number in held.values())


def known_count(name: str) -> Constant:
    """A constant that is known to be whole and positive."""
    return Constant(name, integer=True, positive=True)


def trials(n: int | Symbol) -> Constant:
    """What stands for a number of trials ``n``, which must be a positive integer or a symbol."""
    if not isinstance(n, Symbol):
        check_count("n", n)
    return known_count("n")
