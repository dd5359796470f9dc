"""The table of families: what it says about their geometry, and that it guesses nothing."""

from __future__ import annotations

import subprocess
import sys
import time

import mpmath
import pytest
import sympy

import infogeom as ig
from infogeom.kernels.curvature.textbook import closed_form, textbook
from infogeom.models.by_name import named
from infogeom.numeric.multiprecision import in_mpmath
from infogeom.numeric.worker import Worker

r = sympy.Symbol("r", positive=True)
PI = sympy.pi


#: Their closed forms, or the attempts at them, take seconds each.
LONG = {
    "beta_binomial", "blume_capel_chain", "burr", "exponentiated_exponential", "freund", "generalised_extreme_value",
    "generalised_gamma", "generalised_normal", "ising_ring", "kumaraswamy", "log_linear", "multivariate_normal",
    "multivariate_normal_known_mean", "potts_chain", "rice", "student_t", "von_mises_fisher", "wishart", "zeta",
}  # fmt: skip


#: Of each kind some, those of one parameter first.
SOME = (
    "bernoulli", "binomial:2", "exponential", "geometric", "half_normal", "pareto", "poisson", "rayleigh",
    "beta", "cauchy", "gamma", "gumbel", "inverse_gaussian", "laplace", "logistic", "normal", "von_mises", "weibull",
    "negative_binomial", "skellam", "skew_normal",
    "ising_chain", "ising_cylinder:3", "ising_torus:3", "potts_torus:3,3", "spherical_model:2",
)  # fmt: skip


@pytest.fixture(scope="module")
def some() -> ig.catalogue.Catalogue:
    """The table of some families."""
    return ig.models.table(SOME)


def row(table: ig.catalogue.Catalogue, name: str) -> ig.catalogue.Entry:
    (found,) = (entry for entry in table.rows if entry.name.partition(":")[0] == name)
    return found


# --- Families by name -------------------------------------------------------------------------------------------------


def test_the_families_are_those_that_take_integers() -> None:
    assert {"normal", "binomial", "exponential", "student_t"} <= set(ig.models.families())
    assert not {"from_density", "sigmoid_neuron", "decision_boundary", "product", "table"} & set(ig.models.families())


def test_a_family_takes_its_integers_after_a_colon() -> None:
    (law,) = ig.models.family("binomial:7").constants.values()
    assert law == 7
    assert len(ig.models.family("student_t:3").parameters) == 2


def test_a_family_of_many_outcomes_is_told_at_once() -> None:
    told = str(ig.catalogue.entry("binomial:1000000000"))
    assert "x = 0, 1, …, 1000000000" in told
    assert "constants    n = 1000000000" in told


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("norm", "family must be one of bernoulli, beta, .*, weibull, .*got 'norm'"),
        ("normal:3", "family must be written normal, got 'normal:3'"),
        ("binomial:x", "family binomial: arguments must be integers, got 'x'"),
    ],
)
def test_a_bad_name_of_a_family_is_told(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ig.models.family(text)


# --- The table --------------------------------------------------------------------------------------------------------


def test_time_that_is_up_ends_the_call_and_the_next_one_starts_anew() -> None:
    with Worker() as worker:
        with pytest.raises(TimeoutError):
            worker.run(0.2, time.sleep, 600)
        assert worker.run(60, max, 1, 2) == 2


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_every_family_has_a_row() -> None:
    rows = ig.models.table().rows
    assert [entry.name.partition(":")[0] for entry in rows] == sorted(ig.models.families())


@pytest.mark.parametrize(
    ("name", "R", "hessian"),
    [
        ("normal", -1, False),
        ("laplace", -2, False),
        ("cauchy", -4, False),
        ("inverse_gaussian", -1, False),
        ("logistic", -18 / (3 + PI**2), False),
        ("weibull", -12 / PI**2, False),
        ("gumbel", -12 / PI**2, False),
    ],
)
def test_families_of_constant_curvature(some: ig.catalogue.Catalogue, name: str, R: sympy.Expr, hessian: bool) -> None:
    found = row(some, name)
    assert (found.ricci_scalar, found.constant_curvature, found.flat) == (R, True, False)
    assert found.hessian is hessian


@pytest.mark.parametrize("name", ["gamma", "beta", "von_mises"])
def test_curvature_that_varies_is_told_whether_or_not_its_closed_form_is_found(
    some: ig.catalogue.Catalogue, name: str
) -> None:
    found = row(some, name)
    assert (found.constant_curvature, found.flat, found.curvature) == (False, False, "varies")


def test_families_of_one_parameter_are_flat_and_hessian(some: ig.catalogue.Catalogue) -> None:
    lines = [entry for entry in some.rows if len(entry.parameters) == 1 and entry.metric]
    assert len(lines) >= 8
    assert {(entry.ricci_scalar, entry.flat, entry.hessian) for entry in lines} == {(0, True, True)}


def test_natural_parameters_make_gamma_laws_hessian(some: ig.catalogue.Catalogue) -> None:
    assert row(some, "gamma").hessian is True


@pytest.mark.parametrize(
    ("name", "words"),
    [("skew_normal", "by quadrature"), ("skellam", "by summation"), ("negative_binomial", "by summation")],
)
def test_expectations_that_do_not_close_say_how_they_are_taken(
    some: ig.catalogue.Catalogue, name: str, words: str
) -> None:
    found = row(some, name)
    assert (found.metric, found.ricci_scalar, found.hessian, found.flat) == (None, None, None, None)
    (line,) = (text for text in repr(some).splitlines() if text.startswith(name))
    assert line.count(words) == 2


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ising_torus", "by summation"),
        ("potts_torus", "by summation"),
        ("ising_cylinder", "by transfer matrices"),
        ("spherical_model", "at a saddle point"),
    ],
)
def test_covariances_of_statistics_are_hessian_and_say_by_what_they_come(
    some: ig.catalogue.Catalogue, name: str, words: str
) -> None:
    found = row(some, name)
    assert (found.numbers, found.hessian, found.metric, found.flat) == (words, True, None, None)
    assert "outcomes" not in repr(found)


