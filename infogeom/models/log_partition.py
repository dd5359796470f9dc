"""Exponential families from their log-partition function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sympy
from sympy import Expr, ImmutableMatrix, Symbol

from infogeom.arguments import as_expression
from infogeom.functions.exponential_sums import by_log_sum_exp
from infogeom.functions.polylogarithm import of_exponentials
from infogeom.models.combine import reparametrise
from infogeom.models.model import Model, Structure
from infogeom.models.parameter import Parameter, parameters_of

__all__ = ["KnownHessian", "LogPartition", "exponential_family", "natural_family"]

#: Terms up to which the logarithm of a sum of exponentials is left as it is typed.
MOST_LOGARITHMS = 16


@dataclass(frozen=True)
class LogPartition(Structure):
    """An exponential family in natural parameters, with its log-partition function ψ."""

    psi: Expr


@dataclass(frozen=True)
class KnownHessian(LogPartition):
    """An exponential family whose ∂∂ψ is known in a writing that keeps its digits, as that of ψ itself may not.

    Attributes
    ----------
    hessian : ImmutableMatrix
    ricci_scalar : Expr, optional
    per : str
        What ψ is per, of an infinite system.
    """

    hessian: ImmutableMatrix
    ricci_scalar: Expr | None = None
    per: str = ""


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
    psi = by_log_sum_exp(of_exponentials(as_expression("log_partition", log_partition)), MOST_LOGARITHMS + 1)
    declared = parameters_of("natural_parameters", natural_parameters)
    if absent := [p.name for p in declared if p.symbol not in psi.free_symbols]:
        raise ValueError(f"log_partition must hold every natural parameter, got {psi} without {absent}")
    law = natural_family(name, declared, LogPartition(psi))
    return law if reparametrisation is None else reparametrise(law, reparametrisation, parameters)


def natural_family(name: str, parameters: Sequence[Parameter], known: LogPartition, source: str = "") -> Model:
    """Model with density exp(Σ_i θ_i t_i − ψ(θ)), by what is known of ψ."""
    statistics = tuple(Symbol(f"t_{k + 1}", real=True) for k in range(len(parameters)))
    linear = sympy.Add(*(p.symbol * t for p, t in zip(parameters, statistics, strict=True)))
    return Model(name, parameters, linear - known.psi, statistics, None, structure=known, source=source)
