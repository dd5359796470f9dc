"""Expressions as functions of float64 arrays, through SciPy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray
from scipy import special
from sympy import Expr, Symbol

from infogeom import precision

__all__ = ["TO_CHECK", "evaluated", "in_arrays", "in_float64"]

Array = NDArray[np.float64]


def _inverse_mills(x: Array) -> Array:
    """φ(x)/Φ(x); far out, where x²/2 cancels, by a function without it."""
    near = np.exp(-0.5 * np.log(2 * np.pi) - 0.5 * np.square(x) - special.log_ndtr(x))
    far = np.sqrt(2 / np.pi) / special.erfcx(-np.divide(x, np.sqrt(2)))
    return np.asarray(np.where(np.less(x, -38.0), far, near))


def _log_sum_exp(*a: Array) -> Array:
    return reduce(np.logaddexp, a)


def _softplus(u: Array) -> Array:
    return np.logaddexp(0.0, u)


def _softmax(k: int, *a: Array) -> Array:
    return np.asarray(np.exp(a[k] - _log_sum_exp(*a)))


def _log_bessel(nu: Array, x: Array) -> Array:
    return np.asarray(np.log(special.ive(nu, x)) + x)


def _bessel_ratio(nu: Array, x: Array) -> Array:
    return np.asarray(special.ive(np.add(nu, 1), x) / special.ive(nu, x))


def _lgamma_difference(x: Array, a: Array) -> Array:
    """For a > 0."""
    return np.asarray(special.gammaln(a) - special.betaln(x, a))


def _log_exprel(m: int, t: Array) -> Array:
    """Of the first orders, to no more digits than are left of them beside t = 0."""
    if m > 1:
        raise NameError(f"log_exprel of order {m} has no version in SciPy")
    return np.asarray(np.log(special.exprel(t)) if m == 0 else -1 / np.expm1(np.negative(t)) - 1 / np.asarray(t))


#: The primitives of this package that SciPy has.
PRIMITIVES: Mapping[str, Callable[..., Any]] = {
    "expit": special.expit,
    "softplus": _softplus,
    "log_normal_cdf": special.log_ndtr,
    "log_sum_exp": _log_sum_exp,
    "softmax": _softmax,
    "inverse_mills": _inverse_mills,
}
#: More of them, to the digits that a check asks for: kernels have better.
TO_CHECK: Mapping[str, Callable[..., Any]] = {
    "log_bessel": _log_bessel,
    "bessel_ratio": _bessel_ratio,
    "lgamma_difference": _lgamma_difference,
    "log_exprel": _log_exprel,
}
#: Decimal digits of a number that a function of numbers is replaced by, more than float64 has.
CONSTANT_DIGITS = 25


def in_float64(
    arguments: Sequence[Symbol], expressions: Sequence[Expr], more: Mapping[str, Callable[..., Any]] | None = None
) -> Callable[..., list[Array]]:
    """Function of arrays and numbers that evaluates expressions, all results of the shape of the first argument.

    Parameters
    ----------
    arguments : sequence of Symbol
    expressions : sequence of Expr
        Functions of numbers in them are evaluated beforehand.
    more : mapping of str to callable, optional
        Further functions, vectorised.

    Raises
    ------
    NameError
        When it is called: for a function without a float64 version.
    """
    return in_arrays(arguments, evaluated(expressions), more or {})


def evaluated(expressions: Sequence[Expr]) -> list[Expr]:
    """Expressions whose functions of numbers are numbers."""
    with precision.held():
        return [e.replace(_is_constant, _number) for e in expressions]


def _is_constant(f: Expr) -> bool:
    return (f.is_Function or f.is_Pow) and not f.free_symbols


def _number(constant: Expr) -> sympy.Float:
    return sympy.Float(constant.evalf(CONSTANT_DIGITS), CONSTANT_DIGITS)


def in_arrays(
    arguments: Sequence[Symbol],
    expressions: Sequence[Expr],
    more: Mapping[str, Callable[..., Any]],
    cse: bool | Callable[..., Any] = True,
) -> Callable[..., list[Array]]:
    """Function of arrays and numbers that evaluates expressions whose functions of numbers are numbers.

    As `in_float64`, which makes them so; ``cse`` is that of `sympy.lambdify`.
    """
    known = dict(PRIMITIVES) | dict(more)
    evaluate = sympy.lambdify(arguments, expressions, [known, "scipy", "numpy"], cse=cse, dummify=True)

    def values(*at: Any) -> list[Array]:
        # Far out, where a density vanishes, its parts are no numbers.
        with np.errstate(over="ignore", divide="ignore", invalid="ignore", under="ignore"):
            found = evaluate(*at)
        if any(np.iscomplexobj(v) for v in found):
            raise ArithmeticError("the log-density is complex")
        return [np.array(np.broadcast_to(v, np.shape(at[0])), dtype=float) for v in found]

    return values