def test_what_is_known_of_a_chain_is_its_row(some: ig.catalogue.Catalogue) -> None:
    found = row(some, "ising_chain")
    assert found.ricci_scalar == found.model.structure.ricci_scalar
    assert (found.hessian, found.curvature) == (True, "varies")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["potts_chain:2", "ising_ring:3", "blume_capel_chain"])
def test_a_chain_whose_curvature_is_not_known_is_hessian_and_bends(name: str) -> None:
    found = ig.catalogue.entry(name)
    assert (found.ricci_scalar, found.hessian, found.curvature) == (None, True, "varies")


def test_numbers_without_a_way_to_them_are_open() -> None:
    x, y, z, w, b = sympy.symbols("x y z w b", positive=True)
    density = sympy.log(1 + b * sympy.sin(x * y * z * w) ** 2) - sympy.log(2)
    unit = (sympy.Interval(0, 1),) * 4
    law = ig.models.Model("own", [ig.models.Parameter(b)], density, (x, y, z, w), unit, budget=0)
    found = ig.catalogue.entry(law)
    assert (found.numbers, found.hessian) == ("?", None)


@pytest.mark.slow
def test_closed_forms_of_R_are_what_the_textbook_makes_of_the_metric() -> None:
    checked = 0
    everything = ig.models.table([name for name, _ in named() if name.partition(":")[0] not in LONG])
    for entry in everything.rows:
        if entry.ricci_scalar is not None and len(entry.parameters) > 1:
            point = tuple(low + 0.3 * (high - low) for low, high in (p.typical for p in entry.model.parameters))
            with mpmath.workdps(40):
                expected = textbook(closed_form(entry.metric)(point)[0])["ricci_scalar"].item()
                found = in_mpmath(entry.metric.coordinates, entry.ricci_scalar)(*map(mpmath.mpf, point))
                assert abs(found - expected) <= 1e-25 * max(abs(expected), 1), entry.name
            checked += 1
    assert checked >= 15


@pytest.mark.slow
def test_three_outcomes_and_two_parameters_make_a_sphere_of_radius_2() -> None:
    found = ig.catalogue.entry("beta_binomial:2")
    assert (found.ricci_scalar, found.curvature) == (sympy.Rational(1, 2), "constant")


@pytest.mark.slow
def test_what_is_too_long_is_left_open_and_still_no_guess() -> None:
    found = ig.catalogue.entry("student_t", operations=100)
    assert (found.ricci_scalar, found.constant_curvature, found.flat) == (None, False, False)
    assert found.metric is not None


