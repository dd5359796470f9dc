"""The numerical definition of the Fisher metric, against which every derivation is held."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import cache
from itertools import combinations_with_replacement

import mpmath
import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import Expr, Matrix, Set, Symbol

__all__ = ["check_definition"]

Array = NDArray[np.float64]
DIGITS = 25
#: Where in the typical range derivations are checked, and what constants and sample symbols stand at.
FRACTIONS = (0.21, 0.83)
RELATIVE_TOLERANCE = 1e-7
MAX_TERMS = 20_000
LARGEST_EXPONENT = 1e4


def check_definition(
    matrix: Matrix,
    log_density: Expr,
    variable: Symbol | None,
    support: Set | None,
    coordinates: tuple[Symbol, ...],
    typical: tuple[tuple[float, float], ...],
    *,
    normalised: bool,
) -> str | None:
    """Compare a derived metric with E[s sᵀ] by quadrature or summation; a sentence that says what differs, or None."""
    for point in _points(coordinates, typical, (log_density.free_symbols | matrix.free_symbols) - {variable}):
        derived = np.array(matrix.subs(point).evalf(), dtype=np.float64)
        mass, defined = _defined(log_density, variable, support, coordinates, point)
        at = ", ".join(f"{symbol} = {float(value):.6g}" for symbol, value in point.items())
        if normalised and not abs(mass - 1) <= RELATIVE_TOLERANCE:
            return f"the density must integrate to 1, got {mass:.9g} at {at}"
        scale = np.sqrt(np.outer(np.diag(defined), np.diag(defined)))
        wrong = ~(np.abs(derived - defined) <= RELATIVE_TOLERANCE * scale)
        if wrong.any():
            i, j = map(int, np.argwhere(wrong)[0])
            return (
                f"derived g_{i}{j} = {matrix[i, j]} contradicts its definition E[∂_{i} log p ∂_{j} log p]: "
                f"{derived[i, j]:.9g} against {defined[i, j]:.9g} at {at}"
            )
    return None


def _points(
    coordinates: tuple[Symbol, ...], typical: tuple[tuple[float, float], ...], symbols: set[Symbol]
) -> Iterator[dict[Symbol, sympy.Rational]]:
    """Points of the typical range; constants that are counts stand at 3 and 7, data of one sample near 1/2."""
    others = sorted(symbols - set(coordinates), key=str)
    for trial, fraction in enumerate(FRACTIONS):
        ranges = enumerate(zip(coordinates, typical, strict=True))
        point = {c: low + fraction ** (1 + k / 3) * (high - low) for k, (c, (low, high)) in ranges}
        for k, symbol in enumerate(others):
            point[symbol] = 3 + 4 * trial if symbol.is_integer else (-1) ** k * (0.45 + 0.2 * trial + 0.1 * k)
        yield {symbol: sympy.Rational(value) for symbol, value in point.items()}


def _defined(
    log_density: Expr,
    variable: Symbol | None,
    support: Set | None,
    coordinates: tuple[Symbol, ...],
    point: dict[Symbol, sympy.Rational],
) -> tuple[float, Array]:
    """Mass of the density and E[s sᵀ] over it; without a variable the score is observed, and the mass is 1."""
    if variable is None or support is None:
        s = np.array([float(_difference(log_density, c, point)) for c in coordinates])
        return 1.0, np.outer(s, s)
    law, *scores = (e.rewrite(sympy.exp).subs(point) for e in (log_density, *map(log_density.diff, coordinates)))
    mass, moments = _moments(law, scores, variable, support.subs(point), {point[c] for c in coordinates})
    return mass, moments / mass


def _difference(log_density: Expr, coordinate: Symbol, point: dict[Symbol, sympy.Rational]) -> Expr:
    """Central difference of the log-density in 60 digits, exponentials written out."""
    step = sympy.Rational(1, 10**15)
    law = log_density.rewrite(sympy.exp)
    high, low = (law.subs({**point, coordinate: point[coordinate] + h}).evalf(60) for h in (step, -step))
    return (high - low) / (2 * step)


def _moments(law: Expr, scores: list[Expr], variable: Symbol, support: Set, centres: set[Expr]) -> tuple[float, Array]:
    """Mass ∫p and ∫ p s sᵀ over the support; ``centres`` are where the density may peak."""
    n = len(scores) + 1
    f = sympy.lambdify([variable], [law, *scores], modules=[{"exp": _exp}, "mpmath"], cse=True)
    kinks = {x for kink in law.atoms(sympy.Abs) for x in sympy.solve(kink.args[0], variable)}

    @cache
    def row(x: mpmath.mpf) -> tuple[mpmath.mpf, list[mpmath.mpf]]:
        value, *s = f(x)
        return mpmath.exp(value), [mpmath.mpf(1), *s]

    def integral(i: int, j: int) -> mpmath.mpf:
        def term(x: mpmath.mpf) -> mpmath.mpf:
            p, s = row(x)
            return p * s[i] * s[j] if p else p

        return _integral(term, support, centres | kinks) if isinstance(support, sympy.Interval) else _sum(term, support)

    total = np.empty((n, n))
    with mpmath.workdps(DIGITS):
        for i, j in combinations_with_replacement(range(n), 2):
            value = integral(i, j)
            total[i, j] = total[j, i] = math.nan if isinstance(value, mpmath.mpc) else float(value)
    return float(total[0, 0]), total[1:, 1:]


def _exp(x: mpmath.mpf) -> mpmath.mpf:
    """Exponential that gives up where another one of it would fill the memory."""
    return mpmath.exp(x) if x < LARGEST_EXPONENT else mpmath.inf


def _integral(f: Callable[[mpmath.mpf], mpmath.mpf], support: Set, breaks: set[Expr]) -> mpmath.mpf:
    """Tanh-sinh quadrature, which forgives singular ends; split where the density peaks or has a kink."""
    inner = {float(b) for b in breaks if b.is_real and support.contains(b) == True}  # noqa: E712
    return mpmath.quad(f, sorted({float(support.start), float(support.end)} | inner))


def _sum(term: Callable[[mpmath.mpf], mpmath.mpf], support: Set) -> mpmath.mpf:
    """Sum over a discrete support, cut where 60 terms in a row no longer count; nan where that does not come."""
    total, quiet = mpmath.mpf(0), 0
    for terms, x in enumerate(support):
        if terms > MAX_TERMS:
            return mpmath.nan
        addend = term(mpmath.mpf(int(x)))
        total += addend
        quiet = quiet + 1 if abs(addend) <= 1e-17 * abs(total) else 0
        if quiet > 60:
            break
    return total
