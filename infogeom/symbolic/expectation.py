"""Expectations under a law in closed form: for a Fisher metric those of the products of its scores.

The order of attack, each step exact:

1. location reduction: the density depends on x and θ through x − f(θ) alone, so that E[s sᵀ] = c ∇f ∇fᵀ;
2. score identities: E[∂_i ℓ] = 0 are linear equations for the expectations of the functions of x in ∂ℓ and −∂∂ℓ.
   Exponential families, in any coordinates, close here, without an integral;
3. pivots: a function of x and θ is gamma or beta prime distributed, see `infogeom.symbolic.pivots`;
4. finite sums over few outcomes;
5. SymPy's integrals.

All of this, but for short densities, whose first four steps take no longer than seconds, has a budget of time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import sympy
from sympy import Dummy, Expr, PoleError, Set, Symbol
from sympy.polys.polyerrors import BasePolynomialError

from infogeom.models.law import Law
from infogeom.numeric.worker import Worker, WorkerError
from infogeom.symbolic.normal_form import gamma_form, normal_form
from infogeom.symbolic.pivots import pivot_means

__all__ = ["ExpectationError", "LateExpectationError", "OpenExpectationError", "ScoredLaw", "moments"]

#: Outcomes up to which a sum over them is written out.
MAX_OUTCOMES = 4
#: Operations of an entry that somebody may still read, and kernels be made of.
MAX_READABLE = 150
#: The same of one that follows from score identities, which sums over outcomes do not cancel in.
MAX_FROM_SCORES = 300
#: Operations of a density up to which all but integrals is done at once, where a process would take longer to start.
MAX_AT_ONCE = 25
#: How SymPy's integrals fail.
FAILURES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    RuntimeError,
    TypeError,
    ValueError,
    BasePolynomialError,
    PoleError,
)


class ExpectationError(ValueError):
    """An expectation that did not close, or a derivation that its numerical definition contradicts.

    Examples
    --------
    >>> import infogeom as ig
    >>> try:
    ...     ig.symbolic.metric(ig.models.skew_normal())
    ... except ig.symbolic.ExpectationError:
    ...     print("only in numbers")
    only in numbers
    """


class OpenExpectationError(ExpectationError):
    """An expectation that did not close."""


class LateExpectationError(OpenExpectationError):
    """An expectation that did not close within its budget of time."""


@dataclass(frozen=True)
class ScoredLaw:
    """A law with its scores, and symbols that stand for these in terms.

    Attributes
    ----------
    law : Law
    coordinates : tuple of Symbol
        The parameters.
    scores : tuple of Expr
        ∂_i log p in terms of the law's variables.
    output : Expr or None
        Of a network.
    budget : float
        Seconds for all of SymPy's work, and as many for its integrals; 0 for a law whose expectations are known not to
        close.
    """

    law: Law
    coordinates: tuple[Symbol, ...]
    scores: tuple[Expr, ...]
    output: Expr | None = None
    budget: float = 5

    @cached_property
    def symbols(self) -> tuple[Dummy, ...]:
        """What stands for each score."""
        return tuple(Dummy(f"s{k}") for k in range(len(self.scores)))

    def written_out(self, term: Expr) -> Expr:
        """A term with the scores themselves."""
        return term.xreplace(dict(zip(self.symbols, self.scores, strict=True)))

    @property
    def is_short(self) -> bool:
        """Whether there is little that SymPy could be lost in; a network's expectations are those of its output."""
        return self.output is not None or self.law.log_density.count_ops() <= MAX_AT_ONCE

    @property
    def is_direct(self) -> bool:
        """Whether the scores are derivatives of the density of the variable, not of a function of it and θ."""
        return self.scores == tuple(self.law.log_density.diff(c) for c in self.coordinates)


def moments(scored: ScoredLaw, terms: Sequence[Expr]) -> tuple[list[Expr], str]:
    """Expectations of terms in closed form, and the name of the attack that closed them.

    Parameters
    ----------
    scored : ScoredLaw
    terms : sequence of Expr
        In the variables, the parameters and the symbols of the scores, polynomials in these.

    Raises
    ------
    OpenExpectationError
        Naming an expectation that did not close.
    """
    law = scored.law
    if scored.budget == 0:
        raise OpenExpectationError(f"the expectation E[∂log p ∂log p] of log p = {law.log_density} does not close")
    with Worker() as worker:
        try:
            found = _closed(scored, terms) if scored.is_short else worker.run(scored.budget, _closed, scored, terms)
        except (TimeoutError, WorkerError):
            told = f"did not close within {scored.budget:g} s"
            raise LateExpectationError(
                f"the expectation E[∂log p ∂log p] of log p = {law.log_density} {told}"
            ) from None
        except OpenExpectationError as error:
            # SymPy's integrals know one variable only.
            means = _integrals(scored, terms, worker) if len(law.variables) == 1 else None
            if means is None:
                raise error from None
            found = means, "integral"
    return found


