"""The jet of a metric that is made of others by the chain rule on theirs, in numbers of any precision.

It shares nothing with the closed form of the whole: neither Jᵀ g J nor what SymPy made of it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray
from sympy import Expr, Symbol

from infogeom.kernels.curvature.jet import Jet
from infogeom.models.model import Model
from infogeom.numeric.multiprecision import in_mpmath
from infogeom.symbolic import CumulantsAtPoint, MeanAndCovariance, Metric
from infogeom.symbolic.structures.rules import rules_of
from infogeom.verification.gibbs import other_ways
from infogeom.verification.normal_law import by_matrices
from infogeom.verification.reference import Point, Reference, ReferenceJet, by_closed_form, by_definition

__all__ = ["by_parts", "reference"]

Array = NDArray[Any]


def reference(metric: Metric, model: Model | None) -> Reference:
    """Jets by the closed form where there is one, else by the definition, else by those of the parts.

    Raises
    ------
    TypeError, ValueError
        Where there is none of them, saying why.
    """
    if metric.written_out is not None:
        return by_closed_form(metric.written_out)
    if isinstance(metric.form, CumulantsAtPoint):
        ways = other_ways(metric.form.structure)
        if not ways:
            raise ValueError(f"{metric.form.told} cannot be verified: no other way to its cumulants is known")
        return ways[0].jet
    if isinstance(metric.form, MeanAndCovariance):
        return by_matrices(metric)
    try:
        if model:
            return by_definition(model)
    except NotImplementedError as error:
        definition = str(error)
    parts = by_parts(metric, model, open_too=True)
    if parts:
        return parts
    if model is None:
        raise TypeError("model_or_metric must be the Model where the metric has no closed form")
    raise ValueError(
        f"model {model.name!r} cannot be verified: its metric has no closed form, its definition takes {definition}"
    )


def by_parts(metric: Metric, model: Model | None, *, open_too: bool = False) -> Reference | None:
    """Jets by those of the parts that the metric, or its model, is made of.

    None where it is made of none, or of one that has no closed form, or, with ``open_too``, no definition either.
    """
    rules = rules_of(model) if model else None
    models = rules.parts if rules else ()
    form = rules.form_of_parts() if rules and models else metric.form
    terms = form.terms(metric.coordinates)
    jets, maps = [], []
    for k, term in enumerate(terms):
        part = Metric([*term.old], term.form)
        if part.written_out is None and not open_too:
            return None
        try:
            jets.append(reference(part, models[k] if models else None))
        except (TypeError, ValueError):
            return None
        maps.append(_map(list(term.old.values()), metric.coordinates))

    def jet(point: Point) -> ReferenceJet:
        found = [_pulled_back(part, map_(point)) for part, map_ in zip(jets, maps, strict=True)]
        numbers = [mpmath.mpf(number) for number, _, _ in terms]
        which = []
        for of_terms in zip(*found, strict=True):  # values, sizes, errors
            tensors = [sum(map(operator.mul, numbers, of_term)) for of_term in zip(*of_terms, strict=True)]
            which.append(Jet(*tensors))
        return ReferenceJet(*which)

    return jet if terms else None


def _map(old: Sequence[Expr], new: Sequence[Symbol]) -> Callable[[Point], list[Array]]:
    """Function from new coordinates to the old ones and their derivatives of first to third order."""
    orders = [list(old)]
    for _ in range(3):
        orders.append([e.diff(c) for e in orders[-1] for c in new])
    values = in_mpmath(new, [e for order in orders for e in order])

    def tensors(point: Point) -> list[Array]:
        found, out = list(values(*map(mpmath.mpf, point))), []
        for rank, order in enumerate(orders):
            out.append(np.array(found[: len(order)], dtype=object).reshape(len(old), *(len(new),) * rank))
            del found[: len(order)]
        return out

    return tensors


def _pulled_back(part: Reference, map_: Sequence[Array]) -> ReferenceJet:
    """Jᵀ g J and its derivatives; sizes and errors as what the magnitudes of the map make of them."""
    theta, *along = map_
    found, sizes = part(tuple(theta)), [abs(tensor) for tensor in along]
    value = _chain_rule(found.value, *along)
    return ReferenceJet(value, _chain_rule(found.sizes, *sizes), _chain_rule(found.errors, *sizes))


def _chain_rule(jet: Jet, J: Array, H: Array, K: Array) -> Jet:
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
