"""The log-partition function of Conway–Maxwell–Poisson laws as a SymPy function."""

from __future__ import annotations

import pytest
import sympy
from sympy import Rational

from infogeom.functions import log_conway_maxwell

x, nu = sympy.symbols("x nu", positive=True)


def test_derivatives_are_cumulants_of_the_next_order() -> None:
    psi = log_conway_maxwell(0, 0, sympy.exp(x), nu)
    assert psi.diff(x, 2, nu) == log_conway_maxwell(2, 1, sympy.exp(x), nu)
    with pytest.raises(sympy.core.function.ArgumentIndexError):
        psi.fdiff(1)


def test_those_of_poisson_laws_are_the_rate() -> None:
    for j in range(5):
        assert log_conway_maxwell(j, 0, Rational(5, 2), 1).evalf(30) == pytest.approx(2.5, rel=1e-15)


def test_digits_are_kept_at_small_rates() -> None:
    tiny = Rational(1, 10**40)
    assert log_conway_maxwell(0, 0, tiny, 2).evalf(10) == pytest.approx(1e-40, rel=1e-9)
    assert log_conway_maxwell(0, 2, tiny, 2).evalf(10) == pytest.approx(0.4804530139182014 / 4 * 1e-80, rel=1e-9)


def test_what_cannot_be_summed_is_no_number() -> None:
    assert log_conway_maxwell(2, 0, 10**9, 1).evalf() is sympy.nan
    assert log_conway_maxwell(2, 0, 1, Rational(1, 10**8)).evalf() is sympy.nan
    assert log_conway_maxwell(2, 0, -1, 1).evalf() is sympy.nan


@pytest.mark.parametrize("orders", [(-1, 0), (0, Rational(1, 2)), (x, 0)])
def test_orders_are_counts(orders: tuple[object, object]) -> None:
    with pytest.raises(ValueError, match="orders of log_conway_maxwell must be non-negative integers, got"):
        log_conway_maxwell(*orders, x, nu)


def test_signs_are_known_up_to_second_order() -> None:
    assert [log_conway_maxwell(*at, x, nu).is_positive for at in ((0, 0), (1, 0), (2, 0), (0, 2))] == [True] * 4
    assert [log_conway_maxwell(*at, x, nu).is_negative for at in ((0, 1), (1, 1))] == [True] * 2
    assert log_conway_maxwell(3, 0, x, nu).is_positive is log_conway_maxwell(0, 3, x, nu).is_negative is None
    assert log_conway_maxwell(3, 0, x, nu).is_real


def test_they_print_as_a_partition_function_and_its_derivatives() -> None:
    assert sympy.latex(log_conway_maxwell(0, 0, x, nu)) == r"\log Z\left(x, \nu\right)"
    assert sympy.latex(log_conway_maxwell(2, 1, x, nu) ** 3) == (
        r"{\left(\log Z\right)^{(2, 1)}\left(x, \nu\right)}^{3}"
    )