def _closed(scored: ScoredLaw, terms: Sequence[Expr]) -> tuple[list[Expr], str]:
    """Expectations by all attacks but integrals."""
    if scored.is_direct:
        found = _location(scored, terms)
        if found is not None:
            return list(found), "location reduction"
        try:
            return _score_identities(scored, terms), "score identities"
        except OpenExpectationError as error:
            reason = error
    else:
        told = f"the expectation of products of the scores {list(scored.scores)} did not close"
        reason = OpenExpectationError(told)
    # These know one variable only.
    if len(scored.law.variables) == 1:
        for name, attack in (("pivot", _pivots), ("finite sum", _outcomes)):
            found = attack(scored, terms)
            if found is not None:
                return found, name
    raise reason


def _location(scored: ScoredLaw, terms: Sequence[Expr]) -> list[Expr] | None:
    """Means under a location family p(x − f(θ)) on the real line; None when the density is not one.

    With the residual r = x − f the scores are −∂_i f ∂_r log p, and what is left of a term is a function of r alone.
    """
    law = scored.law
    if law.supports != (sympy.S.Reals,):
        return None
    residual, slope, (variable,) = Dummy("r", real=True), Dummy("slope"), law.variables
    for f in [*scored.coordinates] if scored.output is None else [scored.output]:
        shifted = sympy.expand_mul(law.log_density.subs(variable, residual + f))
        if shifted.free_symbols <= {residual}:
            scores = [-f.diff(c) * slope for c in scored.coordinates]
            by_residual = {variable: residual + f, **dict(zip(scored.symbols, scores, strict=True))}
            return _means_of_residual(shifted, [t.xreplace(by_residual) for t in terms], residual, slope)
    return None


def _means_of_residual(log_p: Expr, terms: Sequence[Expr], residual: Symbol, slope: Symbol) -> list[Expr] | None:
    """Means of sums of products, whose other factors stay; ``slope`` is ∂_r log p. None if one stays open."""
    found: list[Expr] = []
    known: dict[Expr, Expr | None] = {}
    for term in terms:
        total = []
        for summand in sympy.Add.make_args(term):
            coefficient, function = summand.as_independent(residual, slope, as_Add=False)
            if function not in known:
                known[function] = _mean_of_residual(log_p, function, residual, slope)
            mean = known[function]
            if mean is None:
                return None
            total.append(mean * coefficient)
        found.append(sympy.Add(*total))
    return found


def _mean_of_residual(log_p: Expr, function: Expr, residual: Symbol, slope: Symbol) -> Expr | None:
    """∫ f(r, ∂_r ℓ) e^ℓ dr / ∫ e^ℓ dr, half line by half line; None if it stays open."""
    r = Dummy("r", positive=True)
    if function == 1:
        return sympy.Integer(1)
    if log_p.has(sympy.exp):  # SymPy's integrals of exp(−exp(r)) and the like do not come back
        return None
    mass, mean = sympy.Integer(0), sympy.Integer(0)
    for side in (1, -1):
        half = log_p.subs(residual, side * r)
        density, value = sympy.exp(half), function.xreplace({residual: side * r, slope: side * half.diff(r)})
        mass += sympy.integrate(density, (r, 0, sympy.oo), conds="none")
        mean += sympy.integrate(sympy.expand(value) * density, (r, 0, sympy.oo), conds="none")
    constant = sympy.gammasimp(mean / mass)
    return None if constant.has(sympy.Integral) or not constant.is_finite else constant


def _score_identities(scored: ScoredLaw, terms: Sequence[Expr]) -> list[Expr]:
    """Terms of up to two scores by E[s_i s_j] = −E[∂_i s_j] (Eq. 3.2.14), every mean solved for from E[s_i] = 0."""
    law, coordinates = scored.law, scored.coordinates
    _check_kinks(law, coordinates)
    density = sympy.expand_log(law.log_density)
    scores = [sympy.expand(density.diff(c)) for c in coordinates]

    # What is a function of the variables stands for an unknown number, its mean.
    unknown: dict[Expr, Dummy] = {}
    identities = [_expectation(s, law.variables, unknown) for s in scores]
    means = [_expectation(_without_scores(scored, t, scores), law.variables, unknown) for t in terms]
    solution = sympy.solve(identities, list(unknown.values()), dict=True) if unknown else []
    known = solution[0] if solution else {}

    found = [normal_form(mean.subs(known)) for mean in means]
    left = set().union(*(e.free_symbols for e in found))
    functions = {mean: f for f, mean in unknown.items()}
    for mean in sorted(left & functions.keys(), key=str):
        raise OpenExpectationError(
            f"the expectation E[{functions[mean]}] did not close: "
            f"the score identities of log p = {law.log_density} do not determine it"
        )
    if (longest := max(e.count_ops() for e in found)) > MAX_FROM_SCORES:
        raise OpenExpectationError(
            f"the expectation E[∂log p ∂log p] of log p = {law.log_density} closes in {longest} operations only"
        )
    return found


