"""Models from a log-density that the user types, or that SymPy knows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import sympy
import sympy.stats
from sympy import Expr, Set, Symbol
from sympy.stats.rv import RandomSymbol, SinglePSpace

from infogeom.arguments import as_expression, exact, sequence_of
from infogeom.functions import stable
from infogeom.models.model import Model
from infogeom.models.parameter import Parameter, parameters_of
from infogeom.models.typed import STABLE_LOGARITHMS, Typed, of_even_order

__all__ = ["from_density", "from_sympy_stats", "location_scale"]


def from_density(
    log_density: Expr,
    variable: Symbol,
    parameters: Sequence[Parameter | Symbol],
    support: Set,
    *,
    constants: Mapping[Symbol, Expr] | Sequence[Symbol] = (),
    name: str = "density",
) -> Model:
    """Model with a given log-density.

    Parameters
    ----------
    log_density : sympy.Expr
        log p(x | θ), normalised; floats in it are read as the decimal fractions that they print as.
    variable : sympy.Symbol
        The x of it.
    parameters : sequence of Parameter or Symbol
        In order. The domain of a bare symbol is (0, ∞) if it is positive, else the real line.
    support : sympy.Set
        Interval, Range or FiniteSet of x, not dependent on the parameters.
    constants : sequence of Symbol, or mapping of Symbol to number, optional
        Further symbols that the law holds: they stay in the closed form, and `Metric.with_constants` gives them
        numbers. Those with a number have it from the start.
    name : str
        What tables and figures call the model.

    Raises
    ------
    TypeError, ValueError
        For an undeclared symbol, a parameter that does not occur, or a support that depends on a parameter.
        Whether the expectations close is found out by `infogeom.symbolic.metric`.

    Examples
    --------
    >>> import sympy, infogeom
    >>> x, rate = sympy.symbols("x rate", positive=True)
    >>> law = infogeom.models.from_density(sympy.log(rate) - rate * x, x, [rate], sympy.Interval(0, sympy.oo))
    >>> infogeom.symbolic.metric(law).matrix
    Matrix([[rate**(-2)]])
    """
    if not isinstance(variable, Symbol):
        raise TypeError(f"variable must be a sympy Symbol, got {variable!r}")
    if not isinstance(support, Set):
        raise TypeError(f"support must be a sympy Set, got {support!r}")
    log_p, variable = as_expression("log_density", log_density), exact(variable)
    declared = parameters_of("parameters", parameters)
    if variable in {p.symbol for p in declared}:
        raise ValueError(f"variable {variable} must not be a parameter as well")
    if log_p.has(sympy.Sum, sympy.Integral, sympy.Product):
        raise ValueError(f"log_density must be written without sums and integrals, got {log_p}")
    known = _constants_of(constants)
    typed = Typed(variable, support, declared, known)
    return Model(name, declared, stable(typed.read(log_p)), typed.variable, support, constants=known)


def _constants_of(given: Mapping[Symbol, Expr] | Sequence[Symbol]) -> dict[Symbol, Expr]:
    """Constants with their values, those without a number standing for themselves."""
    symbols = sequence_of("constants", list(given) if isinstance(given, Mapping) else given, Symbol)
    if isinstance(given, Mapping):
        return {symbol: as_expression(f"constants[{symbol}]", given[symbol]) for symbol in symbols}
    return {symbol: symbol for symbol in symbols}


def from_sympy_stats(
    random_variable: Expr, parameters: Sequence[Parameter | Symbol], *, name: str | None = None
) -> Model:
    """Model of a random variable of `sympy.stats`.

    Parameters
    ----------
    random_variable : RandomSymbol
        ``sympy.stats.Gamma("x", k, theta)``, ``sympy.stats.Poisson("n", rate)``, … with symbols for its parameters.
    parameters : sequence of Parameter or Symbol
        In order.
    name : str, optional
        Of the variable when omitted.

    Raises
    ------
    TypeError, ValueError
        When it is no random variable, or for what `from_density` refuses.

    Examples
    --------
    >>> import sympy, infogeom as ig
    >>> from sympy.stats import Exponential
    >>> rate = sympy.Symbol("rate", positive=True)
    >>> law = ig.models.from_sympy_stats(Exponential("x", rate), [rate])
    >>> ig.symbolic.metric(law).matrix.tolist()
    [[rate**(-2)]]
    """
    if not isinstance(random_variable, RandomSymbol):
        raise TypeError(f"random_variable must come from sympy.stats, got {random_variable!r}")
    if not isinstance(random_variable.pspace, SinglePSpace):
        raise ValueError(f"random_variable must be of one dimension, got {random_variable!r}")
    support = random_variable.pspace.domain.set
    support = sympy.S.Reals if support == sympy.Interval(-sympy.oo, sympy.oo) else support
    if isinstance(support, sympy.Interval):
        x = Symbol(random_variable.name, real=True, positive=support.start.is_nonnegative or None)
    else:  # declared an integer, SymPy would write log Γ(x) as log(Γ(x)), which overflows
        x = Symbol(random_variable.name, real=True, nonnegative=support.inf.is_nonnegative or None)
    if not isinstance(support, sympy.FiniteSet):
        density = _one_piece(sympy.stats.density(random_variable)(x))
        log_p = _logarithm(of_even_order(density, x) if support.is_subset(sympy.S.Integers) else density)
    elif all(outcome.is_number for outcome in support):
        log_p = _of_outcomes(random_variable.pspace.distribution, x)
    else:
        raise ValueError(f"random_variable must take numbers, got {support}")
    return from_density(log_p, x, parameters, support, name=name or random_variable.name)


def _of_outcomes(distribution: Any, x: Symbol) -> Expr:
    """Log-probability of finitely many outcomes: SymPy's formula where it has one without cases."""
    formula = _one_piece(sympy.sympify(distribution.pmf(x)))
    if isinstance(formula, Expr) and not formula.has(sympy.Piecewise):
        return _logarithm(formula)
    return _over_outcomes(distribution.dict, x)