def test_a_table_is_text_and_its_columns_are_aligned() -> None:
    heading, first, second = repr(ig.models.table(["binomial:7", "normal"])).splitlines()
    assert heading.split() == ["family", "parameters", "Hessian", "curvature", "R", "metric"]
    assert first.split() == ["binomial:7", "0", "<", "p", "<", "1", "yes", "flat", "0", "7/(p*(1", "-", "p))"]
    assert {line.index(word) for line, word in ((heading, "metric"), (first, "7/("), (second, "diag"))} == {
        heading.index("metric")
    }


def test_long_formulas_are_cut_in_a_table_alone(some: ig.catalogue.Catalogue) -> None:
    found = row(some, "beta")
    (line,) = (line for line in repr(some).splitlines() if line.startswith("beta "))
    assert line.count(" …") == 2
    assert str(found.ricci_scalar) in repr(found)


def test_a_notebook_gets_a_markdown_table_of_formulas() -> None:
    heading, rule, line = ig.models.table(["normal"])._repr_markdown_().splitlines()
    assert heading.count("|") == rule.count("|") == line.count("|") == 7
    assert r"$\mu \in \mathbb{R},\; \sigma \in \left(0, \infty\right)$" in line
    assert r"\frac{1}{\sigma^{2}} & 0\\0 & \frac{2}{\sigma^{2}}" in line


def test_formulas_are_written_as_the_field_writes_them() -> None:
    text = ig.catalogue.entry("gamma").latex()
    assert r"x &\sim \mathrm{Gamma}(\mathrm{shape}, \mathrm{rate})" in text
    assert r"\psi'\left(\mathrm{shape}\right)" in text
    assert r"\log\Gamma\left(\mathrm{shape}\right)" in text
    assert ig.formulas.latex(sympy.polygamma(3, r) ** 2) == r"{\psi^{(3)}\left(r\right)}^{2}"
    assert r"&\quad P(x) = \prod_i p_i^{x_i}" in ig.catalogue.entry("categorical:3").latex()


def test_latex_has_one_line_a_family() -> None:
    text = ig.models.table(["normal", "poisson"]).latex()
    assert text.startswith(r"\begin{tabular}{llllll}")
    assert text.count("\\\\\n") == 2
    assert r"\frac{1}{\mathrm{rate}}" in text or r"\frac{1}{rate}" in text


def test_a_family_in_full_has_everything_on_it(some: ig.catalogue.Catalogue) -> None:
    text = repr(row(some, "gamma"))
    for line in (
        "log-density  -rate*x + shape*log(rate) + (shape - 1)*log(x) - loggamma(shape)",
        "outcomes     x > 0",
        "domain       shape, rate > 0",
        "typical      shape 0.5 to 4, rate 0.3 to 3",
        "metric       [[polygamma(1, shape), -1/rate], [-1/rate, shape/rate**2]]",
        "R            (shape*polygamma(2, shape) + polygamma(1, shape))/(2*(shape*polygamma(1, shape) - 1)**2)",
        "curvature    varies",
        "Hessian      yes",
    ):
        assert line in text.splitlines()
    assert "source       Johnson" in text


def test_a_number_of_trials_may_stay_a_symbol() -> None:
    n = sympy.Symbol("n", positive=True)
    found = ig.catalogue.entry(ig.models.binomial(n))
    assert (found.name, found.curvature, str(found.metric.matrix[0])) == ("binomial", "flat", "n/(p*(1 - p))")


def test_models_on_data_and_what_is_no_model_are_refused() -> None:
    network = ig.models.sigmoid_neuron([[0.0, 1.0]], [1], ig.losses.LpNorm(2))
    with pytest.raises(ValueError, match="the metric of 'sigmoid neuron' is a mean over its data"):
        ig.catalogue.entry(network)
    with pytest.raises(TypeError, match="model must be a Model or the name of a family, got int"):
        ig.catalogue.entry(3)  # type: ignore[arg-type]


def test_the_models_alone_do_not_load_the_closed_forms() -> None:
    code = (
        "import sys, infogeom.models as m; assert 'table' in dir(m); assert 'infogeom.symbolic' not in sys.modules;"
        "m.table(['normal']); assert 'infogeom.symbolic' in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    with pytest.raises(AttributeError, match=r"'infogeom\.models' has no attribute 'tabel'"):
        _ = ig.models.tabel
