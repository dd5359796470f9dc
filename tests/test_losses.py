"""The losses: their definitions at numbers, and the orders they refuse."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Rational

import infogeom as ig
from infogeom import losses, plotting
from infogeom.cli import subjects
from infogeom.losses import CrossEntropy, Loss, LpNorm, MeanPower
from tests.problems import EPS

F, Y = [Rational(1, 5), Rational(3, 5)], [sympy.Integer(1), sympy.Integer(0)]


def test_mean_power_is_the_mean_of_powers() -> None:
    assert MeanPower(4).expression(F, Y) == (Rational(-4, 5) ** 4 + Rational(3, 5) ** 4) / 2


def test_lp_norm_is_the_norm_of_the_residual() -> None:
    assert LpNorm(2).expression(F, Y) == 1  # a 3–4–5 triangle
    assert LpNorm(1).expression(F, Y) == Rational(7, 5)


def test_lp_norms_of_one_output_are_all_the_same() -> None:
    values = {LpNorm(p).expression([Rational(1, 5)], [sympy.Integer(1)]) for p in (1, 2, 3)}
    assert values == {Rational(4, 5)}


def test_lp_norm_takes_orders_that_are_no_integers() -> None:
    found = float(LpNorm(1.5).expression(F, Y))
    assert found == pytest.approx((0.8**1.5 + 0.6**1.5) ** (1 / 1.5), rel=1e-14)


def test_cross_entropy_of_several_outputs_is_that_of_their_softmax() -> None:
    found = float(CrossEntropy().expression(F, Y))
    assert found == pytest.approx(-math.log(math.exp(0.2) / (math.exp(0.2) + math.exp(0.6))), rel=1e-14)


@pytest.mark.parametrize(("target", "probability"), [(1, 0.2), (0, 0.8)])
def test_cross_entropy_of_one_output_is_the_binary_one(target: int, probability: float) -> None:
    found = CrossEntropy().expression([Rational(1, 5)], [sympy.Integer(target)])
    assert float(found) == pytest.approx(-math.log(probability), rel=1e-14)


@pytest.mark.parametrize(
    ("loss", "name"),
    [(CrossEntropy(), "cross-entropy"), (LpNorm(2), "l2"), (LpNorm(1.5), "l1.5"), (MeanPower(6), "mean-power-6")],
    ids=str,
)
def test_names_hold_the_order(loss: Loss, name: str) -> None:
    assert loss.name == name


def test_losses_are_values() -> None:
    assert LpNorm(2) == LpNorm(2) != LpNorm(3)
    assert hash(MeanPower(2)) == hash(MeanPower(2.0))
    with pytest.raises(AttributeError):
        MeanPower(2).n = 4  # type: ignore[misc]


@pytest.mark.parametrize("n", [1, 3, 5, -3])
def test_an_odd_mean_power_is_a_value_error(n: int) -> None:
    with pytest.raises(ValueError, match=f"n must be even and at least 2, got {n}"):
        MeanPower(n)


@pytest.mark.parametrize("n", [0, -2])
def test_a_mean_power_below_two_is_a_value_error(n: int) -> None:
    with pytest.raises(ValueError, match=f"n must be even and at least 2, got {n}"):
        MeanPower(n)


@pytest.mark.parametrize("n", [2.5, "2", None, True, 2 + 0j])
def test_a_mean_power_that_is_no_integer_is_a_type_error(n: Any) -> None:
    with pytest.raises(TypeError, match="n must be an integer"):
        MeanPower(n)


@pytest.mark.parametrize("n", [math.nan, math.inf])
def test_a_mean_power_that_is_not_finite_is_refused_by_name(n: float) -> None:
    with pytest.raises((TypeError, ValueError), match="MeanPower: n must be"):
        MeanPower(n)  # type: ignore[arg-type]


def test_an_order_may_be_any_kind_of_real_number() -> None:
    assert {LpNorm(p).name for p in (3.5, Fraction(7, 2), sympy.Rational(7, 2))} == {"l3.5"}


@pytest.mark.parametrize("p", [0.99, 0, -1, math.inf, math.nan])
def test_an_order_below_one_or_not_finite_is_a_value_error(p: float) -> None:
    with pytest.raises(ValueError, match=f"p must be finite and at least 1, got {p}"):
        LpNorm(p)


@pytest.mark.parametrize("p", ["2", None, True, 2j])
def test_an_order_that_is_no_number_is_a_type_error(p: Any) -> None:
    with pytest.raises(TypeError, match="p must be a real number"):
        LpNorm(p)


# --- What every kind of loss meets on arrival -------------------------------------------------------------------------

every_kind = pytest.mark.parametrize("kind", losses.KINDS, ids=lambda kind: kind.__name__)


def example(kind: type[Loss]) -> Loss:
    """The loss that the words on its name end with."""
    return losses.by_name(kind.written.split()[-1])


def test_every_public_loss_is_listed() -> None:
    public = {getattr(losses, name) for name in losses.__all__}
    assert {c for c in public if isinstance(c, type)} - {Loss} == {*losses.KINDS}


@every_kind
def test_a_loss_is_found_by_its_name(kind: type[Loss]) -> None:
    assert isinstance(example(kind), kind)
    assert losses.by_name(example(kind).name) == example(kind)


@every_kind
def test_the_command_knows_a_loss(kind: type[Loss]) -> None:
    model = subjects.model_named(f"neuron:{example(kind).name}", samples=5)
    assert isinstance(model, ig.models.Model)
    assert model.loss == example(kind)


@every_kind
def test_the_words_on_a_name_are_in_the_help(kind: type[Loss]) -> None:
    assert example(kind).name in subjects.MODELS


@every_kind
def test_figures_have_the_title_of_a_loss(kind: type[Loss]) -> None:
    assert plotting.loss_title(example(kind).name) == example(kind).title != ""


@every_kind
@pytest.mark.parametrize("fisher", ["empirical", "expected"])
def test_the_two_parameter_network_takes_a_loss(kind: type[Loss], fisher: str) -> None:
    x, y = ig.models.decision_boundary(5, seed=0)
    ds = ig.grid.evaluate_points(
        ig.models.sigmoid_neuron(x, y, example(kind), fisher=fisher), [[0.5, -0.3]], ["fisher_trace"]
    )
    assert ds.status.item() == 0
    assert ds.fisher_trace.item() > 0


@every_kind
@pytest.mark.parametrize("fisher", ["empirical", "expected"])
@pytest.mark.parametrize("outputs", [1, 3])
def test_a_network_of_any_size_takes_a_loss(kind: type[Loss], fisher: Any, outputs: int) -> None:
    rng = np.random.default_rng(0)
    y = np.eye(3)[rng.integers(3, size=6)][:, :outputs]
    net = ig.network.MLP((2, 4, outputs), seed=0)
    assert ig.network.fisher_trace(net, rng.normal(size=(6, 2)), y, example(kind), fisher=fisher) > 0


def test_a_name_of_no_loss_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="loss must be cross-entropy, an L_p norm such as l2, or a mean power such as"):
        losses.by_name("hinge")


@pytest.mark.parametrize("name", ["l0.5", "mean-power-3", "mean-power-2.5"])
def test_a_name_with_an_order_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"loss '{name}' is none: "):
        losses.by_name(name)


def test_a_loss_in_place_of_its_name_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="loss must be given by its name, got CrossEntropy"):
        losses.by_name(CrossEntropy())  # type: ignore[arg-type]


# --- Numbers ----------------------------------------------------------------------------------------------------------

NUMERIC: list[Any] = [LpNorm(p) for p in (1, 2, 3.5, 4, 6)] + [MeanPower(n) for n in (2, 4, 6, 12)] + [CrossEntropy()]
every_numeric = pytest.mark.parametrize("loss", NUMERIC, ids=lambda loss: loss.name)
residuals = st.lists(st.integers(-400, 400).map(lambda k: k / 100 + 0.003), min_size=3, max_size=3)


def defined(loss: Loss, outputs: list[float], targets: list[float]) -> tuple[float, list[float]]:
    """Value and derivatives of the definition, differentiated by SymPy and evaluated in 60 digits."""
    f = sympy.symbols(f"f:{len(outputs)}", real=True)
    logits = [1 / (1 + sympy.exp(-f[0]))] if len(f) == 1 and isinstance(loss, CrossEntropy) else f
    expression = loss.expression(logits, [Rational(y) for y in targets])
    at = {symbol: Rational(value) for symbol, value in zip(f, outputs, strict=True)}
    return float(expression.subs(at).evalf(60)), [float(expression.diff(s).subs(at).evalf(60)) for s in f]


@every_numeric
@settings(max_examples=10)
@given(outputs=residuals, label=st.integers(0, 2))
def test_values_and_derivatives_are_those_of_the_definition(loss: Loss, outputs: list[float], label: int) -> None:
    y = np.eye(3)[[label]]
    value, gradient = defined(loss, outputs, y[0].tolist())
    # Powers magnify the rounding of a residual by their order; e^f by |f| ≤ 4.
    assert loss.values(np.array([outputs]), y)[0] == pytest.approx(value, rel=100 * EPS, abs=1e-300)
    np.testing.assert_allclose(loss.gradient(np.array([outputs]), y)[0], gradient, rtol=100 * EPS, atol=1e-300)


@pytest.mark.parametrize("loss", [CrossEntropy(), LpNorm(2), MeanPower(4)], ids=lambda loss: loss.name)
@pytest.mark.parametrize("output", [-3.0, 0.4, 2.0])
@pytest.mark.parametrize("label", [0.0, 1.0, 0.25])
def test_a_single_output_is_a_logit_for_cross_entropy_and_itself_otherwise(
    loss: Loss, output: float, label: float
) -> None:
    value, gradient = defined(loss, [output], [label])
    f, y = np.array([[output]]), np.array([[label]])
    assert loss.values(f, y)[0] == pytest.approx(value, rel=100 * EPS)
    assert loss.gradient(f, y)[0].tolist() == pytest.approx(gradient, rel=100 * EPS)


@pytest.mark.parametrize("label", [0, 1])
def test_cross_entropy_does_not_cancel_where_the_network_is_sure(label: int) -> None:
    f, y = np.array([[300.0, 0.0, -5.0]]), np.eye(3)[[label]]
    value, gradient = defined(CrossEntropy(), f[0].tolist(), y[0].tolist())
    assert CrossEntropy().values(f, y)[0] == pytest.approx(value, rel=1000 * EPS, abs=0)
    np.testing.assert_allclose(CrossEntropy().gradient(f, y)[0], gradient, rtol=1000 * EPS, atol=0)


@pytest.mark.parametrize("p", [1, 2, 3.5, 6])
def test_the_derivative_of_a_norm_is_zero_at_zero(p: float) -> None:
    f = np.array([[1.0, 2.0], [1.0, 3.0]])
    gradient = LpNorm(p).gradient(f, np.array([[1.0, 2.0], [1.0, 2.0]]))
    assert gradient.tolist() == [[0.0, 0.0], [0.0, 1.0]]
    assert LpNorm(p).values(f, f).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("size", [1e-300, 1e-100, 1e100, 1e300])
@pytest.mark.parametrize("p", [1, 2, 6, 100])
def test_a_norm_is_as_good_at_any_scale(p: float, size: float) -> None:
    e, zero = np.array([[3.0, -4.0, 1.0]]), np.zeros((1, 3))
    np.testing.assert_allclose(LpNorm(p).values(size * e, zero), size * LpNorm(p).values(e, zero), rtol=8 * EPS)
    np.testing.assert_allclose(LpNorm(p).gradient(size * e, zero), LpNorm(p).gradient(e, zero), rtol=100 * p * EPS)


def test_the_l2_norm_has_a_derivative_of_length_one() -> None:
    e = np.random.default_rng(0).normal(size=(50, 10))
    np.testing.assert_allclose((LpNorm(2).gradient(e, 0 * e) ** 2).sum(axis=1), 1, rtol=8 * EPS)


@pytest.mark.parametrize(
    ("loss", "outputs", "c"),
    [
        (MeanPower(2), 1, 2.0),
        (MeanPower(4), 1, 4.055869),
        (MeanPower(6), 1, 6.083667),
        (MeanPower(2), 10, 0.2),
        (MeanPower(4), 10, 1.282579),
        (MeanPower(6), 10, 2.823788),
        (LpNorm(1), 1, 1.0),
        (LpNorm(2), 1, 1.0),
        (LpNorm(2), 10, 0.1),
        (LpNorm(4), 10, 0.056163),
        (LpNorm(6), 10, 0.054912),
    ],
    ids=str,
)
def test_the_constant_of_the_expected_fisher_is_the_known_one(loss: Any, outputs: int, c: float) -> None:
    # By integration of (∂ℓ)² e^−ℓ; given to six digits.
    assert loss.information(outputs) == pytest.approx(c, abs=6e-7)


@every_numeric
@pytest.mark.parametrize("outputs", [1, 4])
def test_the_factor_of_the_expected_fisher_is_a_root_of_the_second_moment(loss: Loss, outputs: int) -> None:
    f = np.random.default_rng(2).normal(size=(5, outputs))
    factor = np.broadcast_to(loss.expected_factor(f), (5, *loss.expected_factor(f).shape[1:]))
    moment = np.einsum("nka,nkb->nab", factor, factor)
    if isinstance(loss, CrossEntropy):
        p = np.exp(f) / np.exp(f).sum(axis=1, keepdims=True) if outputs > 1 else 1 / (1 + np.exp(-f))
        expected = np.einsum("na,ab->nab", p, np.eye(outputs)) - np.einsum("na,nb->nab", p, p)
    else:
        expected = np.broadcast_to(loss.information(outputs) * np.eye(outputs), moment.shape)  # type: ignore[attr-defined]
    np.testing.assert_allclose(moment, expected, atol=20 * EPS)


def test_a_mean_power_beyond_float64_is_infinite_without_a_warning() -> None:
    e = np.array([[1e200]])
    assert MeanPower(4).values(e, 0 * e).tolist() == [np.inf]
    assert MeanPower(4).gradient(e, 0 * e).tolist() == [[np.inf]]


@pytest.mark.parametrize("targets", [[[-0.5, 1.5]], [[1.0, 1.0]], [[0.2, 0.2]]], ids=str)
def test_cross_entropy_asks_for_distributions(targets: list[list[float]]) -> None:
    CrossEntropy().check_targets(np.array([[1.0, 0.0], [0.25, 0.75]]))
    with pytest.raises(ValueError, match=r"must be non-negative and sum to 1 .* at index 0"):
        CrossEntropy().check_targets(np.array(targets))


def test_cross_entropy_of_one_output_asks_for_a_probability() -> None:
    CrossEntropy().check_targets(np.array([[0.0], [0.3], [1.0]]))
    with pytest.raises(ValueError, match=r"lie in \[0, 1\] for one output\), got \[3.\] at index 0"):
        CrossEntropy().check_targets(np.array([[3.0]]))


def test_close_orders_have_different_names() -> None:
    assert len({LpNorm(p).name for p in (1, 1.000001, 1.0000014)}) == 3


# --- Second derivatives -----------------------------------------------------------------------------------------------


def curvature(loss: Loss, outputs: list[float], targets: list[float]) -> Any:
    """Second derivatives of the definition, by SymPy in 60 digits."""
    f = sympy.symbols(f"f:{len(outputs)}", real=True)
    logits = [1 / (1 + sympy.exp(-f[0]))] if len(f) == 1 and isinstance(loss, CrossEntropy) else f
    first = [loss.expression(logits, [Rational(y) for y in targets]).diff(s) for s in f]
    # The sign of a residual has no derivative where it is not 0.
    H = sympy.Matrix(first).jacobian(f).replace(sympy.DiracDelta, lambda *_: sympy.Integer(0))
    at = {symbol: Rational(value) for symbol, value in zip(f, outputs, strict=True)}
    return np.array(H.subs(at).evalf(60).tolist(), dtype=float)


def second(loss: Loss, f: Any, y: Any) -> Any:
    """Second derivatives of each sample, (N, O, O), as products with unit vectors."""
    return loss.hessian_product(f, y, np.broadcast_to(np.eye(f.shape[1]), (len(f), f.shape[1], f.shape[1])))


@every_numeric
@settings(max_examples=10)
@given(outputs=residuals, label=st.integers(0, 2))
def test_second_derivatives_are_those_of_the_definition(loss: Loss, outputs: list[float], label: int) -> None:
    y = np.eye(3)[[label]]
    expected = curvature(loss, outputs, y[0].tolist())
    found = second(loss, np.array([outputs]), y)[0]
    # As of the gradient, for the order's powers; differences lose no more than a digit of the largest.
    np.testing.assert_allclose(found, expected, rtol=1000 * EPS, atol=100 * EPS * abs(expected).max())


@every_numeric
@pytest.mark.parametrize("outputs", [1, 4])
def test_products_with_directions_are_linear_and_symmetric(loss: Loss, outputs: int) -> None:
    rng = np.random.default_rng(3)
    f, y, v = rng.normal(size=(5, outputs)), np.eye(5)[:, :outputs], rng.normal(size=(5, outputs, 7))
    H = second(loss, f, y)
    scale = 1 + abs(H).max()
    np.testing.assert_allclose(H, H.swapaxes(1, 2), atol=20 * EPS * scale)
    np.testing.assert_allclose(loss.hessian_product(f, y, v), H @ v, atol=100 * EPS * scale)


@pytest.mark.parametrize("loss", [CrossEntropy(), LpNorm(2), MeanPower(4)], ids=lambda loss: loss.name)
@pytest.mark.parametrize("output", [-3.0, 0.4, 2.0])
def test_a_single_output_has_the_second_derivative_of_its_definition(loss: Loss, output: float) -> None:
    found = second(loss, np.array([[output]]), np.array([[0.25]]))
    np.testing.assert_allclose(found[0], curvature(loss, [output], [0.25]), rtol=100 * EPS, atol=0)


def test_second_derivatives_do_not_cancel_where_one_output_leads() -> None:
    f, y = np.array([[300.0, 0.0, -5.0]]), np.eye(3)[[0]]
    found = second(CrossEntropy(), f, y)[0]
    np.testing.assert_allclose(found, curvature(CrossEntropy(), f[0].tolist(), y[0].tolist()), rtol=1000 * EPS, atol=0)
    e, zero = np.array([[3.0, -1e-12, 2e-12]]), np.zeros((1, 3))
    found = second(LpNorm(3), e, zero)[0]
    np.testing.assert_allclose(found, curvature(LpNorm(3), e[0].tolist(), [0, 0, 0]), rtol=1000 * EPS, atol=0)


@pytest.mark.parametrize("size", [1e-300, 1e-100, 1e100, 1e300])
@pytest.mark.parametrize("p", [1, 1.5, 2, 6, 100])
def test_the_second_derivative_of_a_norm_is_as_good_at_any_scale(p: float, size: float) -> None:
    e, zero = np.array([[3.0, -4.0, 1.0]]), np.zeros((1, 3))
    expected = second(LpNorm(p), e, zero)
    found = second(LpNorm(p), size * e, zero) * size
    np.testing.assert_allclose(found, expected, rtol=1000 * p * EPS, atol=1e-40 * abs(expected).max())


@pytest.mark.parametrize(("p", "undefined"), [(1, 2), (1.5, 2), (2, 1), (3, 1)])
def test_a_norm_has_no_second_derivative_at_zero(p: float, undefined: int) -> None:
    f = np.array([[1.0, 2.0], [1.0, 3.0], [2.0, 3.0]])  # residuals: none, of one output, of both
    found = np.isnan(second(LpNorm(p), f, np.array([[1.0, 2.0]] * 3)))
    assert found.all(axis=(1, 2)).tolist() == found.any(axis=(1, 2)).tolist() == [n < undefined for n in range(3)]


def test_labels_weigh_the_second_derivative_of_cross_entropy() -> None:
    # By differences of the gradient, which is linear in the labels; their sum need not be 1 to the last digit.
    f, y, step = np.array([[0.3, -0.2, 1.0]]), np.array([[0.5, 1.0, 0.25]]), 1e-5 * np.eye(3)
    differences = [CrossEntropy().gradient(f + e, y) - CrossEntropy().gradient(f - e, y) for e in step]
    np.testing.assert_allclose(second(CrossEntropy(), f, y)[0], np.concatenate(differences) / 2e-5, atol=1e-9)


def test_a_second_derivative_beyond_float64_is_infinite_where_it_is_not_zero() -> None:
    e = np.array([[1e200, 1.0]])
    assert second(MeanPower(4), e, 0 * e).tolist() == [[[np.inf, 0.0], [0.0, 6.0]]]


def test_the_euclidean_norm_is_round_where_an_output_has_no_residual() -> None:
    found = second(LpNorm(2), np.array([[0.0, 4.0]]), np.zeros((1, 2)))
    assert found.tolist() == [[[0.25, 0.0], [0.0, 0.0]]]


# --- Losses of one's own ----------------------------------------------------------------------------------------------


class Huber(Loss):
    """What a loss needs for an empirical Fisher trace."""

    name = "huber"

    def gradient(self, outputs: Any, targets: Any) -> Any:
        return np.clip(outputs - targets, -1, 1)


class Factor(Loss):
    """What a loss needs for an expected Fisher trace."""

    name = "factor"

    def expected_factor(self, outputs: Any) -> Any:
        return np.eye(outputs.shape[1])[None]


DATA: Any = (ig.network.MLP((4, 5, 3), seed=0), np.ones((6, 4)), np.zeros((6, 3)))


def test_a_loss_of_ones_own_needs_only_what_it_is_used_for() -> None:
    assert Huber().title == "huber"
    residuals = DATA[0].output(DATA[1])
    assert abs(residuals).max() < 1  # so far it is half of the sum of squares
    expected = (3 / 2) ** 2 * ig.network.fisher_trace(*DATA, MeanPower(2))
    assert ig.network.fisher_trace(*DATA, Huber()) == pytest.approx(expected, rel=1e-5)
    assert ig.network.Record(losses=[Huber()]).losses[0].name == "huber"


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (
            lambda: ig.network.fisher_trace(*DATA, Huber(), fisher="expected"),
            r"loss huber has no expected_factor, which fisher='expected' needs: define Huber.expected_factor\(out",
        ),
        (
            lambda: ig.network.fit(*DATA, Huber(), epochs=1),
            r"loss huber has no values, which training needs: define Huber.values\(outputs, targets\)",
        ),
        (
            lambda: ig.network.study(*DATA[1:], losses=[Huber()], widths=[3], seeds=[0], epochs=1, workers=1),
            "loss huber has no values, which training needs",
        ),
        (
            lambda: ig.models.sigmoid_neuron([[1.0, 0.5]], [1], Huber()),
            r"loss huber has no expression, which a model needs: define Huber.expression\(outputs, targets\)",
        ),
        (
            lambda: ig.network.natural_gradient(*DATA, Factor(), damping=1.0, fisher="expected"),
            "loss factor has no gradient, which a natural gradient needs",
        ),
        (
            lambda: ig.network.Record(losses=[Factor()]),
            "loss factor has no gradient, which a recorded Fisher trace needs",
        ),
        (
            lambda: Huber().values(DATA[2], DATA[2]),
            r"loss huber has no values: define Huber.values\(outputs, targets\)",
        ),
    ],
    ids=["expected", "fit", "study", "model", "natural gradient", "record", "itself"],
)
def test_what_a_loss_leaves_out_is_asked_for_by_name(use: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        use()


def test_a_loss_without_a_name_cannot_be_made() -> None:
    class Nameless(Loss):
        pass

    with pytest.raises(TypeError, match="name"):
        Nameless()  # type: ignore[abstract]


@pytest.mark.parametrize("name", ["log-cosh", "l", "lp"])
def test_a_name_that_only_begins_like_a_norm_is_none(name: str) -> None:
    with pytest.raises(ValueError, match=f"loss must be cross-entropy.*got '{name}'"):
        ig.losses.by_name(name)


class Misshapen(Huber):
    """Its methods return other shapes than they should, of which some would be taken for others."""

    name = "misshapen"

    def values(self, outputs: Any, targets: Any) -> Any:
        return (outputs - targets) ** 2

    def hessian_product(self, outputs: Any, targets: Any, directions: Any) -> Any:
        return directions[..., 0]

    def expected_factor(self, outputs: Any) -> Any:
        return np.eye(outputs.shape[1])


class Transposed(Misshapen):
    def gradient(self, outputs: Any, targets: Any) -> Any:
        return (outputs - targets).sum(axis=1)


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (
            lambda: ig.network.fit(*DATA, Misshapen(), epochs=1),
            r"loss misshapen: values must return shape \(2,\) for 2 samples, got \(2, 3\)",
        ),
        (
            lambda: ig.network.fit(*DATA, MeanPower(2), epochs=1, record=ig.network.Record(losses=[Transposed()])),
            r"gradient must return shape \(2, 3\) for 2 samples, got \(2,\)",
        ),
        (
            lambda: ig.network.fisher_trace(DATA[0], DATA[1], None, Misshapen(), fisher="expected"),
            r"expected_factor must return shape \(1, K, 3\) or \(2, K, 3\) for 2 samples, got \(3, 3\)",
        ),
        (
            lambda: ig.network.hessian_product(*DATA, Misshapen(), np.ones(43)),
            r"hessian_product must return shape \(2, 3, 1\) for 2 samples, got \(2, 3\)",
        ),
        (
            lambda: ig.network.natural_gradient(*DATA, Transposed(), damping=1.0),
            r"gradient must return shape \(2, 3\) for 2 samples, got \(2,\)",
        ),
    ],
)
def test_a_loss_that_returns_other_shapes_is_told_before_any_work(use: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        use()
