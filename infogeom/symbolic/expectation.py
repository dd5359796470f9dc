"""The matrix E[s sᵀ] of a law's scores in closed form, by the order of attack that `infogeom.symbolic.fisher` lists."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import sympy
from sympy import Dummy, Expr, ImmutableMatrix, PoleError, Set, Symbol
from sympy.polys.polyerrors import BasePolynomialError

from infogeom.models.law import Law
from infogeom.numeric.worker import Worker, WorkerError
from infogeom.symbolic.normal_form import gamma_form, normal_form
from infogeom.symbolic.pivots import score_products

__all__ = ["ExpectationError", "OpenExpectationError", "products_of_scores"]

#: Outcomes up to which a sum over them is written out.
MAX_OUTCOMES = 4
#: Operations of an entry that somebody may still read, and kernels be made of.
MAX_READABLE = 150
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


def products_of_scores(
    law: Law, scores: Sequence[Expr], coordinates: Sequence[Symbol], output: Expr | None, budget: float
) -> ImmutableMatrix:
    """E[s_i s_j] in closed form.

    Parameters
    ----------
    law : Law
    scores : sequence of Expr
        In terms of the law's variables.
    coordinates : sequence of Symbol
    output : Expr or None
        Of a network.
    budget : float
        Seconds for SymPy's integrals; 0 for a law whose expectations are known not to close.

    Raises
    ------
    OpenExpectationError
        Naming an expectation that did not close.
    """
    if budget == 0:
        raise OpenExpectationError(f"the expectation E[∂log p ∂log p] of log p = {law.log_density} does not close")
    if tuple(law.log_density.diff(c) for c in coordinates) == tuple(scores):
        found = _location(law, coordinates, output)
        if found is not None:
            return found
        try:
            return _score_identities(law, coordinates)
        except OpenExpectationError as error:
            reason = error
    else:  # the variable is itself a function of what is observed and the parameters
        reason = OpenExpectationError(f"the expectation of products of the scores {list(scores)} did not close")
    if len(law.variables) == 1:
        for attempt in (_pivots, _outcomes, lambda law, scores: _integrals(law, scores, budget)):
            found = attempt(law, scores)
            if found is not None:
                return found
    raise reason


def _location(law: Law, coordinates: Sequence[Symbol], output: Expr | None) -> ImmutableMatrix | None:
    """Metric c ∇f ∇fᵀ of a location family p(x − f(θ)) on the real line; None when the density is not one."""
    if law.supports != (sympy.S.Reals,):
        return None
    residual, (variable,) = Dummy("r", real=True), law.variables
    for f in [*coordinates] if output is None else [output]:
        shifted = sympy.expand_mul(law.log_density.subs(variable, residual + f))
        if shifted.free_symbols <= {residual}:
            constant = _residual_information(shifted, residual)
            gradient = sympy.Matrix([f.diff(c) for c in coordinates])
            return None if constant is None else ImmutableMatrix(constant * gradient * gradient.T)
    return None


def _residual_information(law: Expr, residual: Symbol) -> Expr | None:
    """Fisher information of a location, ∫ (∂_r ℓ)² e^ℓ dr / ∫ e^ℓ dr, half line by half line; None if it stays open."""
    r = Dummy("r", positive=True)
    if law.has(sympy.exp):  # SymPy's integrals of exp(−exp(r)) and the like do not come back
        return None
    mass, information = sympy.Integer(0), sympy.Integer(0)
    for side in (1, -1):
        half = law.subs(residual, side * r)
        density = sympy.exp(half)
        mass += sympy.integrate(density, (r, 0, sympy.oo), conds="none")
        information += sympy.integrate(sympy.expand(half.diff(r) ** 2) * density, (r, 0, sympy.oo), conds="none")
    constant = sympy.gammasimp(information / mass)
    return None if constant.has(sympy.Integral) or not constant.is_finite else constant


def _score_identities(law: Law, coordinates: Sequence[Symbol]) -> ImmutableMatrix:
    """−E[∂_i ∂_j ℓ] (Eq. 3.2.14), every moment in it solved for from E[∂_i ℓ] = 0."""
    kinks = law.log_density.atoms(sympy.Abs, sympy.sign, sympy.Piecewise, sympy.Heaviside, sympy.Max, sympy.Min)
    if any(kink.free_symbols & set(coordinates) for kink in kinks):
        raise OpenExpectationError(
            f"the expectation E[∂log p ∂log p] of log p = {law.log_density} did not close: log p has a kink that moves "
            "with a parameter, so that −E[∂∂log p] does not equal it, and the density is no location family"
        )
    density = sympy.expand_log(law.log_density)
    scores = [sympy.expand(density.diff(c)) for c in coordinates]
    moments: dict[Expr, Dummy] = {}
    n = len(coordinates)
    identities = [_expectation(s, law.variables, moments) for s in scores]
    entries = {
        (i, j): _expectation(-sympy.expand(scores[i].diff(coordinates[j])), law.variables, moments)
        for i in range(n)
        for j in range(i + 1)
    }
    solution = sympy.solve(identities, list(moments.values()), dict=True) if moments else [{}]
    known = solution[0] if solution else {}
    open_moments = {m: x for x, m in moments.items()}
    matrix = ImmutableMatrix(n, n, lambda i, j: normal_form(entries[max(i, j), min(i, j)].subs(known)))
    for moment in sorted(matrix.free_symbols & set(open_moments), key=str):
        raise OpenExpectationError(
            f"the expectation E[{open_moments[moment]}] did not close: "
            f"the score identities of log p = {law.log_density} do not determine it"
        )
    return matrix


def _expectation(expression: Expr, variables: Sequence[Symbol], moments: dict[Expr, Dummy]) -> Expr:
    """Expectation of a sum of products, each function of the variables standing for its own unknown moment."""
    total = []
    for term in sympy.Add.make_args(expression):
        coefficient, function = term.as_independent(*variables, as_Add=False)
        total.append(
            coefficient if function == 1 else coefficient * moments.setdefault(function, Dummy(f"m{len(moments)}"))
        )
    return sympy.Add(*total)


def _pivots(law: Law, scores: Sequence[Expr]) -> ImmutableMatrix | None:
    (variable,), (support,) = law.variables, law.supports
    if not isinstance(support, sympy.Interval):
        return None
    return score_products(law.log_density, scores, variable, support)


def _outcomes(law: Law, scores: Sequence[Expr]) -> ImmutableMatrix | None:
    """Σ_x p(x) s_i s_j over few outcomes."""
    (variable,), (support,) = law.variables, law.supports
    if not _count(support) <= MAX_OUTCOMES:
        return None
    terms = [
        (_exponential(law.log_density.subs(variable, x)), [gamma_form(s.subs(variable, x)) for s in scores])
        for x in support
    ]
    n = len(scores)
    matrix = ImmutableMatrix(n, n, lambda i, j: normal_form(sympy.Add(*(p * s[i] * s[j] for p, s in terms))))
    return matrix if max(e.count_ops() for e in matrix) <= MAX_READABLE else None


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


def _integrals(law: Law, scores: Sequence[Expr], budget: float) -> ImmutableMatrix | None:
    """SymPy's integrals, in a process of their own that ends when the time does."""
    (variable,), (support,) = law.variables, law.supports
    if not isinstance(support, sympy.Interval) or law.log_density.has(sympy.Abs):
        return None
    try:
        with Worker() as worker:
            found: ImmutableMatrix | None = worker.run(
                budget, _integrated, law.log_density, tuple(scores), variable, support
            )
    except (TimeoutError, WorkerError):
        return None
    return found


def _integrated(
    log_density: Expr, scores: Sequence[Expr], x: Symbol, support: sympy.Interval
) -> ImmutableMatrix | None:
    limits, p, n = (x, support.start, support.end), sympy.exp(log_density), len(scores)
    known = {}
    for i, j in product(range(n), repeat=2):
        if i >= j:
            try:
                value = sympy.integrate(sympy.expand(p * scores[i] * scores[j]), limits, conds="none")
            except FAILURES:
                return None
            if value.has(sympy.Integral, sympy.Piecewise, sympy.Min, sympy.Max, sympy.nan, sympy.oo, sympy.zoo):
                return None
            known[i, j] = normal_form(value)
    return ImmutableMatrix(n, n, lambda i, j: known[max(i, j), min(i, j)])
