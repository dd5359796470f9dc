"""Mixtures of laws on one support."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy
from sympy import Expr, Symbol

from infogeom.arguments import sequence_of
from infogeom.functions import log_sum_exp
from infogeom.models.combine import copies_of, numbered, with_own
from infogeom.models.model import Model
from infogeom.models.parameter import Parameter

__all__ = ["mixture"]


def mixture(components: Sequence[Model], *, name: str = "mixture") -> Model:
    """Mixture Σ_k w_k p_k of laws on one support; its expectations are taken by quadrature or summation.

    Parameters
    ----------
    components : sequence of Model
        At least two, each of one variable. Parameters that carry the same name in several components are shared.
    name : str

    Returns
    -------
    Model
        With the parameters weight1 … weight(K−1), the last weight being what is left of 1, and then those of the
        components.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, the rule and the value.

    Examples
    --------
    >>> import sympy, infogeom as ig
    >>> x, *means = sympy.symbols("x first second", real=True)
    >>> half = sympy.log(2 * sympy.pi) / 2
    >>> peaks = [ig.models.from_density(-((x - m) ** 2) / 2 - half, x, [m], sympy.S.Reals) for m in means]
    >>> ig.models.mixture(peaks)
    <Model mixture: weight1, first, second>
    """
    given = _components(components)
    parameters: dict[str, Parameter] = {}
    for p in (p for model in given for p in model.parameters):
        parameters[p.name] = _narrowed(parameters.get(p.name, p), p)
    (variable,) = given[0].variables
    shared = [numbered(model, k, model.constants) for k, model in enumerate(given, 1)]
    shared = [_in_common(model, variable, parameters) for model in shared]

    # The last weight is what the others leave of 1.
    last = len(given) - 1
    shares = [Symbol(f"weight{k + 1}", positive=True) for k in range(last)]
    typical = 0.5 / (last + 1), 1 / (last + 1)
    weights = [Parameter(share, sympy.Interval.open(0, 1), typical) for share in shares]
    shares.append(1 - sympy.Add(*shares))

    terms: list[Expr] = []
    constants: dict[Symbol, Expr] = {}
    constraints: list[Expr] = []
    for share, model in zip(shares, shared, strict=True):
        terms.append(sympy.log(share) + model.log_density)
        constants |= model.constants
        constraints += model.constraints
    if last > 1:
        constraints.append(shares[-1])
    weights += parameters.values()
    return Model(
        name,
        weights,
        log_sum_exp(*terms),
        variable,
        shared[0].support,
        constants=constants,
        constraints=constraints,
        budget=0,
    )


def _components(components: Sequence[Model]) -> list[Model]:
    """Components of a mixture, which are of one kind and not the same."""
    given: list[Model] = sequence_of("components", components, Model)
    if len(given) < 2:
        raise ValueError(f"components must be at least two models, got {len(given)}")
    for model in given:
        if len(model.variables) != 1 or model.samples or model.change_of_variable or copies_of(model) != 1:
            raise ValueError(f"components must be laws of one observation of one variable, got {model!r}")
    support, *others = [model.supports[0].subs(model.constants) for model in given]
    if odd := [other for other in others if other != support]:
        raise ValueError(f"components must have one support, got {support} and {odd[0]}")
    parameters = {p.name: p for model in given for p in model.parameters}
    laws = [_in_common(model, given[0].variables[0], parameters) for model in given]
    different = {(law.log_density, *law.constants.items()) for law in laws}
    if len(different) < len(laws):
        raise ValueError(f"components must differ, got one twice in {[model.name for model in given]}")
    return given


def _narrowed(one: Parameter, other: Parameter) -> Parameter:
    """Parameter that lies where both may; typically where the first does, if the second may."""
    domain = one.domain.intersect(other.domain)
    if not isinstance(domain, sympy.Interval):
        raise ValueError(f"components share {one.name!r}, whose domains {one.domain} and {other.domain} do not meet")
    typical = next((p.typical for p in (one, other) if all(t in domain for t in p.typical)), None)
    return Parameter(one.symbol, domain, typical)  # type: ignore[arg-type]  # as the domain suggests


def _in_common(model: Model, variable: Symbol, parameters: Mapping[str, Parameter]) -> Model:
    """Model in a common variable and common parameters."""
    (own,) = model.variables
    names = {p.symbol: parameters[p.name].symbol for p in model.parameters}
    return with_own(model, names | {own: variable})
