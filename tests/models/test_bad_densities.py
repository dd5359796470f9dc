"""What a density is refused for, and what the refusal says."""

from __future__ import annotations

import pytest
import sympy
from sympy import Interval, Rational, Symbol, exp, log, oo, pi

import infogeom as ig
from infogeom.models import from_density
from infogeom.symbolic import ExpectationError

x, a, b = (Symbol(name, real=True) for name in ("x", "a", "b"))
t, rate, scale = (Symbol(name, positive=True) for name in ("t", "rate", "scale"))


def metric_of(law: ig.models.Model) -> None:
    """Whatever there is of it, closed or in numbers."""
    ig.grid.evaluate_points(law, [[(p.typical[0] + p.typical[1]) / 2 for p in law.parameters]])


def test_a_density_that_is_not_normalised_is_told_with_its_mass() -> None:
    law = from_density(-((x - a) ** 2) / 2 - log(2 * pi) / 2 + log(3), x, [a], sympy.S.Reals)
    with pytest.raises(ExpectationError, match=r"the density must integrate to 1, got 3 at a = "):
        metric_of(law)


@pytest.mark.slow
def test_the_same_where_expectations_are_taken_by_quadrature() -> None:
    law = from_density(-(x**2) / 2 + log(sympy.erfc(-a * x)), x, [a], sympy.S.Reals)
    with pytest.raises(ExpectationError, match=r"the density must integrate to 1, got 2.50662827 at a = "):
        metric_of(law)


@pytest.mark.parametrize("counts", [True, pytest.param(False, marks=pytest.mark.slow)])  # 0.5 s, 6 s
def test_a_density_in_place_of_its_logarithm_is_told(counts: bool) -> None:
    law = from_density(rate * exp(-rate * t), t, [rate], Interval(0, oo))
    if counts:
        law = from_density(rate**t * exp(-rate) / sympy.factorial(t), t, [rate], sympy.S.Naturals0)
    with pytest.raises(ExpectationError, match=r"log_density must be log p, got .* which is p: it integrates to 1"):
        metric_of(law)


def test_a_redundant_parametrisation_is_told_with_its_null_direction() -> None:
    law = from_density(-((x - a - 2 * b) ** 2) / 2 - log(2 * pi) / 2, x, [a, b], sympy.S.Reals)
    with pytest.raises(ExpectationError, match=r"redundant.*direction \(a: -?1, b: -?0.5\)"):
        metric_of(law)


def test_a_mixture_of_a_law_with_itself_has_no_weight() -> None:
    with pytest.raises(ValueError, match=r"components must differ, got one twice in \['normal', 'normal'\]"):
        ig.models.mixture([ig.models.normal(), ig.models.normal()])


def test_parameters_of_a_mixture_come_in_the_order_of_its_components() -> None:
    law = ig.models.mixture([ig.models.cauchy(), ig.models.normal()])
    assert [p.name for p in law.parameters] == ["weight1", "mu", "gamma", "sigma"]


def test_floats_are_the_decimal_fractions_that_they_print_as() -> None:
    found = ig.symbolic.metric(ig.models.student_t(2.5)).matrix  # type: ignore[arg-type]
    assert found == ig.symbolic.metric(ig.models.student_t(Rational(5, 2))).matrix  # type: ignore[arg-type]


def test_new_parameters_that_are_redundant_are_told_with_their_null_direction() -> None:
    with pytest.raises(ValueError, match=r"redundant, the law does not change in the direction \(a: .*, b: .*\)"):
        ig.models.reparametrise(ig.models.exponential(), {"rate": exp(a + b)})


def test_a_support_that_moves_with_a_parameter_is_refused() -> None:
    with pytest.raises(ValueError, match=r"the support Interval\(0, rate\) depends on a parameter"):
        from_density(-log(rate), t, [rate], Interval(0, rate))


@pytest.mark.parametrize("scaled", [0, 1], ids=["alone", "with a parameter"])
def test_the_same_where_pieces_of_the_density_move(scaled: int) -> None:
    pieces = sympy.Piecewise((log(rate) - rate * (t - scale), t > scale), (-oo, True))
    law = from_density(pieces.subs(rate, 1) if not scaled else pieces, t, [scale, rate][: 1 + scaled], Interval(0, oo))
    with pytest.raises(ExpectationError, match=r"the score E\[∂log p/∂scale\] must be 0, got .*support moves"):
        metric_of(law)


def test_what_is_no_random_variable_is_refused() -> None:
    with pytest.raises(TypeError, match=r"random_variable must come from sympy.stats, got x"):
        ig.models.from_sympy_stats(x, [a])


def test_a_log_partition_function_that_is_not_convex_is_told() -> None:
    law = ig.models.exponential_family(-(a**2), [a])
    with pytest.raises(ExpectationError, match=r"must be strictly convex, but at a = .* its Hessian is \[\[-2.0\]\]"):
        metric_of(law)


def test_products_want_different_names() -> None:
    with pytest.raises(ValueError, match=r"product: parameter names must differ, got \['mu', 'sigma'\] twice"):
        ig.models.product(ig.models.normal(), ig.models.normal())


def test_copies_of_a_network_are_refused() -> None:
    network = ig.models.sigmoid_neuron([[1.0, 2.0], [0.5, 1.0]], [0, 1], ig.losses.CrossEntropy())
    with pytest.raises(ValueError, match="a mean over its data, which copies do not change"):
        ig.models.replicate(network, 2)


def test_copies_of_a_law_are_no_component() -> None:
    with pytest.raises(ValueError, match="components must be laws of one observation of one variable"):
        ig.models.mixture([ig.models.replicate(ig.models.normal(), 5), ig.models.normal()])


def test_mixtures_want_one_support() -> None:
    with pytest.raises(ValueError, match="components must have one support"):
        ig.models.mixture([ig.models.normal(), ig.models.exponential()])


def test_location_and_scale_want_the_whole_line() -> None:
    z = Symbol("z", positive=True)
    with pytest.raises(ValueError, match="support must be the real line"):
        ig.models.location_scale(-z, support=Interval(0, oo))


def test_regression_wants_its_variables_and_parameters_only() -> None:
    with pytest.raises(ValueError, match=r"mean_function may hold its variables and parameters only, got \['b'\]"):
        ig.models.regression(a + b * x, ig.models.normal(), [0, 1], variables=x, parameters=[a])


@pytest.mark.parametrize("nu", [0, -1, Rational(-1, 2)])
def test_degrees_of_freedom_are_positive(nu: object) -> None:
    with pytest.raises(ValueError, match="nu must be positive"):
        ig.models.student_t(nu)  # type: ignore[arg-type]
