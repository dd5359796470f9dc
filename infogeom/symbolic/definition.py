"""The numerical definition of the Fisher metric, against which every derivation is held."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import combinations_with_replacement

import mpmath
import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import Expr, Matrix, Set, Subs, Symbol

from infogeom import precision
from infogeom.functions.registry import rewritten
from infogeom.models.law import Law, kinks_of
from infogeom.models.parameter import Constant
from infogeom.models.samples import Samples
from infogeom.numeric.cubature import cubature, tractable
from infogeom.numeric.float64 import in_float64
from infogeom.numeric.multiprecision import in_mpmath
from infogeom.numeric.quadrature import POINT_DIGITS, expectations

__all__ = ["check_definition", "check_mass", "check_over_samples", "is_no_logarithm", "points_of"]

Array = NDArray[np.float64]
Point = dict[Symbol, sympy.Rational]
CHECKED_DIGITS = 25
#: Where in the typical range derivations are checked, and what constants and sample symbols stand at.
FRACTIONS = (0.21, 0.83)
RELATIVE_TOLERANCE = 1e-7
#: Eigenvalue of a metric scaled to a unit diagonal that is rounding.
NULL_EIGENVALUE = 1e-10
#: Samples for each parameter by which a parametrisation is judged.
MOVED_SAMPLES = 4
#: In how many digits, and below what, such an eigenvalue is 0 beyond doubt.
SETTLED_DIGITS = 60
BEYOND_DOUBT = 1e-45


def check_definition(
    matrix: Matrix,
    law: Law,
    scores: Sequence[Expr],
    coordinates: Sequence[Symbol],
    typical: Sequence[tuple[float, float]],
    *,
    normalised: bool,
    whole: bool = True,
) -> str | None:
    """Compare a derived metric with E[s sᵀ] by quadrature or summation; a sentence that says what differs, or None.

    Laws of too many variables, or without a base measure, are not compared. One that is ``whole``, not that of a single
    sample of many, must not be redundant either.
    """
    if law.variables and not tractable(law):
        return None
    symbols = (law.log_density.free_symbols | matrix.free_symbols) - set(law.variables)

    # At each point the first way that finds no difference settles it.
    for point in points_of(coordinates, typical, symbols):
        problem = None
        for definition in _definitions(law, coordinates):
            problem = _compared(matrix, law, scores, coordinates, point, definition, normalised=normalised)
            if problem is None:
                break
        if problem:
            return problem
    at_points = [np.array(matrix.subs(p).evalf(), dtype=float) for p in points_of(coordinates, typical, symbols)]
    return _redundant(at_points, coordinates) if law.variables and normalised and whole else None


def check_over_samples(
    matrix: Matrix, samples: Samples, coordinates: Sequence[Symbol], typical: Sequence[tuple[float, float]]
) -> str | None:
    """A direction in which the laws of all samples together do not change, whatever the data; a sentence, or None.

    Data that are dependent, or too few, are no fault of the parametrisation: the metric is singular for them, and its
    status says so. Each number of them is therefore moved.
    """
    n, arguments = len(coordinates), list(samples.symbols)
    rows = _moved(samples.data, MOVED_SAMPLES * n)
    symbols = matrix.free_symbols - set(arguments)
    at_points = [matrix.subs(point) for point in points_of(coordinates, typical, symbols)]
    try:
        values = [in_float64(arguments, list(there))(*rows.T) for there in at_points]
        metrics = [np.mean(entries, axis=1).reshape(n, n) for entries in values]
        if not np.isfinite(metrics).all() or _redundant(metrics, coordinates) is None:
            return None
        with precision.digits(SETTLED_DIGITS):
            settled = [_mean(in_mpmath(arguments, list(there)), rows) for there in at_points]
            eigenvalues = [mpmath.eigsy(g, eigvals_only=True) for g in settled]
    except (ArithmeticError, NameError, NotImplementedError, TypeError, ValueError):
        return None
    null = all(min(abs(v) for v in found) <= BEYOND_DOUBT * max(found) for found in eigenvalues)
    return _redundant(metrics, coordinates) if null else None


def _moved(data: Array, number: int) -> Array:
    """So many of the samples, some of them repeated, with every number of them moved by up to a tenth of its size."""
    rows = data[np.linspace(0, len(data) - 1, number).astype(int)]
    largest = np.abs(data).max(axis=0)
    sizes = np.where(rows == 0, np.where(largest > 0, largest, 1), rows)
    return np.asarray(rows + np.random.default_rng(0).uniform(-0.1, 0.1, rows.shape) * sizes)


def _mean(entries: Callable[..., Sequence[mpmath.mpf]], rows: Array) -> mpmath.matrix:
    """Mean over samples of the entries of a matrix, scaled to a unit diagonal."""
    total = np.sum([entries(*map(mpmath.mpf, row)) for row in rows.tolist()], axis=0)
    n = math.isqrt(len(total))
    roots = [mpmath.sqrt(v) or mpmath.mpf(1) for v in total[:: n + 1]]
    g = total.reshape(n, n) / np.outer(roots, roots)
    return mpmath.matrix(g.tolist())


def _redundant(metrics: Sequence[Array], coordinates: Sequence[Symbol]) -> str | None:
    """A direction in which a law does not change: null at every one of a few points."""
    directions = []
    for g in metrics:
        size = np.sqrt(np.diag(g))
        size[size == 0] = 1
        values, vectors = np.linalg.eigh(g / np.outer(size, size))
        if values[0] > NULL_EIGENVALUE:
            return None
        directions.append(vectors[:, 0] / size)
    direction = directions[0] / np.abs(directions[0]).max()
    direction[np.abs(direction) < NULL_EIGENVALUE] = 0
    told = ", ".join(f"{c}: {v:.4g}" for c, v in zip(coordinates, direction, strict=True))
    return (
        "the parametrisation is redundant, the metric singular everywhere: "
        f"the law does not change in the direction ({told}) at the first point that was tried"
    )


def check_mass(law: Law, coordinates: Sequence[Symbol], typical: Sequence[tuple[float, float]]) -> str | None:
    """Whether a density integrates to one; a sentence that says what it does, or None."""
    scores, metrics = law.derivatives(coordinates, 1), []
    for point in points_of(coordinates, typical, set()):
        problem = None
        for definition in _definitions(law, coordinates):
            try:
                moments = definition(law, scores, point)
            except (ArithmeticError, NameError, NotImplementedError, TypeError, ValueError) as error:
                problem = f"the density could not be evaluated in numbers at {_told(point)}: {error}"
                continue
            problem = _not_a_law(moments, coordinates, point)
            if problem is None:
                metrics.append(moments[1:, 1:])
                break
        if problem and _is_settled(law, point):
            return problem
    return _redundant(metrics, coordinates) if metrics else None


def _is_settled(law: Law, point: Point) -> bool:
    """Whether the mass that was found of a law is final; a cubature leaves it open where it has not settled."""
    if len(_definitions(law, ())) == 1 or len(law.variables) == 1:
        return True
    try:
        one, other = (definition(law, [], point)[0, 0] for definition in _definitions(law, ()))
    except (ArithmeticError, NameError):
        return False
    return bool(abs(one - other) <= RELATIVE_TOLERANCE)


def is_no_logarithm(law: Law, coordinates: Sequence[Symbol], typical: Sequence[tuple[float, float]]) -> bool:
    """Whether what was given for log p integrates to 1 itself: it is p."""
    if not law.variables or not tractable(law):
        return False
    given = Law(sympy.log(law.log_density), law.variables, law.supports)
    for point in points_of(coordinates, typical, given.log_density.free_symbols - {*law.variables}):
        try:
            mass = _by_cubature(given, [], point)[0, 0]
        except (ArithmeticError, NameError, NotImplementedError, TypeError, ValueError):
            return False
        if not abs(mass - 1) <= RELATIVE_TOLERANCE:
            return False
    return True


def _not_a_law(moments: Array, coordinates: Sequence[Symbol], point: Point) -> str | None:
    """What tells that a density is none, or that derivative and integral do not change places."""
    mass = moments[0, 0]
    if not np.isfinite(mass):
        return f"the mass of the density is not found in numbers at {_told(point)}: its tails are too long"
    if not abs(mass - 1) <= RELATIVE_TOLERANCE:
        return f"the density must integrate to 1, got {mass:.9g} at {_told(point)}"
    for c, mean, square in zip(coordinates, moments[0, 1:], np.diag(moments)[1:], strict=True):
        if abs(mean) > RELATIVE_TOLERANCE * np.sqrt(square):
            return (
                f"the score E[∂log p/∂{c}] must be 0, got {mean:.9g} at {_told(point)}: where the support moves with a "
                "parameter, or the density jumps, there is no Fisher metric"
            )
    return None


def _told(point: Point) -> str:
    return ", ".join(f"{symbol} = {float(value):.6g}" for symbol, value in point.items())


def _compared(
    matrix: Matrix,
    law: Law,
    scores: Sequence[Expr],
    coordinates: Sequence[Symbol],
    point: Point,
    definition: Definition,
    *,
    normalised: bool,
) -> str | None:
    at = _told(point)
    try:
        there = matrix.subs(point).evalf()
        if any(value.is_real is False for value in there):
            return f"log p is not real everywhere on the support at {at}, and p no density there"
        derived = np.array(there, dtype=np.float64)
        moments = definition(law, scores, point)
    except (ArithmeticError, TypeError, ValueError, NameError) as error:
        reason = str(error) or type(error).__name__
        return f"the expectation E[∂log p ∂log p] could not be evaluated in numbers at {at}: {reason}"
    if normalised and (problem := _not_a_law(moments, coordinates, point)):
        return problem

    # An unnormalised density is one up to its mass.
    defined = moments[1:, 1:] / moments[0, 0]
    scale = np.sqrt(np.outer(np.diag(defined), np.diag(defined)))
    wrong = ~(np.abs(derived - defined) <= RELATIVE_TOLERANCE * scale)
    if wrong.any():
        i, j = map(int, np.argwhere(wrong)[0])
        return (
            f"derived g_{i}{j} = {matrix[i, j]} contradicts its definition E[∂_{i} log p ∂_{j} log p]: "
            f"{derived[i, j]:.9g} against {defined[i, j]:.9g} at {at}"
        )
    return None


def points_of(
    coordinates: Sequence[Symbol], typical: Sequence[tuple[float, float]], symbols: set[Symbol]
) -> Iterator[dict[Symbol, sympy.Rational]]:
    """Points of the typical range; constants that are counts stand at 3 and 7, data of one sample near 1/2."""
    others = sorted(symbols - set(coordinates), key=str)
    for trial, fraction in enumerate(FRACTIONS):
        ranges = enumerate(zip(coordinates, typical, strict=True))
        point = {c: low + fraction ** (1 + k / 3) * (high - low) for k, (c, (low, high)) in ranges}
        for k, symbol in enumerate(others):
            counts = symbol.is_integer or isinstance(symbol, Constant)
            point[symbol] = 3 + 4 * trial if counts else (-1) ** k * (0.45 + 0.2 * trial + 0.1 * k)
        yield {symbol: sympy.Rational(value) for symbol, value in point.items()}


#: From a law with its scores, at a point, to the moments ∫ p t tᵀ of t = (1, s).
Definition = Callable[[Law, Sequence[Expr], Point], Array]


def _definitions(law: Law, coordinates: Sequence[Symbol]) -> list[Definition]:
    """Ways to the numbers, quick ones first; the last one settles it."""
    if not law.variables:
        return [lambda law, _, point: _observed(law.log_density, coordinates, point)]
    if len(law.variables) == 1:
        return [_by_cubature, _by_quadrature]
    continuous = any(isinstance(support, sympy.Interval) for support in law.supports)
    return [_by_cubature, _by_wider_cubature] if continuous else [_by_cubature]


def _observed(log_density: Expr, coordinates: Sequence[Symbol], point: Point) -> Array:
    scores = [float(_difference(log_density, c, point)) for c in coordinates]
    s = np.array([1.0, *scores])
    return np.outer(s, s)


def _by_cubature(law: Law, scores: Sequence[Expr], point: Point, *, wider: bool = False) -> Array:
    at = _decimal(point)
    density, at_point = law.log_density.subs(at), [s.subs(at) for s in scores]
    supports = [support.subs(point) for support in law.supports]
    return cubature(density, at_point, law.variables, supports, wider=wider)


def _by_wider_cubature(law: Law, scores: Sequence[Expr], point: Point) -> Array:
    return _by_cubature(law, scores, point, wider=True)


def _by_quadrature(law: Law, scores: Sequence[Expr], point: Point) -> Array:
    at = _decimal(point)
    expressions = [rewritten(e, sympy.exp, sympy.erfc).subs(at) for e in (law.log_density, *scores)]
    density, *at_point = map(_numbers_evaluated, expressions)
    (variable,), (support,) = law.variables, law.supports
    return _moments(density, at_point, variable, support.subs(point), set(point.values()))


def _decimal(point: Point) -> dict[Symbol, Expr]:
    """Point in digits enough for any quadrature: SymPy takes its time over logarithms of powers of fractions."""
    return {symbol: value if value.is_Integer else value.evalf(POINT_DIGITS) for symbol, value in point.items()}


def _numbers_evaluated(e: Expr) -> Expr:
    """Expression with functions of numbers in digits enough for any quadrature, which then need not be found again."""
    numbers = e.replace(lambda f: f.is_Function and not f.free_symbols, lambda f: f.evalf(POINT_DIGITS))
    return numbers.replace(lambda f: isinstance(f, Subs) and not f.free_symbols, _derivative_evaluated)


def _derivative_evaluated(f: Subs) -> sympy.Float:
    """Value of a derivative that has no formula, which SymPy cannot find: that of ζ."""
    with precision.digits(POINT_DIGITS):
        return sympy.Float(in_mpmath([], f)(), POINT_DIGITS)


def _difference(log_density: Expr, coordinate: Symbol, point: Point) -> Expr:
    """Central difference of the log-density in 60 digits, exponentials written out."""
    step = sympy.Rational(1, 10**15)
    law = rewritten(log_density, sympy.exp, sympy.erfc)
    high, low = (law.subs({**point, coordinate: point[coordinate] + h}).evalf(60) for h in (step, -step))
    return (high - low) / (2 * step)


def _moments(law: Expr, scores: list[Expr], variable: Symbol, support: Set, centres: set[Expr]) -> Array:
    """Moments of (1, s) over the support; ``centres`` are where the density may peak."""
    n = len(scores) + 1
    f = in_mpmath([variable], [law, *scores])
    kinks = {mpmath.mpf(x.evalf(CHECKED_DIGITS)) for x in kinks_of(law, variable)}

    @cache
    def row(x: mpmath.mpf) -> tuple[mpmath.mpf, list[mpmath.mpf]]:
        try:
            value, *s = f(x)
        except ZeroDivisionError:  # where the density vanishes, and its score is infinite
            return -mpmath.inf, [mpmath.mpf(0)] * n
        if x in kinks:  # there the score may be no number
            s = [mpmath.mpf(0) if mpmath.isnan(v) else v for v in s]
        return value, [mpmath.mpf(1), *s]

    pairs = list(combinations_with_replacement(range(n), 2))
    weights = [lambda x, i=i, j=j: row(x)[1][i] * row(x)[1][j] for i, j in pairs]
    values = expectations(lambda x: row(x)[0], weights, support, [mpmath.mpf(c.p) / c.q for c in centres], kinks)
    total, errors = np.empty((n, n)), np.empty((n, n))
    for (i, j), (value, error) in zip(pairs, values, strict=True):
        total[i, j] = total[j, i] = float(value)
        errors[i, j] = errors[j, i] = float(error)
    size = np.sqrt(np.outer(np.diag(total), np.diag(total)))
    if not (errors <= RELATIVE_TOLERANCE / 10 * size).all():
        raise ArithmeticError(f"quadrature did not settle, its errors are up to {errors.max():.2g}")
    return total
