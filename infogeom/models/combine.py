"""Models made of others: products, independent copies, other coordinates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sympy
from sympy import Expr, Symbol

from infogeom import precision
from infogeom.arguments import as_expression, by_name, check_count
from infogeom.functions import stable
from infogeom.functions.normal import by_normal_cdf
from infogeom.models.model import Model, Number, Structure
from infogeom.models.parameter import Parameter, parameters_of

__all__ = ["Product", "Reparametrisation", "Replicas", "copies_of", "product", "reparametrise", "replicate"]


@dataclass(frozen=True)
class Product(Structure):
    """Independent observations of several models, their parameters one after another."""

    parts: tuple[Model, ...] = ()

    def parts_at(self, model: Model, number: Number) -> list[tuple[Model, dict[Symbol, float]]]:
        """Each of the parts, at its parameters."""
        return [(part, {p.symbol: number(p.symbol) for p in part.parameters}) for part in self.parts_in(model)]

    def parts_in(self, whole: Model) -> list[Model]:
        """The parts with the constants of the whole, which `dataclasses.replace` may have given others."""
        found = []
        for k, part in enumerate(self.parts, 1):
            names = {symbol: _beside(symbol, k) for symbol in part.constants}
            found.append(_part_in(whole, part, names))
        return found


@dataclass(frozen=True)
class Replicas(Structure):
    """Independent observations of one model."""

    model: Model
    number: Expr

    @property
    def copies(self) -> Expr:
        """So many times what the model stands for."""
        return self.number * copies_of(self.model)

    def part_in(self, whole: Model) -> Model:
        """The model with the constants of the whole, which `dataclasses.replace` may have given others."""
        return _part_in(whole, self.model, {})


@dataclass(frozen=True)
class Reparametrisation(Structure):
    """A model in other coordinates: the old ones in order, as functions of the new."""

    model: Model
    old: tuple[Expr, ...]

    @property
    def copies(self) -> Expr:
        """What the model stands for."""
        return copies_of(self.model)

    @property
    def fisher(self) -> str:  # type: ignore[override]  # that of others is given
        """That of the model."""
        return self.model.fisher

    def parts_at(self, model: Model, number: Number) -> list[tuple[Model, dict[Symbol, float]]]:
        """The model at its old coordinates."""
        point = {p.symbol: number(e) for p, e in zip(self.model.parameters, self.old, strict=True)}
        return [(self.part_in(model), point)]

    def part_in(self, whole: Model) -> Model:
        """The model with the constants of the whole, which `dataclasses.replace` may have given others."""
        return _part_in(whole, self.model, {})


def _part_in(whole: Model, part: Model, names: Mapping[Symbol, Symbol]) -> Model:
    """The part itself where its constants are those of the whole; ``names``: what the whole calls them."""
    known = {}
    for symbol, value in part.constants.items():
        known[symbol] = whole.constants.get(names.get(symbol, symbol), value).subs(whole.constants)
    return part if known == part.constants else replace(part, constants=known)


def product(*models: Model, name: str | None = None) -> Model:
    """Independent observations of several models: metrics stand in blocks, R adds.

    Parameters
    ----------
    *models : Model
        At least two, with different parameter names; at most one of them on data.
    name : str, optional

    Raises
    ------
    TypeError, ValueError
        For fewer than two models, repeated parameter names (`reparametrise` renames), or several models on data.

    Examples
    --------
    >>> import infogeom as ig
    >>> both = ig.models.product(ig.models.normal(), ig.models.binomial(7))
    >>> ig.symbolic.metric(both).matrix.tolist()
    [[sigma**(-2), 0, 0], [0, 2/sigma**2, 0], [0, 0, 7/(p*(1 - p))]]
    """
    for model in models:
        _check_model("product", model)
    if len(models) < 2:
        raise ValueError(f"product needs at least two models, got {len(models)}")
    names = [p.name for model in models for p in model.parameters]
    repeated = sorted({n for n in names if names.count(n) > 1})
    if repeated:
        raise ValueError(f"product: parameter names must differ, got {repeated} twice; reparametrise renames them")
    on_data = [model.name for model in models if model.samples]
    if len(on_data) > 1:
        raise ValueError(f"product: at most one of the models may be on data, got {on_data}")

    # Each part goes by symbols of its own.
    parts: list[Model] = []
    constants: dict[Symbol, Expr] = {}
    change_of_variable: dict[Symbol, Expr] = {}
    for k, model in enumerate(models, 1):
        own = [*model.variables, *model.change_of_variable]
        part = numbered(model, k, [*own, *model.constants])
        constants |= part.constants
        change_of_variable |= part.change_of_variable
        parts.append(part)
    parameters = [p for model in models for p in model.parameters]
    densities = [part.log_density for part in parts]
    variables = [v for part in parts for v in part.variables]
    supports = [s for part in parts for s in part.supports]
    without_measure = any(part.variables and not part.supports for part in parts)
    support = None if without_measure else tuple(supports)
    constraints = [c for part in parts for c in part.constraints]

    # What is known of data is known of the one part that has them.
    data = next((model for model in models if model.samples), None)
    of_data: dict[str, Any] = {}
    if data:
        of_data = {"samples": data.samples, "observables": data.observables, "network": data.network}
    together = " × ".join(model.name for model in models)
    return Model(
        name or together,
        parameters,
        sympy.Add(*densities),
        tuple(variables),
        support,
        constants=constants,
        change_of_variable=change_of_variable,
        constraints=constraints,
        structure=Product(tuple(models)),
        **of_data,
    )


def numbered(model: Model, k: int, symbols: Iterable[Symbol]) -> Model:
    """The k-th of several models, symbols of its own renamed."""
    return with_own(model, {s: _beside(s, k) for s in symbols})


def _beside(symbol: Symbol, k: int) -> Symbol:
    """What a symbol of the k-th model is called beside the others."""
    return symbol.func(f"{symbol.name}_{k}", **symbol.assumptions0)


def with_own(model: Model, names: Mapping[Symbol, Symbol]) -> Model:
    """Model with other symbols for some of its parameters, variables, observed symbols and constants."""

    def renamed(e: Any) -> Any:
        return e.xreplace(names)

    parameters = [replace(p, symbol=renamed(p.symbol)) for p in model.parameters]
    constants = {renamed(symbol): value for symbol, value in model.constants.items()}
    change_of_variable = {renamed(x): renamed(e) for x, e in model.change_of_variable.items()}
    return replace(
        model,
        parameters=parameters,
        log_density=renamed(model.log_density),
        variable=_each(model.variable, renamed),
        support=_each(model.support, renamed),
        constants=constants,
        change_of_variable=change_of_variable,
        constraints=[renamed(c) for c in model.constraints],
    )


def _each(given: Any, change: Callable[[Any], Any]) -> Any:
    """The variable, the several of them, or none, each changed; supports likewise."""
    if given is None:
        return None
    return tuple(map(change, given)) if isinstance(given, tuple) else change(given)


def replicate(model: Model, n: int | Symbol) -> Model:
    """``n`` independent observations of a model: g → n g, R → R/n, Γ unchanged (Eq. 3.1.3, a sum).

    Parameters
    ----------
    model : Model
        Not on data: a network's metric is a mean over its samples.
    n : int or sympy.Symbol
        At least 1; a symbol stays in the closed form.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, the rule and the value.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.symbolic.metric(ig.models.replicate(ig.models.normal(), 5)).matrix.tolist()
    [[5/sigma**2, 0], [0, 10/sigma**2]]
    """
    _check_model("replicate", model)
    if model.samples:
        raise ValueError(f"replicate: the metric of {model.name!r} is a mean over its data, which copies do not change")
    known = {n: n} if isinstance(n, Symbol) else {}
    if not known:
        check_count("n", n)
    constants = {**model.constants, **known}
    return replace(model, name=f"{n} × {model.name}", structure=Replicas(model, sympy.sympify(n)), constants=constants)


def copies_of(model: Model) -> Expr:
    """How many independent observations of its log-density a model stands for, whatever it was made of in between."""
    return model.structure.copies if model.structure else sympy.S.One


def reparametrise(
    model: Model,
    old: Mapping[Symbol | str, Any],
    parameters: Sequence[Parameter | Symbol] | None = None,
    *,
    name: str | None = None,
) -> Model:
    """A model in other coordinates θ′: g′ = Jᵀ g J with J = ∂θ/∂θ′; R, a function on the manifold, stays.

    Fewer new coordinates than old ones describe a submodel.

    Parameters
    ----------
    model : Model
    old : mapping of Symbol or str to expression
        Parameters that change, as functions of the new ones; the others stay.
    parameters : sequence of Parameter or Symbol, optional
        All the new ones, in order. When omitted, those that stay keep their place, and each new symbol stands where
        the first expression that it occurs in did, with the domain of its assumptions.
    name : str, optional

    Raises
    ------
    TypeError, ValueError
        For unknown or undeclared symbols, or new coordinates that do not change the law in some direction anywhere.

    Examples
    --------
    >>> import sympy, infogeom as ig
    >>> variance = sympy.Symbol("variance", positive=True)
    >>> law = ig.models.reparametrise(ig.models.normal(), {"sigma": sympy.sqrt(variance)})
    >>> ig.symbolic.metric(law).matrix.tolist()
    [[1/variance, 0], [0, 1/(2*variance**2)]]
    """
    _check_model("reparametrise", model)
    if not isinstance(old, Mapping):
        raise TypeError(f"old must map parameters to expressions, got {old!r}")
    known = {p.name: p for p in model.parameters}
    read = {str(key): as_expression(f"old[{str(key)!r}]", e) for key, e in by_name("old", old).items()}
    given = {key: by_normal_cdf(e) for key, e in read.items()}
    unknown = sorted(given.keys() - known.keys())
    if unknown:
        raise ValueError(f"old must name parameters of {model.name!r}, {list(known)}, got {unknown}")
    expressions = {p.symbol: given.get(p.name, p.symbol) for p in model.parameters}
    new = _new_parameters(expressions, known, parameters)
    if not new:
        raise ValueError(f"old must leave at least one parameter of {model.name!r}, got numbers for all of them")
    symbols = [p.symbol for p in new]
    found = sympy.Tuple(*expressions.values()).free_symbols
    undeclared = sorted(s.name for s in found - {*symbols})
    if undeclared:
        raise ValueError(f"old may hold the new parameters {[s.name for s in symbols]} only, got {undeclared}")
    _check_immersion(model, sympy.Matrix(list(expressions.values())), new)
    network = model.network
    if network:
        network = replace(network, output=network.output.subs(expressions, simultaneous=True))
    return Model(
        name or model.name,
        new,
        model.log_density.subs(expressions, simultaneous=True),
        model.variable,
        model.support,
        constants=model.constants,
        samples=model.samples,
        observables={key: _in_others(e, expressions, symbols) for key, e in model.observables.items()},
        network=network,
        change_of_variable={x: e.subs(expressions, simultaneous=True) for x, e in model.change_of_variable.items()},
        constraints=pulled_back(model, expressions, new),
        structure=Reparametrisation(model, tuple(expressions.values())),
        budget=model.budget,
    )


def _in_others(observable: Any, old: Mapping[Symbol, Expr], new: Sequence[Symbol]) -> Any:
    """An observable in other coordinates: of a covector its components there, Jᵀ of those in the old."""
    there = observable.subs(old, simultaneous=True)
    if not isinstance(there, sympy.MatrixBase):
        return there
    return sympy.Matrix(list(old.values())).jacobian(new).T * there


def _new_parameters(
    expressions: Mapping[Symbol, Expr], known: Mapping[str, Parameter], given: Sequence[Parameter | Symbol] | None
) -> list[Parameter]:
    if given is not None:
        return parameters_of("parameters", given)
    stay = {p.symbol: p for p in known.values()}
    found = [s for e in expressions.values() for s in sorted(e.free_symbols, key=lambda s: s.name)]
    return [stay[s] if s in stay else Parameter(s) for s in dict.fromkeys(found)]


def pulled_back(model: Model, old: Mapping[Symbol, Expr], new: Sequence[Parameter]) -> list[Expr]:
    """What must be positive for a point to lie in the domain of a model whose parameters are functions of new ones."""
    stay = {p.symbol: p.domain for p in new}
    found = [c.subs(old, simultaneous=True) for c in model.constraints]
    for p in model.parameters:
        value, domain = old[p.symbol], p.domain
        if stay.get(value) != domain:
            found += [value - domain.start] if domain.start.is_finite else []
            found += [domain.end - value] if domain.end.is_finite else []
    return [c for c in map(stable, found) if not c.is_positive]


def _check_immersion(model: Model, old: sympy.Matrix, new: Sequence[Parameter]) -> None:
    """Raise where the Jacobian has a null direction everywhere: at two points of the new typical ranges."""
    jacobian, directions = old.jacobian([p.symbol for p in new]), []
    for share in (sympy.Rational(2, 7), sympy.Rational(5, 9)):
        at = {p.symbol: sympy.Rational(p.typical[0]) * (1 - share) + sympy.Rational(p.typical[1]) * share for p in new}
        with precision.held():
            found = np.array(jacobian.subs(at).evalf(), dtype=complex)
        if not (np.isfinite(found) & (found.imag == 0)).all():
            where = ", ".join(f"{symbol} = {float(value):.4g}" for symbol, value in at.items())
            raise ValueError(f"reparametrise: the map of {model.name!r} has no real derivative at {where}")
        found = found.real
        _, singular, right = np.linalg.svd(found)
        if len(singular) < len(new) or singular[-1] <= 1e-12 * singular[0]:
            directions.append(right[-1])
    if len(directions) == 2:
        direction = ", ".join(f"{p.name}: {c:.4g}" for p, c in zip(new, directions[0], strict=True))
        raise ValueError(
            f"reparametrise: the new parameters are redundant, the law does not change in the direction ({direction})"
        )


def _check_model(name: str, model: Model) -> None:
    if not isinstance(model, Model):
        raise TypeError(f"{name} takes models, got {model!r}")
    if model.structure and model.structure.values_only:
        raise TypeError(f"{name} cannot take {model.name!r}: {model.structure.values_only}")
