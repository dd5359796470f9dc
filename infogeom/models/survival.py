"""The survival function of a law by its log-density: a formula that does not cancel, found among a few and verified.

Most densities have −log S, or S, among their terms: that of a Weibull law is h(x) exp(−(x/λ)^k).  A candidate is taken
where −S′ is the density, in many digits, at a few points.
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy
from sympy import Abs, Expr, exp, log

from infogeom.functions import log_normal_cdf, softplus
from infogeom.models.model import Model
from infogeom.models.typed import points_of_law

__all__ = ["log_survival"]

#: Decimal digits to which −S′ is the density.
VERIFIED_DIGITS = 20


def log_survival(law: Model) -> Expr | None:
    """Logarithm of the probability beyond the variable, of a law of one; None where no formula is found."""
    (x,), (support,) = law.variables, law.supports
    density = sympy.expand_log(law.log_density)
    points = points_of_law(x, support, law.parameters, law.constants)
    for candidate in _candidates(density, law):
        found = candidate
        if support.start.is_finite:
            found -= candidate.subs(x, support.start)
        if points and all(_is_survival(found, law, point) for point in points):
            return found
    return None


def _candidates(density: Expr, law: Model) -> Iterator[Expr]:
    """What the logarithm of S may be, by each term of a log-density."""
    (x,) = law.variables
    for term in sympy.Add.make_args(density):
        if not term.has(x):
            continue
        yield term
        coefficient, function = term.as_independent(x, as_Add=False)
        if isinstance(function, log):
            yield (coefficient + 1) * function
        if term.has(exp, sympy.Pow):
            yield log(1 - exp(term))

        # The square of a normal variable.
        root = sympy.sqrt(sympy.factor(-2 * term)).replace(Abs, lambda e: e)
        for z in (root, -root):
            yield log_normal_cdf(z)
    for f in density.atoms(softplus):
        yield -f
        yield -softplus(-f.args[0])


def _is_survival(candidate: Expr, law: Model, point: dict[sympy.Symbol, Expr]) -> bool:
    """Whether −S′ is the density at a point, and S at most 1."""
    (x,) = law.variables
    here = {symbol: sympy.nsimplify(value, rational=True) for symbol, value in point.items()}
    off = sympy.log(-candidate.diff(x)) + candidate - law.log_density
    try:
        numbers = [e.subs(here).evalf(VERIFIED_DIGITS + 10) for e in (off * 10**VERIFIED_DIGITS, candidate)]
        value, height = map(complex, numbers)
    except (TypeError, ValueError):
        return False
    return abs(value) < 1 and height.imag == 0 and height.real <= 0
