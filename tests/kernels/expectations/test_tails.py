"""Laws whose tails fall like powers: found to their end, with what is in doubt of it."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
import sympy
from sympy import Interval, log
from sympy.codegen.cfunctions import expm1, log1p

from infogeom.kernels.expectations import nodes
from infogeom.kernels.expectations.law_moments import Expectation
from infogeom.models.law import Law

x, a = sympy.symbols("x a", positive=True)
EXPONENTS = np.array([[0.3], [1.5], [4.0]])
#: P(X ≥ x) is x^(−a).
COUNTS = Law(-a * log(x) + log(-expm1(-a * log1p(1 / x))), (x,), (sympy.S.Naturals,))


@pytest.mark.parametrize("sign", [1, -1])
def test_a_tail_that_falls_like_a_power_is_integrated_to_its_end(sign: int) -> None:
    support = Interval.open(0, sympy.oo) if sign > 0 else Interval.open(-sympy.oo, 0)
    y = sympy.Symbol("y", real=True)
    found = Expectation(Law(log(a) - (a + 1) * log(1 + sign * y), (y,), (support,)), [a], [])(EXPONENTS)
    assert found.known.all()
    assert found.moments[0].ravel() == pytest.approx(1 / EXPONENTS.ravel() ** 2, rel=1e-14)


def test_what_is_in_doubt_of_first_outcomes_is_in_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = Expectation(COUNTS, [a], [])
    right = rule(EXPONENTS)
    monkeypatch.setattr(nodes, "HEAD", 48)
    rough = rule(EXPONENTS)
    assert right.known.all()
    assert rough.known.all()
    off = abs(rough.moments[0] - right.moments[0])
    assert (off > 1e-14).all()
    assert (off.ravel() <= rough.left[:, 0] * rough.moments[0].ravel()).all()


def test_what_was_left_off_has_no_more_mass_than_is_told() -> None:
    count = sympy.Symbol("k", nonnegative=True)
    law = Law(count * log(a) - a - sympy.loggamma(count + 1), (count,), (sympy.S.Naturals0,))
    rates = np.array([[0.7], [30.0], [4000.0]])
    found = nodes.Rule(law, [a]).stretches(rates)
    for (rate,), first, size, bound in zip(rates, found.first, found.size, found.bound, strict=True):
        below, above = scipy.stats.poisson.cdf(first - 1, rate), scipy.stats.poisson.sf(first + size - 1, rate)
        assert below + above <= bound.sum() <= 1e-20
