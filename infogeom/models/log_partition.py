"""Exponential families from their log-partition function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sympy
from sympy import Expr, Symbol

from infogeom.arguments import as_expression
from infogeom.models.combine import reparametrise
from infogeom.models.model import Model, Structure
from infogeom.models.parameter import Parameter, parameters_of

__all__ = ["LogPartition", "exponential_family"]


@dataclass(frozen=True)
class LogPartition(Structure):
    """An exponential family in natural parameters, with its log-partition function ψ."""

    psi: Expr


def exponential_family(
    log_partition: Expr,
    natural_parameters: Sequence[Parameter | Symbol],
    *,
    reparametrisation: Mapping[Symbol | str, Any] | None = None,
    parameters: Sequence[Parameter | Symbol] | None = None,
    name: str = "exponential family",
) -> Model:
    """Exponential family exp(Σ_i θ_i t_i − ψ(θ)) with respect to some measure: g = ∂∂ψ, a Hessian metric.

    Parameters
    ----------
    log_partition : sympy.Expr
        ψ, strictly convex.
    natural_parameters : sequence of Parameter or Symbol
        θ, in order.
    reparametrisation : mapping, optional
        Natural parameters as functions of others, as for `reparametrise`.
    parameters : sequence of Parameter or Symbol, optional
        The others, in order.
    name : str

    Raises
    ------
    TypeError, ValueError
        For undeclared symbols. That ψ is convex is found out by `infogeom.symbolic.metric`.

    Examples
    --------
    Poisson laws, ψ = exp(θ), by their mean exp(θ):

    >>> import sympy, infogeom as ig
    >>> theta, mean = sympy.Symbol("theta", real=True), sympy.Symbol("mean", positive=True)
    >>> law = ig.models.exponential_family(sympy.exp(theta), [theta], reparametrisation={theta: sympy.log(mean)})
    >>> ig.symbolic.metric(law).matrix.tolist()
    [[1/mean]]
    """
    psi = as_expression("log_partition", log_partition)
    declared = parameters_of("natural_parameters", natural_parameters)
    if absent := [p.name for p in declared if p.symbol not in psi.free_symbols]:
        raise ValueError(f"log_partition must hold every natural parameter, got {psi} without {absent}")
    statistics = tuple(Symbol(f"t_{k + 1}", real=True) for k in range(len(declared)))
    linear = sympy.Add(*(p.symbol * t for p, t in zip(declared, statistics, strict=True)))
    law = Model(name, declared, linear - psi, statistics, None, structure=LogPartition(psi))
    return law if reparametrisation is None else reparametrise(law, reparametrisation, parameters)
