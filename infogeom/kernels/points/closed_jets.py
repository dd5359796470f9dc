"""The jet of a closed form as expressions: g, ∂g and ∂∂g, written so that float64 keeps their digits."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import lru_cache
from itertools import combinations_with_replacement, permutations, product
from typing import TypeAlias

import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import Expr, Function, Symbol
from sympy.codegen.cfunctions import expm1, log1p

from infogeom.kernels.codegen.rounding import WEIGHT
from infogeom.kernels.curvature.jet import JET
from infogeom.quantities import QUANTITIES
from infogeom.symbolic import Metric
from infogeom.symbolic.cases import common_in_front
from infogeom.symbolic.cumulants import Cumulants
from infogeom.symbolic.normal_form import normal_form
from infogeom.symbolic.tensors import equal_if_hessian

__all__ = ["MatrixOrCumulants", "factored", "jet_expressions", "known_near_zero", "matrix_or_cumulants", "without_jet"]

#: What a jet is made of.
MatrixOrCumulants: TypeAlias = "sympy.ImmutableMatrix | Cumulants"
Names: TypeAlias = tuple[str, ...]
Scalars: TypeAlias = tuple[tuple[str, Expr], ...]


def matrix_or_cumulants(metric: Metric, quantities: Collection[str]) -> MatrixOrCumulants:
    """What the jet is made of: the matrix, or the cumulants of the statistics where they are known.

    R alone is the same in all coordinates, and may be taken in those of the statistics; cumulants in the metric's own
    are its jet.
    """
    known = metric.form.cumulants
    return known if known and (known.natural or _are_of_ricci_scalar(quantities)) else metric.matrix


def without_jet(metric: Metric, quantities: Names, observables: Names) -> tuple[Names, Scalars]:
    """What of the quantities takes a jet, and expressions of what takes none: observables, and R where that is known.

    Beside others, whose jet gives R too, it is not taken.
    """
    scalars = tuple((name, metric.observables[name]) for name in observables)
    known = metric.form.ricci_scalar
    if known is None or not quantities or not _are_of_ricci_scalar(quantities):
        return quantities, scalars
    return (), (*scalars, ("ricci_scalar", known))


def _are_of_ricci_scalar(quantities: Collection[str]) -> bool:
    return {QUANTITIES[name].base for name in quantities} <= {"ricci_scalar"}


def jet_expressions(
    given: MatrixOrCumulants, coordinates: tuple[Symbol, ...], sampled: bool, order: int, whole: bool = False
) -> dict[str, NDArray[np.object_]]:
    """Expressions of g, dg and ddg, empty beyond the order, with a sample's weight.

    Of a Hessian metric ddg is empty too, unless the ``whole`` jet is wanted.
    """
    if isinstance(given, Cumulants):
        jet = _of_cumulants(given, order)
    else:
        jet = _derivatives(given, coordinates, order, whole)
    weight = WEIGHT if sampled else sympy.Integer(1)
    return {name: entries * weight for name, entries in zip(JET, jet, strict=True)}


@lru_cache(maxsize=128)
def _derivatives(
    matrix: sympy.ImmutableMatrix, x: tuple[Symbol, ...], order: int, whole: bool
) -> tuple[NDArray[np.object_], NDArray[np.object_], NDArray[np.object_]]:
    """Arrays of expressions g, ∂g, ∂∂g, each of them empty beyond the order, ∂∂g also where it is not needed."""
    n = len(x)
    none = [np.empty((0,) * rank, dtype=object) for rank in (2, 3, 4)]
    if order < 0:
        return none[0], none[1], none[2]
    g = _symmetric(n, 2, lambda i, j: matrix[i, j])
    if order == 0:
        return g, none[1], none[2]
    dg = np.empty((n,) * 3, dtype=object)
    for (i, j), k in product(combinations_with_replacement(range(n), 2), range(n)):
        dg[i, j, k] = dg[j, i, k] = _derivative(g[i, j], x[k])
    if order == 1 or (not whole and _totally_symmetric(dg)):
        return g, dg, none[2]
    ddg = np.empty((n,) * 4, dtype=object)
    pairs = list(combinations_with_replacement(range(n), 2))
    for (i, j), (k, m) in product(pairs, repeat=2):
        ddg[i, j, k, m] = ddg[j, i, k, m] = ddg[i, j, m, k] = ddg[j, i, m, k] = _derivative(dg[i, j, k], x[m])
    return g, dg, ddg


def _of_cumulants(
    cumulants: Cumulants, order: int
) -> tuple[NDArray[np.object_], NDArray[np.object_], NDArray[np.object_]]:
    """Arrays of the second and third cumulants in place of g and ∂g, those of a Hessian metric, up to an order."""
    n, zero = cumulants.second.rows, sympy.Integer(0)
    second, third, none = (np.empty((0,) * rank, dtype=object) for rank in (2, 3, 4))
    if order >= 0:
        second = _symmetric(n, 2, lambda i, j: cumulants.second[i, j])
    if order >= 1:
        third = _symmetric(n, 3, lambda *at: cumulants.third.get(at, zero))
    return second, third, none


def _symmetric(n: int, rank: int, entry: Callable[..., Expr]) -> NDArray[np.object_]:
    """Totally symmetric array from its entries with indices in ascending order."""
    array = np.empty((n,) * rank, dtype=object)
    for at in combinations_with_replacement(range(n), rank):
        value = entry(*at)
        for indices in permutations(at):
            array[indices] = value
    return array


@lru_cache(maxsize=4096)
def _derivative(e: Expr, x: Symbol) -> Expr:
    return factored(common_in_front(e.diff(x)))


def factored(e: Expr) -> Expr:
    """Sum with the common factors of its terms pulled out (not out of the arguments of functions)."""
    if not e.is_Add:
        return e
    functions = sorted(e.atoms(Function), key=sympy.default_sort_key)
    names = {f: sympy.Dummy(f"f{k}", real=True) for k, f in enumerate(functions)}
    back = {name: f for f, name in names.items()}
    return sympy.factor_terms(e.xreplace(names)).xreplace(back)


@lru_cache(maxsize=4096)
def known_near_zero(e: Expr) -> Expr:
    """Expression with expm1(u) for e^u − 1 and log1p(u) for log(1 + u), which keep all digits near u = 0."""
    if not e.has(sympy.exp, sympy.log):
        return e
    return e.replace(lambda part: part.is_Add, _minus_one).replace(sympy.log, _log_of_one_and)


def _minus_one(total: Expr) -> Expr:
    """A sum with c expm1(u) for c e^u − c; an exponential of a sum is left, since kernels split it between the axes."""
    constant, rest = total.as_coeff_Add()
    for term in sympy.Add.make_args(rest) if constant else ():
        c, power = term.as_coeff_Mul()
        if c == -constant and isinstance(power, sympy.exp) and not power.args[0].is_Add:
            return rest - term + c * expm1(power.args[0])
    return total


def _log_of_one_and(u: Expr) -> Expr:
    one, rest = u.as_coeff_Add()
    return log1p(rest) if one == 1 and rest != 0 else sympy.log(u)


def _totally_symmetric(dg: NDArray[np.object_]) -> bool:
    """Whether ∂_k g_ij = ∂_j g_ik for all indices, and, where it is, make the entries the same expressions."""
    if not all(one == other or _vanishes(other - one) for one, other in equal_if_hessian(dg)):
        return False
    dg[...] = _symmetric(len(dg), 3, lambda *at: dg[at])
    return True


@lru_cache(maxsize=4096)
def _vanishes(e: Expr) -> bool:
    return bool(normal_form(e) == 0)
