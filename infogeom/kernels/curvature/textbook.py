"""Curvature at one point, from numbers of any precision: the textbook formulas, written out index by index.

Everything here is slow and plain on purpose: it is what the fast routes are held against, and shares nothing with them.
Arrays hold mpmath numbers; their axes follow the indices.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from itertools import combinations_with_replacement, product
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray
from sympy import Expr

from infogeom.kernels.curvature.jet import Jet
from infogeom.numeric.multiprecision import staged
from infogeom.symbolic.metric_value import Metric

__all__ = [
    "MARGIN",
    "TENSORS",
    "closed_form",
    "condition_number",
    "gauss_scalar",
    "inverse",
    "jet_errors",
    "perturbed",
    "rounding_errors",
    "scales",
    "textbook",
]

Array = NDArray[Any]
Real = Any
Index = tuple[int, ...]

#: Errors of a rounding or two each: at most three g⁻¹ and two ∂g enter a term of R, and as much again.
MARGIN = 10
#: What `textbook` makes of a jet.
TENSORS = ("christoffel", "riemann", "ricci", "ricci_scalar")
MP_EPS = mpmath.mpf(2) ** -52
#: Products of several tensors, two at a time: all at once would be n⁸ terms for the change of frame of ∂∂g.
_contracted = partial(np.einsum, optimize=True)


def closed_form(metric: Metric) -> Callable[[tuple[float, ...]], tuple[Jet, Jet]]:
    """Function from a point to the jet of a metric, and to the sizes of what is added up in each of its components.

    That is the mean of the terms' magnitudes over the samples.  A g_ij that is small beside √(g_ii g_jj) is taken for
    the difference of larger terms, unless it is 0 everywhere.
    """
    n, x = len(metric.coordinates), metric.coordinates
    entries = _entries(metric)
    at_point = staged(list(entries.values()), x, metric.samples.symbols if metric.samples else ())
    some = np.array([[entry != 0 for entry in metric.matrix.row(i)] for i in range(n)])
    rows = metric.samples.data.tolist() if metric.samples else [[]]
    weights = metric.samples.exact_weights if metric.samples else [1]

    def jet(columns: Sequence[Sequence[Real]]) -> Jet:
        means = [mpmath.fdot(weights, column) for column in columns]
        values = dict(zip(entries, means, strict=True))
        return Jet(_symmetric(n, 2, values), _symmetric(n, 3, values), _symmetric(n, 4, values))

    @cache
    def both(point: tuple[float, ...]) -> tuple[Jet, Jet]:
        integrand = at_point(list(map(mpmath.mpf, point)))
        of_samples = [integrand(*map(mpmath.mpf, row)) for row in rows]
        columns = list(zip(*of_samples, strict=True))

        # More may cancel within a term than its magnitude tells: hence √(g_ii g_jj).
        sizes = jet([[abs(value) for value in column] for column in columns])
        root = np.array([mpmath.sqrt(v) for v in np.diagonal(sizes.g)], dtype=object)
        return jet(columns), sizes._replace(g=np.where(some, np.maximum(np.outer(root, root), sizes.g), 0))

    return both


def _entries(metric: Metric) -> dict[Index, Expr]:
    """Expressions of g_ij, ∂_k g_ij and ∂_k ∂_l g_ij, i ≤ j and k ≤ l, by their indices."""
    n, x = len(metric.coordinates), metric.coordinates
    entries: dict[Index, Expr] = {}
    for i, j in combinations_with_replacement(range(n), 2):
        entries[i, j] = metric.matrix[i, j]
        for order in (1, 2):
            for along in combinations_with_replacement(range(n), order):
                variables = [x[k] for k in along]
                entries[i, j, *along] = entries[i, j].diff(*variables)
    return entries


def _symmetric(n: int, rank: int, values: dict[Index, Real]) -> Array:
    """Tensor from its components (i ≤ j, k ≤ l)."""
    out = np.empty((n,) * rank, dtype=object)
    for i, j, *along in product(range(n), repeat=rank):
        out[(i, j, *along)] = values[(min(i, j), max(i, j), *sorted(along))]
    return out


def inverse(g: Array) -> Array:
    """Inverse matrix, by way of a unit diagonal; ZeroDivisionError where g is singular to the working precision."""
    root = np.array([mpmath.sqrt(abs(v)) or mpmath.mpf(1) for v in np.diagonal(g)], dtype=object)
    scale = np.outer(root, root)
    return np.array((mpmath.matrix((g / scale).tolist()) ** -1).tolist(), dtype=object) / scale


def textbook(jet: Jet) -> dict[str, Array]:
    """Γ^i_jk, R^i_jkl, Ric_jl = R^i_jil and R = g^jl Ric_jl (Eqs. 3.2.15–3.2.17), ∂Γ by the product rule."""
    g, dg, ddg = jet
    up = inverse(g)
    lowered, dlowered = _first_kind(dg), _first_kind(ddg)
    gamma = np.einsum("mk,ijk->mij", up, lowered)
    dgamma = np.einsum("mk,ijkl->mijl", up, dlowered) - _contracted("ma,abl,bij->mijl", up, dg, gamma)
    square = np.einsum("imk,mjl->ijkl", gamma, gamma)
    riemann = dgamma.transpose(0, 1, 3, 2) - dgamma + square - square.transpose(0, 1, 3, 2)
    ricci = np.einsum("ijil->jl", riemann)
    return dict(zip(TENSORS, (gamma, riemann, ricci, np.array((up * ricci).sum())), strict=True))


def _first_kind(dg: Array, sign: int = -1) -> Array:
    """Γ_ij,k = ½ (∂_i g_jk + ∂_j g_ik − ∂_k g_ij); a further axis of derivatives stays the last."""
    return np.asarray(np.einsum("jki...->ijk...", dg) + np.einsum("ikj...->ijk...", dg) + sign * dg) / 2


def gauss_scalar(g: Array, tangential: Array, second: Array) -> Real:
    """R of a surface X in a flat space by the Gauss equation, |tr II|² − |II|².

    Parameters
    ----------
    g : ndarray, shape (n, n)
        ∂_i X · ∂_j X.
    tangential : ndarray, shape (n, n, n)
        ∂_i ∂_j X · ∂_k X.
    second : ndarray, shape (n, n, n, n)
        ∂_i ∂_j X · ∂_k ∂_l X.
    """
    up = inverse(g)
    normal = second - _contracted("ijm,mn,kln->ijkl", tangential, up, tangential)
    return _contracted("ij,kl,ijkl->", up, up, normal) - _contracted("ik,jl,ijkl->", up, up, normal)


def perturbed(function: Callable[..., Any], arguments: Sequence[Array], errors: Sequence[Array]) -> Any:
    """How far errors of the arguments carry, to first order: the sum of what each does alone."""
    value = function(*arguments)
    total = 0 * value
    for which, error in enumerate(errors):
        for index in zip(*np.nonzero(error), strict=True):
            moved = [a.copy() for a in arguments]
            moved[which][index] += error[index]
            total = total + abs(function(*moved) - value)
    return total


def jet_errors(sizes: Jet, point: Sequence[Real], samples: int) -> Jet:
    """Bounds on the rounding errors of a jet in float64.

    A sum of N terms is off by up to N/2 · ε of the sum of their magnitudes, each term by a few ε of its own and by
    what ε does to the coordinates, Σ_k |x_k ∂_k g|.  In the same way ∂g is off by x ∂∂g; for ∂∂g, whose own change is
    not known, stands g times the relative change of g, squared.

    Parameters
    ----------
    sizes : Jet
        From `closed_form`.
    point : sequence of mpf
    samples : int
        Number of terms N.
    """
    x, known = np.array([abs(v) for v in point], dtype=object), sizes.g != 0
    unit, moved = MP_EPS * (MARGIN + mpmath.mpf(samples) / 2), sizes.dg @ x
    growth = 1 + max(moved[known] / sizes.g[known], default=0)
    rate = np.array([max(along[known] / sizes.g[known], default=0) for along in np.moveaxis(sizes.dg, -1, 0)])
    return Jet(
        unit * (sizes.g + moved),
        unit * growth * (sizes.dg + sizes.ddg @ x),
        unit * growth * (sizes.ddg + _contracted("ij,k,l->ijkl", sizes.g, rate, rate)),
    )


def rounding_errors(jet: Jet, errors: Jet, point: Sequence[Real]) -> dict[str, Array]:
    """Bounds on the rounding errors of the tensors that float64 routes make of a jet with errors.

    What the jet's errors do to the tensors is found by doing it; the way from the jet to a tensor adds a few κ ε of
    its `scales`, κ being the `condition_number`.
    """
    carried = perturbed(lambda *j: _flat(textbook(Jet(*j))), jet, errors)
    unit, own = MARGIN * MP_EPS * condition_number(jet, point), scales(jet)
    out, at = {}, 0
    for name, value in textbook(jet).items():
        out[name] = carried[at : at + value.size].reshape(value.shape) + unit * own[name]
        at += value.size
    return out


def _flat(tensors: Mapping[str, Array]) -> Array:
    return np.concatenate([tensor.ravel() for tensor in tensors.values()])


def condition_number(jet: Jet, point: Sequence[Real]) -> Real:
    """Condition number ‖ |g⁻¹| (|g| + Σ_k |x_k ∂_k g|) ‖ in the maximum norm.

    By that an inverse magnifies relative errors of g and of the coordinates x.
    """
    size = abs(jet.g) + abs(jet.dg) @ np.array([abs(v) for v in point], dtype=object)
    return (abs(inverse(jet.g)) @ size).sum(axis=1).max()


def scales(jet: Jet) -> dict[str, Real]:
    """Largest component of each tensor when every term of its definition is taken positive: the size of what cancels.

    Terms are taken in a frame that is orthonormal at the point.
    """
    frame, back = _frame(jet.g)
    dg = np.abs(_contracted("abc,ai,bj,ck->ijk", jet.dg, back, back, back))
    ddg = np.abs(_contracted("abcd,ai,bj,ck,dl->ijkl", jet.ddg, back, back, back, back))
    gamma = _first_kind(dg, 1).transpose(2, 0, 1)
    dgamma = _first_kind(ddg, 1).transpose(2, 0, 1, 3) + np.einsum("iml,mjk->ijkl", dg, gamma)
    half = dgamma.transpose(0, 1, 3, 2) + np.einsum("imk,mjl->ijkl", gamma, gamma)
    curvature = half + half.transpose(0, 1, 3, 2)
    contracted = np.einsum("ijil->jl", curvature)
    up, down = np.abs(back), np.abs(frame)
    return {
        "christoffel": _contracted("ai,ijk,jb,kc->abc", up, gamma, down, down).max(),
        "riemann": _contracted("ai,ijkl,jb,kc,ld->abcd", up, curvature, down, down, down).max(),
        "ricci": (down.T @ contracted @ down).max(),
        "ricci_scalar": np.trace(contracted),
    }


def _frame(g: Array) -> tuple[Array, Array]:
    """Matrices E and E⁻¹ with g = Eᵀ diag(±1) E."""
    values, vectors = mpmath.eigsy(mpmath.matrix(g.tolist()))
    root = mpmath.diag([mpmath.sqrt(abs(v)) for v in values])
    return tuple(np.array(m.tolist(), dtype=object) for m in (root * vectors.T, vectors * root**-1))  # type: ignore[return-value]
