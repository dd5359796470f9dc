"""What users give by mistake is refused by its name, the rule and the value."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sympy
import sympy.stats
import xarray as xr
from sympy import Interval, Matrix, Symbol, nan, sqrt

import infogeom as ig
from infogeom import models
from infogeom.arguments import array_of, decimal, finite_array, table_of
from tests.torch_like import Tensor

x, a, b, loose = Symbol("x", real=True), Symbol("a", real=True), Symbol("b", real=True), Symbol("a")
s = Symbol("s", positive=True)
LAW, LINE = -((x - a) ** 2) / 2 - sympy.log(2 * sympy.pi) / 2, sympy.S.Reals


def on_a_line(**changed: Any) -> ig.models.Model:
    given = {"mean_function": a + b * x, "noise": models.normal(), "inputs": [0, 1], "variables": x}
    return models.regression(**{**given, "parameters": [a, b], **changed})


def vector() -> sympy.Expr:
    return sympy.stats.MultivariateNormal("v", [0, 0], [[1, 0], [0, 1]])


#: What is called, the error, and what it says.
SLIPS: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "a log-density in quotes": (
        lambda: models.from_density("-x**2", x, [a], LINE), TypeError, "log_density must be a sympy expression, got '-x"
    ),
    "no log-density": (
        lambda: models.from_density(None, x, [a], LINE), TypeError, "log_density must be a sympy expression, got None"
    ),
    "a matrix for a log-density": (
        lambda: models.from_density(Matrix([a]), x, [a], LINE), TypeError, "log_density must be a sympy expression"
    ),
    "a log-density of nan": (
        lambda: models.from_density(nan, x, [a], LINE), ValueError, "log_density must have a value, got nan"
    ),
    "parameters in quotes": (
        lambda: models.from_density(LAW, x, ["a"], LINE), TypeError, "parameters must hold Parameter or Symbol only"
    ),
    "no parameters": (
        lambda: models.from_density(LAW, x, 5, LINE), TypeError, "parameters must be a sequence of Parameter or Symbol"
    ),
    "a parameter of other assumptions": (
        lambda: models.from_density(LAW, x, [loose], LINE), ValueError, "symbol a .* parameter of the same assumptions"
    ),
    "a map to nothing": (
        lambda: models.reparametrise(models.normal(), {"mu": None}), TypeError, r"old\['mu'\] must be a sympy"
    ),
    "a map to a condition": (
        lambda: models.reparametrise(models.normal(), {"mu": a > 0}), TypeError, r"old\['mu'\] must be a sympy"
    ),
    "a map to what is not real": (
        lambda: models.reparametrise(models.normal(), {"sigma": sqrt(-s)}), ValueError, "no real derivative at mu = "
    ),
    "a vector of sympy.stats": (
        lambda: models.from_sympy_stats(vector(), [a]), ValueError, "random_variable must be of one dimension"
    ),
    "a name for a model": (lambda: models.product("normal"), TypeError, "product takes models, got 'normal'"),
    "a model for a mixture": (
        lambda: models.mixture([models.normal(), 3]), TypeError, "components must hold Model only, got 3"
    ),
    "no mixture": (lambda: models.mixture(None), TypeError, "components must be a sequence of Model, got None"),
    "a natural parameter too many": (
        lambda: models.exponential_family(a**2, [a, b]), ValueError, r"log_partition must hold every .* without \['b'\]"
    ),
    "a mean function in quotes": (
        lambda: on_a_line(mean_function="a + b * x"), TypeError, "mean_function must be a sympy expression, got 'a"
    ),
    "an input called as a parameter of the noise": (
        lambda: on_a_line(variables=Symbol("sigma"), mean_function=a + b * Symbol("sigma")),
        ValueError,
        r"variables must differ from the parameters, got \['sigma'\] as both",
    ),
    "a singular covariance": (
        lambda: models.gaussian([a, b], [[s, s], [s, s]], [a, b, s]), ValueError, "covariance must be positive definite"
    ),
    "a covariance of nan": (
        lambda: models.gaussian([a], [[nan]], [a]), ValueError, "covariance must have a value, got nan"
    ),
    "no covariance": (
        lambda: models.multivariate_normal_known_covariance([]), ValueError, "covariance must be a square matrix"
    ),
    "a ragged covariance": (
        lambda: models.gaussian([a, b], [[1, 0], [0]], [a, b]), ValueError, r"got rows of \[2, 1\] entries"
    ),
    "a row for a covariance": (
        lambda: models.gaussian([a, b], [1, 0], [a, b]), TypeError, r"must be a matrix of expressions, got \[1, 0\]"
    ),
    "an unknown covariance that is to be known": (
        lambda: models.multivariate_normal_known_covariance([[s]]), TypeError, "must be a matrix of numbers, got"
    ),
    "degrees of freedom in symbols": (lambda: models.wishart(2, s), TypeError, "dof must be a real number, got s"),
    "a lower bound of 0": (lambda: models.pareto(0), ValueError, "minimum must be positive, got 0"),
    "a map that leaves nothing": (
        lambda: models.reparametrise(models.normal(), {"mu": 0, "sigma": 1}), ValueError, "must leave at least one para"
    ),
    "parameters without an order": (
        lambda: models.from_density(LAW, x, {a, b}, LINE), TypeError, "parameters must be a sequence of Parameter"
    ),
    "a truth value": (lambda: models.negative_binomial(True), TypeError, "r must be a real number, got True"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("number", "fraction"),
    [
        (sympy.Float(0.1), "0.1"),
        (sympy.Float(2 / 3), "0.6666666666666666"),
        (sympy.Float(2.0**-24 * 0.5), "2.9802322387695312e-08"),
        (sympy.Float("0.1", 30), "0.1"),
        (sympy.Float("1.2345678901234567890123456789", 30), "1.2345678901234567890123456789"),
        (sympy.sympify(np.float32(0.1)), "0.1"),
        (sympy.Float("1.5e400"), "1.5e400"),
        (sympy.Float("2e-400"), "2e-400"),
        (0.1, "0.1"),
    ],
    ids=str,
)
def test_a_float_is_the_shortest_decimal_of_its_own_precision(number: Any, fraction: str) -> None:
    assert decimal(number) == sympy.Rational(fraction)


def test_numbers_of_a_density_beyond_float64_are_kept() -> None:
    law = models.from_density(LAW + sympy.Float("1.5e400") * x, x, [a], LINE)
    assert law.log_density.coeff(x) == sympy.Rational("1.5e400")


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_told(slip: str) -> None:
    call, error, told = SLIPS[slip]
    with pytest.raises(error, match=told):
        call()


def test_the_ends_of_a_domain_lie_outside() -> None:
    assert models.Parameter(s, Interval(0, 5)).domain == Interval.open(0, 5)


def test_a_matrix_of_sympy_is_a_mean() -> None:
    law = models.gaussian(Matrix([a, 0]), Matrix([[1, 0], [0, 2]]), [a])
    assert ig.symbolic.metric(law).matrix == Matrix([[1]])


def test_a_single_symbol_stands_for_its_sequence() -> None:
    assert [p.name for p in models.from_density(LAW, x, a, LINE).parameters] == ["a"]


def test_floats_of_a_density_are_the_decimal_fractions_that_they_print_as() -> None:
    law = models.from_density(0.1 * LAW + 0.3, x, [a], Interval(-1, 1))
    assert not law.log_density.atoms(sympy.Float)
    assert law.log_density.subs({x: 0, a: 0}).has(sympy.Rational(3, 10))


def test_the_inputs_of_a_regression_are_read_by_the_names_of_its_variables() -> None:
    u, v = sympy.symbols("u v", real=True)
    frame = pd.DataFrame({"v": [1.0, 2.0], "u": [3.0, 4.0]})
    samples = on_a_line(mean_function=a * u + b * v, variables=[u, v], inputs=frame).samples
    assert samples is not None
    assert samples.data.tolist() == [[3, 1], [4, 2]]


START = {"theta2": 2.0, "theta1": 1.0}


@pytest.mark.parametrize("start", [START, pd.Series(START), namedtuple("Start", START)(**START)], ids=type)
def test_a_start_is_read_by_name(start: Any) -> None:
    neuron = models.sigmoid_neuron([[0.3, 0.8], [0.7, 0.1]], [1, 0], ig.losses.CrossEntropy())
    path = ig.training.gradient_descent(neuron, start, learning_rate=0.1, steps=1)
    assert [float(path[name][0]) for name in ("theta1", "theta2")] == [1, 2]
    assert neuron.output(start, [[1.0, 0.0]]) == neuron.output([1.0, 2.0], [[1.0, 0.0]])


Named = namedtuple("Named", ["sigma", "mu"])
SWAPPED: dict[str, Any] = {
    "a list of Series": [pd.Series({"sigma": 2.0, "mu": 0.5}), pd.Series({"sigma": 3.0, "mu": 1.0})],
    "an array of named tuples": np.array([Named(2.0, 0.5), Named(3.0, 1.0), None], dtype=object)[:2],
    "a named tuple of columns": Named([2.0, 3.0], [0.5, 1.0]),
    "a Series of columns by symbols": pd.Series({Symbol("sigma"): [2.0, 3.0], Symbol("mu"): [0.5, 1.0]}),
    "a Dataset with a variable called columns": xr.Dataset(
        {"columns": ("k", [0, 1]), "sigma": ("k", [2.0, 3.0]), "mu": ("k", [0.5, 1.0])}
    ),
}


@pytest.mark.parametrize("table", SWAPPED)
def test_a_table_that_has_names_is_read_by_them(table: str) -> None:
    assert table_of("points", SWAPPED[table], ["mu", "sigma"]).tolist() == [[0.5, 2.0], [1.0, 3.0]]


@pytest.mark.parametrize("given", [{"sigma": 2.0, "mu": 0.5}, Named(2.0, 0.5), pd.Series({"sigma": 2.0, "mu": 0.5})])
def test_numbers_by_name_are_one_point(given: Any) -> None:
    assert ig.grid.evaluate_points(models.normal(), given, ["metric"]).sigma.values.tolist() == [2.0]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([Named(2.0, 0.5), (0.5, 2.0)], r"name the values of every row or of none, got \(0.5, 2.0\)"),
        (pd.DataFrame({"sigma": [2.0, 3.0], "mu": [0.5, 1.0]}).T, "as columns, got them as rows"),
    ],
)
def test_names_of_a_part_and_names_of_rows_are_refused(given: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        table_of("points", given, ["mu", "sigma"])


def test_an_array_of_one_object_is_no_table() -> None:
    with pytest.raises(TypeError, match="points must hold real numbers"):
        table_of("points", np.array({"mu": 0.5}, dtype=object), ["mu", "sigma"])


def test_points_to_verify_are_read_by_name() -> None:
    points = {"sigma": [2.0], "mu": [0.5]}
    assert {row.point for row in ig.verify(models.normal(), points).rows} == {(0.5, 2.0)}
    assert {row.point for row in ig.einstein.compare(models.normal(), points).rows} == {(0.5, 2.0)}


def test_known_numbers_of_a_model_are_the_decimals_that_they_print_as() -> None:
    law = models.from_density(LAW, x, [a], LINE)
    changed = replace(law, constraints=[a + 0.1], observables={"height": 0.3 * x}, constants={Symbol("n"): 0.7})
    tenth = sympy.Rational(1, 10)
    assert (changed.constraints, changed.observables) == ((a + tenth,), {"height": 3 * tenth * x})
    assert list(changed.constants.values()) == [7 * tenth]


# --- Tensors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("device", ["cpu", "cuda:0"])
@pytest.mark.parametrize("requires_grad", [False, True])
def test_a_tensor_is_read_by_its_numbers(device: str, requires_grad: bool) -> None:
    tensor = Tensor([[0.5, 1.0]], requires_grad=requires_grad, device=device)
    assert finite_array("x", tensor, 2).tolist() == [[0.5, 1.0]]
    assert finite_array("x", [tensor, (tensor, tensor)][1], 3).tolist() == [[[0.5, 1.0]]] * 2
    assert (tensor.requires_grad, tensor.device) == (requires_grad, device)


def test_the_type_of_a_tensors_numbers_is_kept() -> None:
    assert array_of(Tensor(np.float32([1, 2]), requires_grad=True)).dtype == np.float32
    assert array_of([Tensor(np.int64(1)), Tensor(np.int64(2), device="cuda:0")]).dtype == np.int64


def test_a_tensor_without_numbers_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match="x must hold real numbers: Cannot copy out of meta tensor"):
        finite_array("x", Tensor([1.0], device="meta"))
    with pytest.raises(ValueError, match="x must be finite, got nan at index 1"):
        finite_array("x", Tensor([1.0, np.nan], requires_grad=True))


def test_tensors_are_taken_wherever_numbers_are() -> None:
    x, y, w = ([[1.0, 0.5], [0.2, -1.0]], [1, 0], [1.0, 3.0])
    tensors = [Tensor(np.array(values, float), requires_grad=True) for values in (x, y, w)]
    by_hand, by_tensors = (
        models.sigmoid_neuron(inputs, targets, ig.losses.CrossEntropy(), weights=weights).samples
        for inputs, targets, weights in ((x, y, w), tensors)
    )
    assert by_tensors.data.tolist() == by_hand.data.tolist()
    assert by_tensors.weights.tolist() == by_hand.weights.tolist()
    line = on_a_line(inputs=tensors[1], weights=tensors[2])
    assert line.samples.weights.tolist() == [0.25, 0.75]
    start = {"mu": Tensor(0.5, requires_grad=True), "sigma": Tensor(2.0, device="cuda:0")}
    assert ig.grid.evaluate_points(models.normal(), start, ["metric"]).sigma.values.tolist() == [2.0]
