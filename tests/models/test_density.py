"""Models from a log-density that the user types: what closes, and what is said where it does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy
import sympy.stats
from mpmath import mp
from scipy.stats import skellam
from sympy import Interval, Range, Symbol, exp, log, loggamma, oo, pi, sqrt

import infogeom as ig
from infogeom.models import Parameter, from_density
from tests import reference
from tests.problems import EPS, rounding
from tests.reference import context

x, m = Symbol("x", real=True), Symbol("m", real=True)
t, rate, shape, scale = (Symbol(name, positive=True) for name in ("t", "rate", "shape", "scale"))
n = Symbol("n", integer=True, nonnegative=True)

#: Log-density, variable, parameters, support, and the metric with its source.
LAWS: dict[str, tuple[Any, ...]] = {
    "exponential": (log(rate) - rate * t, t, [rate], Interval(0, oo), [[1 / rate**2]]),
    "Poisson": (n * log(rate) - rate - loggamma(n + 1), n, [rate], Range(0, oo), [[1 / rate]]),
    "normal, by its variance": (
        -log(2 * pi * scale) / 2 - (x - m) ** 2 / (2 * scale),
        x,
        [m, scale],
        sympy.S.Reals,
        [[1 / scale, 0], [0, 1 / (2 * scale**2)]],
    ),
    "Laplace, location": (-sympy.Abs(x - m) - log(2), x, [m], sympy.S.Reals, [[1]]),
    "gamma": (
        (shape - 1) * log(t) - t / scale - loggamma(shape) - shape * log(scale),
        t,
        [shape, scale],
        Interval(0, oo),
        [[sympy.polygamma(1, shape), 1 / scale], [1 / scale, shape / scale**2]],
    ),
}
every_law = pytest.mark.parametrize("name", LAWS)


@every_law
def test_the_metric_of_a_typed_law_is_the_known_one(name: str) -> None:
    # All in Lehmann & Casella, Theory of Point Estimation (1998), Sec. 2.5.
    log_density, variable, parameters, support, expected = LAWS[name]
    matrix = ig.symbolic.metric(from_density(log_density, variable, parameters, support)).matrix
    point = {p: sympy.Rational(7, 5) + k for k, p in enumerate(parameters)}
    difference = (matrix - sympy.Matrix(expected)).subs(point)
    assert abs(difference.evalf(40)).norm() < 1e-35


def test_the_gamma_law_bends_as_the_reference_does() -> None:
    ds = ig.grid.evaluate_points(from_density(*LAWS["gamma"][:4]), [[2.5, 0.8]])
    known = lambda k, s: [[context.psi(1, k), 1 / s], [1 / s, k / s**2]]  # noqa: E731
    jet = reference.jet(known, (context.convert(2.5), context.convert(0.8)))
    g, dg, ddg = (a.astype(float) for a in jet)
    assert abs(float(ds.ricci_scalar[0]) - float(reference.curvature(jet).scalar)) <= rounding(g, dg, ddg)


def test_the_example_of_the_docstring_takes_three_lines() -> None:
    law = from_density(log(rate) - rate * t, t, [rate], Interval(0, oo))
    assert ig.symbolic.metric(law).matrix == sympy.Matrix([[1 / rate**2]])


def test_a_single_parameter_needs_no_list() -> None:
    law = from_density(log(rate) - rate * t, t, rate, Interval(0, oo))  # type: ignore[arg-type]
    assert [p.name for p in law.parameters] == ["rate"]


def test_an_expectation_that_does_not_close_is_named() -> None:
    skew = -(x**2) / 2 + log(sympy.erfc(-m * x)) - log(2 * pi) / 2
    with pytest.raises(ig.symbolic.ExpectationError, match=r"the expectation E\[.*\] did not close"):
        ig.symbolic.metric(from_density(skew, x, [m], sympy.S.Reals))


def test_a_kink_that_depends_on_a_parameter_is_no_silent_error() -> None:
    # −E[∂∂ log p] is 0 here, and wrong: g = 1/b² for a Laplace law's location.
    laplace = -sympy.Abs(x - m) / scale - log(2 * scale)
    try:
        matrix = ig.symbolic.metric(from_density(laplace, x, [m, scale], sympy.S.Reals)).matrix
    except ig.symbolic.ExpectationError as error:
        assert "kink" in str(error)  # noqa: PT017
    else:
        assert sympy.simplify(matrix - sympy.eye(2) / scale**2) == sympy.zeros(2, 2)


#: Laws whose mass is not where a quadrature looks first.
HIDDEN: dict[str, tuple[Any, ...]] = {
    "a normal law far from the origin": (
        -((x - 100) ** 2) * rate / 2 + log(rate / (2 * pi)) / 2,
        x,
        [rate],
        sympy.S.Reals,
        1 / (2 * rate**2),
    ),
    "a law that vanishes at its own location": (
        log((x - m) ** 2) - (x - m) ** 2 / 2 - log(2 * pi) / 2,
        x,
        [m],
        sympy.S.Reals,
        sympy.Integer(3),  # E[(2/r − r)²] over r² φ(r) = 4 − 4 + 3
    ),
    "a narrow normal law": (
        -((x - 5 - m) ** 2) * 5000 + log(5000 / pi) / 2,
        x,
        [m],
        sympy.S.Reals,
        sympy.Integer(10_000),
    ),
    "a gamma law whose mass is spread over hundreds of decades": (
        (shape - 1) * log(t) - t - loggamma(shape),
        t,
        [Parameter(shape, Interval.open(0, oo), (0.01, 0.05))],
        Interval(0, oo),
        sympy.polygamma(1, shape),
    ),
    "a Laplace law's scale, whose kink stays where it is": (
        -sympy.Abs(x - 3) / scale - log(2 * scale),
        x,
        [scale],
        sympy.S.Reals,
        1 / scale**2,
    ),
    "a law on the circle": (
        rate * sympy.cos(x) - log(2 * pi * sympy.besseli(0, rate)),
        x,
        [rate],
        Interval(-pi, pi),
        sympy.Rational(1, 2)
        + sympy.besseli(2, rate) / sympy.besseli(0, rate) / 2
        - (sympy.besseli(1, rate) / sympy.besseli(0, rate)) ** 2,
    ),
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name == "a narrow normal law" else name for name in HIDDEN]
)
def test_a_law_is_checked_wherever_its_mass_is(name: str) -> None:
    log_density, variable, parameters, support, expected = HIDDEN[name]
    (g,) = ig.symbolic.metric(from_density(log_density, variable, parameters, support)).matrix
    assert abs((g - expected).subs({rate: 1.5, shape: 0.7, scale: 2}).evalf(30)) < 1e-12


def test_a_law_written_with_exponentials_does_not_overflow() -> None:
    eta = Symbol("eta", real=True)
    law = from_density(n * eta - log(1 + exp(eta)), n, [eta], sympy.FiniteSet(0, 1))
    ds = ig.grid.evaluate(law, {"eta": [-720.0, 0.0, 360.0, 720.0]}, ["metric"])
    expected = [float(1 / (2 + 2 * context.cosh(eta))) for eta in (720, 0, 360, 720)]
    assert ds.status.values.tolist() == [1, 0, 0, 1]
    # At 720 the value is subnormal: right to a unit of the last place, 5e-324.
    assert ds.metric.values.ravel() == pytest.approx(expected, rel=8 * EPS, abs=5e-324)


@pytest.mark.slow
def test_an_expectation_that_numbers_cannot_follow_is_named() -> None:
    log_density = -scale * log(n + 1) - log(sympy.zeta(scale))
    law = from_density(log_density, n, [Parameter(scale, Interval.open(1, oo), (2, 5))], Range(0, oo))
    with pytest.raises(ig.symbolic.ExpectationError, match=r"E\[∂log p ∂log p\] could not be evaluated in numbers"):
        ig.symbolic.metric(law)


def test_a_density_that_is_not_normalised_is_refused() -> None:
    with pytest.raises(ig.symbolic.ExpectationError, match="density"):
        ig.symbolic.metric(from_density(-rate * t, t, [rate], Interval(0, oo)))


def test_a_support_that_depends_on_a_parameter_is_a_value_error() -> None:
    with pytest.raises(ValueError, match=r"the support Interval\(0, rate\) depends on a parameter"):
        from_density(-log(rate) + 0 * t, t, [rate], Interval(0, rate))


def test_a_reserved_parameter_name_is_a_value_error() -> None:
    status = Symbol("status", positive=True)
    with pytest.raises(ValueError, match="'status' is reserved"):
        from_density(log(status) - status * t, t, [status], Interval(0, oo))


def test_the_ends_of_a_support_are_the_decimals_that_they_print_as() -> None:
    assert from_density(-rate * t, t, [rate], Interval(0.1, 0.7)).support == Interval(
        sympy.Rational(1, 10), sympy.Rational(7, 10)
    )


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((-rate * t, "t", [rate], Interval(0, oo)), TypeError, "variable must be a sympy Symbol, got 't'"),
        ((-rate * t, t, [rate], (0, 1)), TypeError, "support must be a sympy Set"),
        ((None, t, [rate], Interval(0, oo)), TypeError, "log_density must be a sympy expression, got None"),
        (
            (-rate * t, t, [rate], sympy.Union(Interval(0, 1), Interval(2, 3))),
            TypeError,
            "support must be an Interval, Range",
        ),
        ((-rate * t, t, [rate, t], Interval(0, oo)), ValueError, "variable t must not be a parameter"),
        ((-rate * t * scale, t, [rate], Interval(0, oo)), ValueError, "symbol scale of the log-density"),
        ((-rate * t, t, [rate, scale], Interval(0, oo)), ValueError, "parameter 'scale' does not occur"),
        ((-rate * t, t, [], Interval(0, oo)), ValueError, "at least one parameter"),
    ],
    ids=["variable", "support", "expression", "union", "both", "foreign", "absent", "none"],
)
def test_bad_arguments_are_named(arguments: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        from_density(*arguments)


def test_a_parameter_keeps_its_declared_domain() -> None:
    law = from_density(log(rate) - rate * t, t, [Parameter(rate, Interval.open(0, 5), (1, 2))], Interval(0, oo))
    assert ig.symbolic.metric(law).domains[0] == Interval.open(0, 5)


@pytest.mark.slow
def test_a_pivot_that_is_cut_off_is_none() -> None:
    # u = b e^{a t} is exponentially distributed beyond b alone (Gompertz): its moments are incomplete gamma functions.
    law = from_density(log(rate * scale) + scale + rate * t - scale * exp(rate * t), t, [rate, scale], Interval(0, oo))
    with pytest.raises(ig.symbolic.ExpectationError, match="did not close"):
        ig.symbolic.metric(law)
    with mp.workdps(30):
        density = lambda z: mp.exp(mp.log(0.8) + 1 + 0.8 * z - mp.exp(0.8 * z))  # noqa: E731
        scores = lambda z: (1 / mp.mpf(0.8) + z - z * mp.exp(0.8 * z), 2 - mp.exp(0.8 * z))  # noqa: E731
        expected = [[float(mp.quad(lambda z, i=i, j=j: density(z) * scores(z)[i] * scores(z)[j], [0, 1, 2, 6]))
                     for j in (0, 1)] for i in (0, 1)]  # fmt: skip
    found = ig.grid.evaluate_points(law, [[0.8, 1.0]], ["metric"]).metric.values[0]
    assert found == pytest.approx(np.array(expected), rel=1e-12)


@pytest.mark.parametrize(
    ("law", "R"),
    [
        (ig.models.student_t(10**6), -(10**6 + 3) / 10**6),  # Mitchell, Statist. Sinica 14 (1989): −(ν + 3)/ν
        (ig.models.wishart(2, 10**6), -2e-6),  # of the positive matrices, −d (d − 1) (d + 2)/4, over ν/1
    ],
    ids=["student_t", "wishart"],
)
def test_large_known_numbers_are_no_factorials(law: ig.models.Model, R: float) -> None:
    point = [p.typical[0] + 0.4 * (p.typical[1] - p.typical[0]) for p in law.parameters]
    assert float(ig.grid.evaluate_points(law, [point]).ricci_scalar[0]) == pytest.approx(R, rel=1e-12)


# --- Laws of sympy.stats ----------------------------------------------------------------------------------------------

share = Parameter(Symbol("p", positive=True), Interval.open(0, 1))
p = share.symbol


def test_a_finite_law_of_sympy_has_its_formula() -> None:
    law = ig.models.from_sympy_stats(sympy.stats.Binomial("k", 40, p), [share])
    assert law.log_density.count_ops() < 30
    assert ig.symbolic.metric(law).matrix == sympy.Matrix([[40 / (p * (1 - p))]])


def test_outcomes_without_a_formula_have_a_polynomial() -> None:
    law = ig.models.from_sympy_stats(sympy.stats.FiniteRV("k", {0: p / 2, 1: 1 - p, 3: p / 2}), [share])
    assert ig.symbolic.metric(law).matrix == sympy.Matrix([[1 / (p * (1 - p))]])


@pytest.mark.slow
def test_a_density_of_several_pieces_keeps_them() -> None:
    # Scores 1/(1 − p) and −1/p on both sides of the peak, which lies at p with probability p below it.
    law = ig.models.from_sympy_stats(sympy.stats.Triangular("t", 0, 1, p), [share])
    found = ig.grid.evaluate_points(law, [[0.3]], ["metric"]).metric.item()
    assert found == pytest.approx(1 / (0.3 * 0.7), rel=1e-12)


@pytest.mark.slow
def test_the_zeta_law_of_sympy_is_ours() -> None:
    exponent = Parameter(Symbol("s", positive=True), Interval.open(1, oo), (1.5, 4))
    law = ig.models.from_sympy_stats(sympy.stats.Zeta("k", exponent.symbol), [exponent])
    assert ig.symbolic.metric(law).matrix == ig.symbolic.metric(ig.models.zeta()).matrix


def test_a_law_of_sympy_that_is_written_as_a_sum_is_refused() -> None:
    hermite = sympy.stats.Hermite("k", rate, scale)
    with pytest.raises(ValueError, match="log_density must be written without sums and integrals"):
        ig.models.from_sympy_stats(hermite, [rate, scale])


def test_outcomes_are_numbers() -> None:
    with pytest.raises(ValueError, match=r"random_variable must take numbers, got \{H, T\}"):
        ig.models.from_sympy_stats(sympy.stats.Coin("c", p), [share])


@pytest.mark.slow
def test_a_tail_that_no_sum_reaches_is_told() -> None:
    law = ig.models.from_sympy_stats(
        sympy.stats.YuleSimon("k", rate), [Parameter(rate, Interval.open(0, oo), (0.3, 0.9))]
    )
    with pytest.raises(ig.symbolic.ExpectationError, match="the mass of the density is not found in numbers"):
        ig.grid.evaluate_points(law, [[0.5]])


def test_a_closed_form_by_functions_without_kernels_gives_way_to_numbers() -> None:
    a, b, nu = Symbol("a", positive=True), Symbol("b", positive=True), sympy.Rational(3, 4)
    log_p = nu / 2 * log(a / b) - log(2 * sympy.besselk(nu, sqrt(a * b))) + (nu - 1) * log(t) - (a * t + b / t) / 2
    law = from_density(log_p, t, [a, b], Interval.open(0, oo))
    assert ig.symbolic.metric(law).matrix.has(sympy.besselk)
    assert ig.symbolic.numeric_metric(law).attributes["expectation"] == "quadrature"
    found = ig.grid.evaluate_points(law, [[1, 2]], ["metric", "ricci_scalar"])
    # Derivatives of log K_ν in 60 digits, and R by differences of them.
    right = [[1.02410814254, -0.17116775187], [-0.17116775187, 0.0685270356338]]
    assert found.metric.values[0] == pytest.approx(np.array(right), rel=1e-10)
    assert found.ricci_scalar.item() == pytest.approx(-1.0365718156984, rel=1e-12)


def test_the_skellam_law_of_sympy_has_outcomes_on_both_sides_of_zero() -> None:
    a, b = sympy.symbols("a b", positive=True)
    law = ig.models.from_sympy_stats(sympy.stats.Skellam("x", a, b), [a, b])
    assert law.at(a=1.9, b=0.7).pdf([-2, 0, 3]) == pytest.approx(skellam.pmf([-2, 0, 3], 1.9, 0.7), rel=1e-12)


def test_bessel_functions_of_whole_orders_are_even_in_them() -> None:
    n, b = sympy.Symbol("n", integer=True), sympy.Symbol("b", positive=True)
    law = ig.models.from_density(-b + sympy.log(sympy.besseli(n, b)), n, [b], sympy.S.Integers)
    (x,) = law.variables
    assert law.log_density == -b + ig.functions.log_bessel(sympy.Abs(x), b)
