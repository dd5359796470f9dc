"""Gaussian processes at given places."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from numbers import Real
from typing import Any

import sympy
from sympy import Dummy, Expr, KroneckerDelta, Symbol

from infogeom.arguments import as_expression, sequence_of
from infogeom.models.entries import Entries, Pattern
from infogeom.models.model import Model
from infogeom.models.normal_law import NormalLaw, normal_law
from infogeom.models.parameter import Parameter, parameters_of

__all__ = ["gaussian_process"]


def gaussian_process(kernel: Expr, at: Sequence[Any], parameters: Sequence[Parameter | Symbol]) -> Model:
    """Centred Gaussian process at given places: the covariance of the values at u and v is a kernel k(u, v).

    Parameters
    ----------
    kernel : sympy.Expr
        Symmetric in two symbols that are no parameters. ``KroneckerDelta(u, v)`` is 1 where the places are the same:
        noise of variance s² is ``s**2 * KroneckerDelta(u, v)``.
    at : sequence of numbers
        Places, all different; floats are the decimal fractions that they print as.
    parameters : sequence of Parameter or Symbol
        In order.

    Raises
    ------
    TypeError, ValueError
        For a kernel of other symbols, one that is not symmetric or has no value at equal places, and for places that
        are equal.

    Examples
    --------
    >>> import sympy, infogeom as ig
    >>> u, v = sympy.symbols("u v", real=True)
    >>> a, b, s = sympy.symbols("a b s", positive=True)
    >>> k = a**2 * sympy.exp(-((u - v) ** 2) / (2 * b**2)) + s**2 * sympy.KroneckerDelta(u, v)
    >>> ig.models.gaussian_process(k, [0, 1, 2.5, 4], [a, b, s])
    <Model Gaussian process at 4 places: a, b, s>
    """
    declared = parameters_of("parameters", parameters)
    places = _places(at)
    u, v = Dummy("u", real=True), Dummy("v", real=True)
    k = _kernel_of(kernel, [p.symbol for p in declared], u, v)
    same, apart = k.subs(v, u), k.xreplace({delta: sympy.Integer(0) for delta in k.atoms(KroneckerDelta)})
    if same.has(sympy.nan, sympy.zoo, sympy.oo):
        raise ValueError(f"kernel must have a value where both places are the same, got {same}")

    # One formula on the diagonal, one off it, for all places.
    d = len(places)
    diagonal = Pattern(same, (u,), tuple((p,) for p in places), tuple((i, i, i) for i in range(d)))
    pairs = list(combinations(range(d), 2))
    numbers = tuple((places[i], places[j]) for i, j in pairs)
    others = Pattern(apart, (u, v), numbers, tuple((r, i, j) for r, (i, j) in enumerate(pairs)))
    patterns = [diagonal, others] if apart != 0 and pairs else [diagonal]
    law = NormalLaw(Entries((d, 1), ()), Entries((d, d), tuple(patterns), symmetric=True))
    return normal_law(
        f"Gaussian process at {d} places",
        law,
        declared,
        latex=r"x_i = f(u_i), \quad f \sim \mathcal{GP}(0, k)",
        source="Rasmussen & Williams (2006), Ch. 2",
    )


def _kernel_of(kernel: Any, parameters: Sequence[Symbol], u: Symbol, v: Symbol) -> Expr:
    """The kernel in two symbols of its own, checked to be symmetric."""
    given = as_expression("kernel", kernel)
    own = sorted(given.free_symbols - {*parameters}, key=str)
    if len(own) != 2:
        raise ValueError(f"kernel must hold two symbols that are no parameters, got {own} in {given}")
    found = given.xreplace(dict(zip(own, (u, v), strict=True)))
    turned = found.xreplace({u: v, v: u})
    if found != turned and sympy.simplify(found - turned) != 0:
        raise ValueError(f"kernel must be symmetric in {own[0]} and {own[1]}, got {given}")
    return found


def _places(at: Any) -> list[Expr]:
    """Places as exact numbers, all different."""
    given = at.tolist() if hasattr(at, "tolist") else at
    found: list[Expr] = []
    for one in sequence_of("at", given, Real, Expr):
        place = as_expression("at", one)
        if not place.is_Rational:
            raise ValueError(f"at must hold rational numbers, got {one}")
        if place in found:
            raise ValueError(f"at must hold different places, got {one} twice")
        found.append(place)
    if not found:
        raise ValueError("at must hold at least one place, got none")
    return found
