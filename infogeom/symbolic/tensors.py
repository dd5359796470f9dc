"""Connection and curvature of a closed-form metric (Eqs. 3.2.15–3.2.17).

The index conventions of the package live here, once: axes follow the order of the indices, spheres have positive
curvature, and R^i_jkl = ∂_k Γ^i_jl − ∂_l Γ^i_jk + Γ^i_mk Γ^m_jl − Γ^i_ml Γ^m_jk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import combinations, combinations_with_replacement, product, starmap
from typing import Any

import sympy
from sympy import Expr, ImmutableDenseNDimArray, ImmutableMatrix

from infogeom.symbolic.metric_value import Metric
from infogeom.symbolic.normal_form import normal_form
from infogeom.symbolic.tensor_value import CHRISTOFFEL, RICCI, RIEMANN, labelled
from infogeom.symbolic.zero import vanishing

__all__ = [
    "christoffel",
    "derivatives",
    "determinant",
    "equal_if_hessian",
    "inverse",
    "is_product_of_lines",
    "ricci",
    "ricci_scalar",
    "riemann",
]


def _closed(metric: Metric) -> Metric:
    if not isinstance(metric, Metric):
        raise TypeError(
            f"metric must be a Metric (infogeom.symbolic.metric(model) gives one), got {type(metric).__name__}"
        )
    closed = metric.written_out
    if closed is None:
        raise TypeError(
            f"this metric has no closed form, it is {metric.form.told}; "
            "infogeom.grid.evaluate takes its tensors by numbers"
        )
    if closed.samples is not None:
        raise TypeError(
            f"this metric is a mean over {len(closed.samples)} samples; "
            "metric.expand() writes a handful of them out in closed form, infogeom.grid.evaluate takes any number"
        )
    return closed


def _array(n: int, rank: int, entry: Callable[..., Expr]) -> ImmutableDenseNDimArray:
    entries = starmap(entry, product(range(n), repeat=rank))
    return ImmutableDenseNDimArray(list(entries), (n,) * rank)


def _settled(metric: Metric, forms: Sequence[Expr]) -> list[Expr]:
    """Normal forms, 0 for those that are 0 in disguise."""
    settled = list(forms)
    for k, zero in enumerate(vanishing(forms, metric.region)):
        if zero:
            settled[k] = sympy.Integer(0)
    return settled


def _sum(terms: Iterable[Expr]) -> Expr:
    return sympy.Add(*terms)


def is_product_of_lines(metric: Metric) -> bool:
    """Whether g is diagonal and each g_ii depends on the i-th coordinate alone: flat at a glance."""
    g, x = metric.matrix, metric.coordinates
    if any(g[i, j] != 0 for i, j in combinations(range(len(x)), 2)):
        return False
    return all(g[i, i].free_symbols.isdisjoint(set(x) - {c}) for i, c in enumerate(x))


def derivatives(metric: Metric) -> ImmutableDenseNDimArray:
    """Derivatives ∂_k g_ij of a closed form, k last."""
    g, x = metric.matrix, metric.coordinates
    return _array(len(x), 3, lambda i, j, k: g[i, j].diff(x[k]))


def equal_if_hessian(dg: Any) -> Iterator[tuple[Expr, Expr]]:
    """Pairs of components ∂_k g_ij that are equal where ∂g is totally symmetric, hence g = ∂∂ψ in these coordinates."""
    for i, j, k in combinations_with_replacement(range(dg.shape[0]), 3):
        yield dg[i, j, k], dg[i, k, j]
        yield dg[i, j, k], dg[j, k, i]


def determinant(metric: Metric) -> Expr:
    """Determinant of the metric, by Berkowitz' algorithm, in normal form; 0 where it vanishes identically.

    Examples
    --------
    >>> import sympy, infogeom as ig
    >>> theta, phi = sympy.symbols("theta phi", positive=True)
    >>> sphere = ig.Metric([theta, phi], sympy.diag(1, sympy.sin(theta) ** 2))
    >>> ig.symbolic.determinant(sphere)
    sin(theta)**2
    """
    return _determinant(_closed(metric))


@lru_cache(maxsize=2)  # the inverse asks for it
def _determinant(metric: Metric) -> Expr:
    return _settled(metric, [normal_form(metric.matrix.det(method="berkowitz"))])[0]


def inverse(metric: Metric) -> ImmutableMatrix:
    """Inverse metric g^ij: adjugate over Berkowitz determinant, entry by entry in normal form.

    Raises
    ------
    ValueError
        When the determinant vanishes identically.

    Examples
    --------
    >>> import sympy, infogeom as ig
    >>> theta, phi = sympy.symbols("theta phi", positive=True)
    >>> sphere = ig.Metric([theta, phi], sympy.diag(1, sympy.sin(theta) ** 2))
    >>> ig.symbolic.inverse(sphere)
    Matrix([
    [1,                0],
    [0, sin(theta)**(-2)]])
    """
    return _inverse(_closed(metric))


@lru_cache(maxsize=2)  # the connection asks for it, and R again
def _inverse(metric: Metric) -> ImmutableMatrix:
    volume = _determinant(metric)
    if volume == 0:
        raise ValueError(f"the metric in {list(metric.names)} is singular everywhere: its determinant is 0")
    return metric.matrix.adjugate(method="berkowitz").applyfunc(lambda entry: normal_form(entry / volume))


def christoffel(metric: Metric) -> ImmutableDenseNDimArray:
    """Christoffel symbols of the second kind, Γ^i_jk = ½ g^im (∂_j g_mk + ∂_k g_mj − ∂_m g_jk) (Eq. 3.2.15).

    Returns
    -------
    sympy array, shape (n, n, n)
        ``christoffel[i, j, k]`` is Γ^i_jk.

    Raises
    ------
    TypeError
        For a metric that is a mean over samples; ``expand`` it first.

    Examples
    --------
    >>> import sympy, infogeom as ig
    >>> theta, phi = sympy.symbols("theta phi", positive=True)
    >>> sphere = ig.Metric([theta, phi], sympy.diag(1, sympy.sin(theta) ** 2))
    >>> ig.symbolic.christoffel(sphere)[0]
    [[0, 0], [0, -sin(theta)*cos(theta)]]
    """
    metric = _closed(metric)
    x, n, g_inv, dg = metric.coordinates, len(metric.coordinates), inverse(metric), derivatives(metric)

    def entry(i: int, j: int, k: int) -> Expr:
        terms = (g_inv[i, m] * (dg[m, k, j] + dg[m, j, k] - dg[j, k, m]) for m in range(n) if g_inv[i, m] != 0)
        return normal_form(_sum(terms) / 2)

    # Symmetric in the last two indices: half of the components are enough.
    places = [(i, j, k) for i, j, k in product(range(n), repeat=3) if j <= k]
    components = _settled(metric, list(starmap(entry, places)))
    lower = dict(zip(places, components, strict=True))
    symbols = _array(n, 3, lambda i, j, k: lower[i, min(j, k), max(j, k)])
    return labelled(CHRISTOFFEL, x, symbols)


def riemann(metric: Metric) -> ImmutableDenseNDimArray:
    """Riemann tensor R^i_jkl = ∂_k Γ^i_jl − ∂_l Γ^i_jk + Γ^i_mk Γ^m_jl − Γ^i_ml Γ^m_jk (Eq. 3.2.16).

    Returns
    -------
    sympy array, shape (n, n, n, n)
        ``riemann[i, j, k, l]`` is R^i_jkl.

    Examples
    --------
    >>> import sympy, infogeom as ig
    >>> theta, phi = sympy.symbols("theta phi", positive=True)
    >>> sphere = ig.Metric([theta, phi], sympy.diag(1, sympy.sin(theta) ** 2))
    >>> ig.symbolic.riemann(sphere)[0, 1, 0, 1]
    sin(theta)**2
    """
    gamma, x, n = christoffel(metric), metric.coordinates, len(metric.coordinates)

    def entry(i: int, j: int, k: int, l: int) -> Expr:
        products = (gamma[i, m, k] * gamma[m, j, l] - gamma[i, m, l] * gamma[m, j, k] for m in range(n))
        return normal_form(gamma[i, j, l].diff(x[k]) - gamma[i, j, k].diff(x[l]) + _sum(products))

    # Antisymmetric in the last two indices: less than half of the components are enough.
    places = [(i, j, k, l) for i, j, k, l in product(range(n), repeat=4) if k < l]
    components = _settled(metric, list(starmap(entry, places)))
    lower = dict(zip(places, components, strict=True))
    zero = sympy.Integer(0)

    def component(i: int, j: int, k: int, l: int) -> Expr:
        if k == l:
            return zero
        return lower[i, j, k, l] if k < l else -lower[i, j, l, k]

    return labelled(RIEMANN, x, _array(n, 4, component))


def ricci(metric: Metric) -> ImmutableDenseNDimArray:
    """Ricci tensor Ric_jl = R^i_jil (Eq. 3.2.17), shape (n, n).

    Examples
    --------
    >>> import sympy, infogeom as ig
    >>> theta, phi = sympy.symbols("theta phi", positive=True)
    >>> sphere = ig.Metric([theta, phi], sympy.diag(1, sympy.sin(theta) ** 2))
    >>> ig.symbolic.ricci(sphere)
    [[1, 0], [0, sin(theta)**2]]
    """
    curvature, n = riemann(metric), len(metric.coordinates)

    def entry(j: int, l: int) -> Expr:
        return normal_form(_sum(curvature[i, j, i, l] for i in range(n)))

    components = _settled(metric, list(starmap(entry, product(range(n), repeat=2))))
    return labelled(RICCI, metric.coordinates, ImmutableDenseNDimArray(components, (n, n)))


def ricci_scalar(metric: Metric) -> Expr:
    """Ricci scalar R = g^jl Ric_jl; twice the Gauss curvature in two dimensions, positive on spheres.

    Examples
    --------
    >>> import sympy, infogeom as ig
    >>> theta, phi = sympy.symbols("theta phi", positive=True)
    >>> sphere = ig.Metric([theta, phi], sympy.diag(1, sympy.sin(theta) ** 2))
    >>> ig.symbolic.ricci_scalar(sphere)
    2
    """
    known = _closed(metric).form.ricci_scalar
    if known is not None:
        return known
    tensor, g_inv, n = ricci(metric), inverse(metric), len(metric.coordinates)
    terms = (g_inv[j, l] * tensor[j, l] for j, l in product(range(n), repeat=2))
    return _settled(metric, [normal_form(_sum(terms))])[0]
