"""Connection and curvature of a closed-form metric (Eqs. 3.2.15–3.2.17).

The index conventions of the package live here, once: axes follow the order of the indices, spheres have positive
curvature, and R^i_jkl = ∂_k Γ^i_jl − ∂_l Γ^i_jk + Γ^i_mk Γ^m_jl − Γ^i_ml Γ^m_jk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import combinations, combinations_with_replacement, product, starmap
from typing import Any

from sympy import Expr, ImmutableDenseNDimArray, ImmutableMatrix

from infogeom.symbolic.calculus import Calculus, calculus_of
from infogeom.symbolic.metric_value import Metric
from infogeom.symbolic.tensor_value import CHRISTOFFEL, RICCI, RIEMANN, labelled

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


#: Components of a tensor in a calculus, by their indices.
Components = dict[tuple[int, ...], Any]


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
    calculus = calculus_of(_closed(metric))
    return calculus.written(calculus.determinant)


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
    calculus = _regular(metric)
    return ImmutableMatrix(calculus.n, calculus.n, lambda i, j: calculus.written(calculus.inverse[i][j]))


def _regular(metric: Metric) -> Calculus:
    """Calculus of a metric that has an inverse."""
    calculus = calculus_of(_closed(metric))
    if calculus.determinant == 0:
        raise ValueError(f"the metric in {list(metric.names)} is singular everywhere: its determinant is 0")
    return calculus


def _connected(metric: Metric) -> Calculus:
    """Calculus of a metric that has a connection."""
    calculus = _regular(metric)
    if metric.form.values_only:
        raise TypeError(f"this metric has no connection: {metric.form.values_only}")
    return calculus


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
    return _tensor(metric, CHRISTOFFEL, _christoffel(_connected(metric)))


def _tensor(metric: Metric, kind: Any, components: Components) -> ImmutableDenseNDimArray:
    """Array of all components as expressions; what is left out is 0."""
    written, n, rank = calculus_of(_closed(metric)).written, len(metric.coordinates), len(next(iter(components)))
    known: dict[Any, Expr] = {entry: written(entry) for entry in components.values()}
    entries = [known[components[index]] for index in product(range(n), repeat=rank)]
    return labelled(kind, metric.coordinates, ImmutableDenseNDimArray(entries, (n,) * rank))


@lru_cache(maxsize=2)  # curvature asks for it again
def _christoffel(calculus: Calculus) -> Components:
    n, g, g_inv = calculus.n, calculus.g, calculus.inverse
    dg = {(i, j, k): calculus.diff(g[i][j], k) for i, j, k in product(range(n), repeat=3)}

    def entry(i: int, j: int, k: int) -> Any:
        terms = (g_inv[i][m] * (dg[m, k, j] + dg[m, j, k] - dg[j, k, m]) for m in range(n) if g_inv[i][m] != 0)
        return calculus.total(term / 2 for term in terms)

    # Symmetric in the last two indices: half of the components are enough.
    places = [(i, j, k) for i, j, k in product(range(n), repeat=3) if j <= k]
    known = dict(zip(places, calculus.settled(list(starmap(entry, places))), strict=True))
    return known | {(i, k, j): value for (i, j, k), value in known.items()}


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
    return _tensor(metric, RIEMANN, _riemann(_connected(metric)))


def _riemann(calculus: Calculus) -> Components:
    # Antisymmetric in the last two indices: less than half of the components are enough.
    n, zero = calculus.n, calculus.total(())
    known = _curvature(calculus, [(i, j, k, l) for i, j, k, l in product(range(n), repeat=4) if k < l])
    same: Components = {(i, j, k, k): zero for i, j, k in product(range(n), repeat=3)}
    return same | known | {(i, j, l, k): -value for (i, j, k, l), value in known.items()}


def _curvature(calculus: Calculus, places: Sequence[tuple[int, ...]]) -> Components:
    """Some components of the Riemann tensor."""
    gamma, n = _christoffel(calculus), calculus.n

    def entry(i: int, j: int, k: int, l: int) -> Any:
        terms = [calculus.diff(gamma[i, j, l], k), -calculus.diff(gamma[i, j, k], l)]
        for m in range(n):
            terms += [gamma[i, m, k] * gamma[m, j, l], -gamma[i, m, l] * gamma[m, j, k]]
        return calculus.total(terms)

    return dict(zip(places, calculus.settled(list(starmap(entry, places))), strict=True))


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
    return _tensor(metric, RICCI, _ricci(_connected(metric)))


@lru_cache(maxsize=2)  # R asks for it again
def _ricci(calculus: Calculus) -> Components:
    # Symmetric, and of R^i_jil, where i > l, what is known is −R^i_jli.
    n = calculus.n
    pairs = [(j, l) for j, l in product(range(n), repeat=2) if j <= l]
    places = [(i, j, *sorted((i, l))) for j, l in pairs for i in range(n) if i != l]
    curvature = _curvature(calculus, places)

    def entry(j: int, l: int) -> Any:
        terms = [curvature[i, j, i, l] for i in range(l)] + [-curvature[i, j, l, i] for i in range(l + 1, n)]
        return calculus.total(terms)

    known = dict(zip(pairs, calculus.settled(list(starmap(entry, pairs))), strict=True))
    return known | {(l, j): value for (j, l), value in known.items()}


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
    calculus = _connected(metric)
    tensor, g_inv = _ricci(calculus), calculus.inverse
    total = calculus.total(g_inv[j][l] * entry for (j, l), entry in tensor.items())
    return calculus.written(calculus.settled([total])[0])
