"""The survival function of a law by its log-density: a formula that does not cancel, found among a few and verified.

Most densities have −log S, or S, among their terms: that of a Weibull law is h(x) exp(−(x/λ)^k).  A candidate is taken
where −S′ is the density, in many digits, at a few points.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import sympy
from sympy import Expr, Symbol, exp, log

from infogeom.arguments import as_expression
from infogeom.functions import log_normal_cdf, softplus
from infogeom.models.combine import copies_of
from infogeom.models.model import Model
from infogeom.models.typed import points_of_law

__all__ = ["check_measured", "log_survival", "survival_of"]

#: Difference of the logarithms of −S′ and the density that is none, and decimal digits in which they are found.
VERIFIED = 1e-25
DIGITS_AT_A_POINT = 50


def check_measured(law: Model) -> None:
    """Raise TypeError or ValueError for what is no law of one continuous variable."""
    if not isinstance(law, Model):
        raise TypeError(f"law must be an infogeom Model, got {type(law).__name__}")
    one = len(law.variables) == 1 and not (law.samples or law.change_of_variable) and copies_of(law) == 1
    if not one or not isinstance(law.support, sympy.Interval):
        raise ValueError(f"law must be of one observation of one continuous variable on a fixed support, got {law!r}")


def survival_of(law: Model, given: Any) -> Expr:
    """Logarithm of the probability beyond the variable, of a law of one, as it is given, or else found.

    Raises
    ------
    TypeError, ValueError
        Where none is found, and for what holds foreign symbols.
    """
    found = log_survival(law) if given is None else as_expression("survival", given)
    if found is None:
        raise ValueError(
            f"no survival function was found among the terms of the log-density of {law.name!r}; "
            "give log P(X > x) as survival=, in its symbols"
        )
    if foreign := found.free_symbols - law.log_density.free_symbols:
        raise ValueError(f"survival must hold no symbols but those of {law.name!r}, got {sorted(map(str, foreign))}")
    return found


def log_survival(law: Model) -> Expr | None:
    """Logarithm of the probability beyond the variable, of a law of one; None where no formula is found."""
    (x,), (support,) = law.variables, law.supports
    points = points_of_law(x, support, law.parameters, law.constants)
    for candidate in _candidates(law.log_density, x):
        found = candidate - _at_start(candidate, x, support.start)
        if points and all(_is_survival(found, law, point) for point in points):
            return found
    return None


def _at_start(candidate: Expr, x: Symbol, start: Expr) -> Expr:
    """What a candidate is where the support begins; 0 where it has no value there, for S is 1."""
    value = candidate.subs(x, start) if start.is_finite else sympy.S.Zero
    return value if value.is_finite and not value.has(sympy.zoo, sympy.nan) else sympy.S.Zero


def _candidates(density: Expr, x: Symbol) -> Iterator[Expr]:
    """What the logarithm of S may be, by each term of a log-density."""
    for term in sympy.Add.make_args(density):
        if not term.has(x):
            continue
        yield term
        coefficient, function = term.as_independent(x, as_Add=False)
        if isinstance(function, log):
            yield (coefficient + 1) * function
            yield from _of_logistic(function.args[0])
            yield log(1 - exp((coefficient + 1) * function))
        elif function.has(exp, sympy.Pow):
            yield log(1 - exp(term))
        if function.is_Pow and function.exp == 2:  # the square of a normal variable
            z = function.base * sympy.sqrt(-2 * coefficient)
            yield log_normal_cdf(z)
            yield log_normal_cdf(-z)
    for f in density.atoms(softplus):
        yield -f
        yield -softplus(-f.args[0])


def _of_logistic(g: Expr) -> Iterator[Expr]:
    """Where a log-density has log(1 + e^w): those of 1/(1 + e^w) and 1/(1 + e^−w)."""
    rest = g - 1
    if isinstance(rest, exp):
        yield -softplus(rest.args[0])
        yield -softplus(-rest.args[0])


def _is_survival(candidate: Expr, law: Model, point: Mapping[Symbol, Expr]) -> bool:
    """Whether −S′ is the density at a point, and S at most 1."""
    (x,) = law.variables
    here = {symbol: sympy.Float(value, DIGITS_AT_A_POINT) for symbol, value in point.items()}
    off = log(-candidate.diff(x)) + candidate - law.log_density
    try:
        difference, height = (complex(e.subs(here).evalf(DIGITS_AT_A_POINT)) for e in (off, candidate))
    except (TypeError, ValueError):
        return False
    return abs(difference) < VERIFIED and height.imag == 0 and height.real <= 0
