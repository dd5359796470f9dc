"""The jet of a model that is made of others by the chain rule on theirs, in numbers of any precision.

It shares nothing with the closed form of the whole: neither Jᵀ g J nor what SymPy made of it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import singledispatch
from typing import Any

import mpmath
import numpy as np
import sympy
from numpy.typing import NDArray

from infogeom.kernels.curvature.jet import Jet
from infogeom.kernels.curvature.textbook import closed_form
from infogeom.models.combine import Product, Reparametrisation, Replicas
from infogeom.models.model import Model
from infogeom.numeric.multiprecision import in_mpmath
from infogeom.symbolic.fisher import numeric_metric

__all__ = ["by_parts"]

Array = NDArray[Any]
Point = tuple[Any, ...]
JetAt = Callable[[Point], Jet]


def by_parts(model: Model) -> JetAt | None:
    """Function from a point to the jet; None for a model that is not made of others with closed forms."""
    return _by_parts(model.structure, model)


def _whole(model: Model) -> JetAt | None:
    """The jet of a part by its closed form."""
    metric = numeric_metric(model)
    if metric.matrix is None:
        return None
    both = closed_form(metric)
    return lambda point: both(point)[0]


@singledispatch
def _by_parts(_: object, model: Model) -> JetAt | None:  # noqa: ARG001
    return None


@_by_parts.register
def _by_product(structure: Product, model: Model) -> JetAt | None:
    parts = [_whole(part) for part in structure.parts_in(model)]
    sizes = [len(part.parameters) for part in structure.parts]
    if None in parts:
        return None
    n, ends = len(model.parameters), np.cumsum(sizes)

    def jet(point: Point) -> Jet:
        whole = [np.full((n,) * rank, mpmath.mpf(0), dtype=object) for rank in (2, 3, 4)]
        for part, size, end in zip(parts, sizes, ends, strict=True):
            assert part is not None
            own = range(end - size, end)
            jet_of_part = part(point[end - size : end])
            for tensor, found in zip(whole, jet_of_part, strict=True):
                tensor[np.ix_(*[own] * tensor.ndim)] = found
        return Jet(*whole)

    return jet


@_by_parts.register
def _by_replicas(structure: Replicas, model: Model) -> JetAt | None:
    part = _whole(structure.part_in(model))
    number = sympy.sympify(structure.number).subs(dict(model.constants))
    if part is None:
        return None

    def jet(point: Point) -> Jet:
        return Jet(*(int(number) * tensor for tensor in part(point)))

    return jet


@_by_parts.register
def _by_reparametrisation(structure: Reparametrisation, model: Model) -> JetAt | None:
    part, x = _whole(structure.part_in(model)), [p.symbol for p in model.parameters]
    if part is None:
        return None
    n, old = len(x), [e.subs(dict(model.constants)) for e in structure.old]
    orders = [old]
    for _ in range(3):
        orders.append([e.diff(c) for e in orders[-1] for c in x])
    values = in_mpmath(x, [e for order in orders for e in order])

    def jet(point: Point) -> Jet:
        found, tensors = list(values(*map(mpmath.mpf, point))), []
        for rank in range(4):
            size = len(old) * n**rank
            tensors.append(np.array(found[:size], dtype=object).reshape(len(old), *(n,) * rank))
            del found[:size]
        theta, *map_ = tensors
        return _pulled_back(part(tuple(theta)), *map_)

    return jet


def _pulled_back(jet: Jet, J: Array, H: Array, K: Array) -> Jet:
    """Jᵀ g J and its derivatives, by the product rule."""
    g, dg, ddg = jet
    along = np.einsum("ijk,kc->ijc", dg, J)
    twice = np.einsum("ijkl,kc,ld->ijcd", ddg, J, J) + np.einsum("ijk,kcd->ijcd", dg, H)
    half = np.einsum("ij,iac,jb->abc", g, H, J)
    first = np.einsum("ijc,ia,jb->abc", along, J, J) + half + half.transpose(1, 0, 2)
    mixed = np.einsum("ijc,iad,jb->abcd", along, H, J)
    mixed = mixed + mixed.transpose(0, 1, 3, 2)
    square = np.einsum("ij,iac,jbd->abcd", g, H, H)
    ends = mixed + np.einsum("ij,iacd,jb->abcd", g, K, J) + square
    second = np.einsum("ijcd,ia,jb->abcd", twice, J, J) + ends + ends.transpose(1, 0, 2, 3)
    return Jet(np.einsum("ij,ia,jb->ab", g, J, J), first, second)