def _one_piece(density: Expr) -> Expr:
    """Density without the piece that is 0 beyond its support, where it has one other."""

    def single(e: sympy.Piecewise) -> Expr:
        pieces = [piece for piece in e.args if piece.expr != 0]
        return pieces[0].expr if len(pieces) == 1 else e

    return density.replace(lambda e: isinstance(e, sympy.Piecewise), single)


def _logarithm(density: Expr) -> Expr:
    if density.has(sympy.Piecewise):
        pieces = sympy.piecewise_fold(density).args
        logarithms = [(_logarithm(e) if e != 0 else -sympy.oo, where) for e, where in pieces]
        return sympy.Piecewise(*logarithms)
    for function, logarithm in STABLE_LOGARITHMS.items():
        density = density.replace(function, _exponential_of(logarithm))
    return sympy.expand_log(sympy.log(density), force=True)


def _exponential_of(logarithm: Callable[..., Expr]) -> Callable[..., Expr]:
    def value(*arguments: Expr) -> Expr:
        return sympy.exp(logarithm(*arguments))

    return value


def _over_outcomes(probabilities: Mapping[Expr, Expr], x: Symbol) -> Expr:
    """Polynomial that is log p at each outcome."""
    terms = [sympy.log(p) * _indicator(x, k, probabilities) for k, p in probabilities.items()]
    return sympy.Add(*terms)


def _indicator(x: Symbol, k: Expr, outcomes: Iterable[Expr]) -> Expr:
    """Polynomial that is 1 at one of the outcomes and 0 at the others."""
    factors = [(x - other) / (k - other) for other in outcomes if other != k]
    return sympy.expand(sympy.Mul(*factors))


def location_scale(log_density: Expr, *, support: Set = sympy.S.Reals, name: str = "location–scale family") -> Model:
    """Location–scale family (x − μ)/σ = z of a standard law: g = [[a, b], [b, c]]/σ² and R = −2a/(ac − b²).

    Parameters
    ----------
    log_density : sympy.Expr
        Of z, its only symbol; normalised.
    support : sympy.Set
        Of z: the real line, for which location and scale are both regular.
    name : str

    Returns
    -------
    Model
        With parameters mu and sigma.

    Raises
    ------
    TypeError, ValueError
        When the log-density does not hold exactly one symbol, or the support is not the line.

    Examples
    --------
    >>> import sympy, infogeom as ig
    >>> z = sympy.Symbol("z", real=True)
    >>> logistic = ig.models.location_scale(-z - 2 * sympy.log(1 + sympy.exp(-z)))
    >>> ig.symbolic.metric(logistic).matrix.tolist()
    [[1/(3*sigma**2), 0], [0, (3 + pi**2)/(9*sigma**2)]]
    """
    log_p = as_expression("log_density", log_density)
    if len(log_p.free_symbols) != 1:
        raise ValueError(f"log_density must be an expression of one symbol, z, got {log_density!r}")
    if support != sympy.S.Reals:
        raise ValueError(f"support must be the real line, since an end would move with mu and sigma, got {support}")
    x, mu, sigma = Symbol("x", real=True), Symbol("mu", real=True), Symbol("sigma", positive=True)
    (z,) = log_p.free_symbols
    return from_density(log_p.subs(z, (x - mu) / sigma) - sympy.log(sigma), x, [mu, sigma], support, name=name)