def _check_kinks(law: Law, coordinates: Sequence[Symbol]) -> None:
    """Raise where the density has a kink that moves."""
    kinks = law.log_density.atoms(sympy.Abs, sympy.sign, sympy.Piecewise, sympy.Heaviside, sympy.Max, sympy.Min)
    if any(kink.free_symbols & set(coordinates) for kink in kinks):
        raise OpenExpectationError(
            f"the expectation E[∂log p ∂log p] of log p = {law.log_density} did not close: log p has a kink that moves "
            "with a parameter, so that −E[∂∂log p] does not equal it, and the density is no location family"
        )


def _without_scores(scored: ScoredLaw, term: Expr, scores: Sequence[Expr]) -> Expr:
    """What has the same mean as a sum of products of up to two scores, ∂_i s_j for them; ``scores`` expanded."""
    total = []
    for summand in sympy.Add.make_args(term):
        coefficient, product = summand.as_independent(*scored.symbols, as_Add=False)
        powers = product.as_powers_dict()
        factors: list[int] = []
        for k, s in enumerate(scored.symbols):
            factors += [k] * int(powers.get(s, 0))
        if (factors and coefficient.free_symbols & set(scored.law.variables)) or len(factors) > 2:
            raise OpenExpectationError(
                f"the expectation E[{scored.written_out(summand)}] follows from no score identity"
            )
        if len(factors) == 2:
            first, second = factors
            total.append(-coefficient * sympy.expand(scores[second].diff(scored.coordinates[first])))
        elif not factors:
            total.append(coefficient)
    return sympy.expand(sympy.Add(*total))


def _expectation(expression: Expr, variables: Sequence[Symbol], unknown: dict[Expr, Dummy]) -> Expr:
    """Expectation of a sum of products, each function of the variables standing for its own unknown mean."""
    total = []
    for term in sympy.Add.make_args(expression):
        coefficient, function = term.as_independent(*variables, as_Add=False)
        if function != 1:
            coefficient *= unknown.setdefault(function, Dummy(f"m{len(unknown)}"))
        total.append(coefficient)
    return sympy.Add(*total)


def _pivots(scored: ScoredLaw, terms: Sequence[Expr]) -> list[Expr] | None:
    """By a function of the variable whose law is a gamma or a beta prime law."""
    (variable,), (support,) = scored.law.variables, scored.law.supports
    if not isinstance(support, sympy.Interval):
        return None
    functions = dict(zip(scored.symbols, scored.scores, strict=True))
    return pivot_means(scored.law.log_density, terms, functions, variable, support)


def _outcomes(scored: ScoredLaw, terms: Sequence[Expr]) -> list[Expr] | None:
    """Σ_x p(x) t(x) over few outcomes."""
    (variable,), (support,) = scored.law.variables, scored.law.supports
    if not _count(support) <= MAX_OUTCOMES:
        return None
    summands: list[list[Expr]] = [[] for _ in terms]
    for x in support:
        p = _exponential(scored.law.log_density.subs(variable, x))
        scores = [gamma_form(s.subs(variable, x)) for s in scored.scores]
        there = {variable: x, **dict(zip(scored.symbols, scores, strict=True))}
        for found, term in zip(summands, terms, strict=True):
            found.append(p * term.xreplace(there))
    means = [normal_form(sympy.Add(*found)) for found in summands]
    return means if max(e.count_ops() for e in means) <= MAX_READABLE else None


def _count(support: Set) -> float:
    """Number of outcomes, infinite where it is not known."""
    finite = isinstance(support, sympy.FiniteSet) or (isinstance(support, sympy.Range) and support.size.is_Integer)
    return len(support) if finite else float("inf")


def _exponential(e: Expr) -> Expr:
    """Exponential of a sum of logarithms as a product."""
    factors = []
    for term in sympy.Add.make_args(sympy.expand(e)):
        coefficient, f = term.as_coeff_Mul()
        known = {sympy.loggamma: sympy.gamma, sympy.log: lambda x: x}
        factors.append(known[type(f)](f.args[0]) ** coefficient if type(f) in known else sympy.exp(term))
    return gamma_form(sympy.Mul(*factors))


def _integrals(scored: ScoredLaw, terms: Sequence[Expr], worker: Worker) -> list[Expr] | None:
    """SymPy's integrals, in a process of their own that ends when the time does."""
    (variable,), (support,) = scored.law.variables, scored.law.supports
    density = scored.law.log_density
    if not isinstance(support, sympy.Interval) or density.has(sympy.Abs):
        return None
    integrands = tuple(scored.written_out(term) for term in terms)
    try:
        found: list[Expr] | None = worker.run(scored.budget, _integrated, density, integrands, variable, support)
    except (TimeoutError, WorkerError):
        return None
    return found


def _integrated(log_density: Expr, terms: Sequence[Expr], x: Symbol, support: sympy.Interval) -> list[Expr] | None:
    found, p = [], sympy.exp(log_density)
    for term in terms:
        try:
            value = sympy.integrate(sympy.expand(p * term), (x, support.start, support.end), conds="none")
        except FAILURES:
            return None
        if value.has(sympy.Integral, sympy.Piecewise, sympy.Min, sympy.Max, sympy.nan, sympy.oo, sympy.zoo):
            return None
        found.append(normal_form(value))
    return found
