"""The references themselves, against closed forms from the literature and identities that hold at every point."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests import reference
from tests.reference import Jet, Loss, context, cross_entropy, curvature, fisher, jet, lp_norm, mean_power, network_jet

pytestmark = pytest.mark.timeout(60)

LOSSES = [cross_entropy, lp_norm(2), lp_norm(3), mean_power(2), mean_power(4), mean_power(6)]
EXACT = context.mpf(10) ** (8 - reference.DIGITS)  # eight digits for the conditioning of these small problems


def name(loss: Loss) -> str:
    return f"{loss.kind}-{loss.order}"


def close(value: Any, expected: Any, relative: Any = EXACT) -> bool:
    """Whether two numbers or arrays agree to nearly all digits, relative to the largest expected entry or 1."""
    value, expected = (np.atleast_1d(np.array(a, dtype=object)) for a in (value, expected))
    size = max(1, *(abs(e) for e in expected.ravel()))
    return value.shape == expected.shape and all(abs(d) <= relative * size for d in (value - expected).ravel())


def data(n: int = 7, columns: int = 2) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    rng = np.random.default_rng(5)
    return rng.random((n, columns)), rng.integers(0, 2, n)


def normal_log_density(x: Any, mu: Any, sigma: Any) -> Any:
    return -((x - mu) ** 2) / (2 * sigma**2) - context.log(sigma) - context.log(2 * context.pi) / 2


def gumbel_log_density(x: Any, mu: Any, sigma: Any) -> Any:
    z = (x - mu) / sigma
    return -z - context.exp(-z) - context.log(sigma)


def random_jet(n: int, seed: int) -> Jet:
    """Jet with no symmetry but those every metric has."""
    rng = np.random.default_rng(seed)

    def draw(*shape: int) -> np.ndarray[Any, Any]:
        return np.vectorize(context.convert, otypes=[object])(rng.standard_normal(shape))

    g, dg, ddg = draw(n, n), draw(n, n, n), draw(n, n, n, n)
    g, dg, ddg = g @ g.T, dg + dg.swapaxes(0, 1), ddg + ddg.swapaxes(0, 1)
    return Jet(g, dg, ddg + ddg.swapaxes(2, 3))


# --- Curvature of a jet -----------------------------------------------------------------------------------------------


def test_normal_law_has_ricci_scalar_minus_one() -> None:
    geometry = curvature(jet(lambda _, sigma: [[sigma**-2, 0], [0, 2 * sigma**-2]], (0.3, 1.7)))
    assert close(geometry.scalar, -1)


def test_normal_law_has_the_christoffel_symbols_of_the_half_plane() -> None:
    sigma = context.mpf(1.5)
    gamma = curvature(jet(lambda _, s: [[s**-2, 0], [0, 2 * s**-2]], (0.3, sigma))).christoffel
    expected = np.full((2, 2, 2), context.zero)
    expected[0, 0, 1] = expected[0, 1, 0] = expected[1, 1, 1] = -1 / sigma
    expected[1, 0, 0] = 1 / (2 * sigma)
    assert close(gamma, expected)


def test_sphere_has_ricci_scalar_two() -> None:
    assert close(curvature(jet(lambda u, _: [[1, 0], [0, context.sin(u) ** 2]], (1.1, 0.4))).scalar, 2)


def test_sphere_has_riemann_component_sine_squared() -> None:
    riemann = curvature(jet(lambda u, _: [[1, 0], [0, context.sin(u) ** 2]], (1.1, 0.4))).riemann
    sine = context.sin(1.1) ** 2
    assert close([riemann[0, 1, 0, 1], riemann[0, 1, 1, 0], riemann[1, 0, 1, 0]], [sine, -sine, 1])


def test_three_sphere_is_einstein() -> None:
    def metric(a: Any, b: Any, _: Any) -> list[list[Any]]:
        s, t = context.sin(a) ** 2, context.sin(b) ** 2
        return [[1, 0, 0], [0, s, 0], [0, 0, s * t]]

    at = jet(metric, (0.7, 1.2, 0.1))
    assert close(curvature(at).ricci, 2 * at.g)
    assert close(curvature(at).scalar, 6)


def test_schwarzschild_is_ricci_flat_but_not_flat() -> None:
    def metric(_: Any, r: Any, theta: Any, phi: Any) -> list[list[Any]]:  # noqa: ARG001
        return np.diag([-(1 - 2 / r), 1 / (1 - 2 / r), r**2, (r * context.sin(theta)) ** 2]).tolist()

    geometry = curvature(jet(metric, (0, 7, 1.1, 0)))
    assert close(geometry.ricci, np.zeros((4, 4), dtype=object))
    # R_trtr = −2M/r³ (Misner, Thorne, Wheeler 1973, Eq. 31.4), so R^t_rtr = 2M / (r³ (1 − 2M/r)); M = 1, r = 7.
    assert close(geometry.riemann[0, 1, 0, 1], 2 / (context.mpf(343) * 5 / 7))


def test_de_sitter_space_has_ricci_scalar_twelve() -> None:
    metric = lambda t, *_: np.diag([-1, *[context.exp(2 * t)] * 3]).tolist()  # noqa: E731
    assert close(curvature(jet(metric, (0.3, 1, 2, 3))).scalar, 12)


@pytest.mark.parametrize("n", [2, 3, 4])
def test_riemann_of_any_jet_has_the_symmetries_of_a_riemann_tensor(n: int) -> None:
    at = random_jet(n, seed=n)
    lowered = np.tensordot(at.g, curvature(at).riemann, axes=(1, 0))
    zero = np.zeros_like(lowered)
    assert close(lowered + lowered.transpose(0, 1, 3, 2), zero)
    assert close(lowered + lowered.transpose(1, 0, 2, 3), zero)
    assert close(lowered - lowered.transpose(2, 3, 0, 1), zero)
    assert close(lowered + lowered.transpose(0, 2, 3, 1) + lowered.transpose(0, 3, 1, 2), zero)


def test_the_metric_is_parallel() -> None:
    at = random_jet(3, seed=8)
    lowered = np.tensordot(at.g, curvature(at).christoffel, axes=(1, 0))
    assert close(lowered + lowered.swapaxes(0, 1), at.dg)


def test_dchristoffel_is_the_derivative_of_christoffel() -> None:
    def metric(x: Any, y: Any) -> list[list[Any]]:
        return [[2 + x * y, context.sin(x)], [context.sin(x), 3 + context.exp(y) * x]]

    at = (context.mpf(0.4), context.mpf(0.2))
    found = curvature(jet(metric, at)).dchristoffel
    step = context.mpf(10) ** -12

    def gamma(shift: int, along: int) -> np.ndarray[Any, Any]:
        return curvature(jet(metric, [x + shift * step * (k == along) for k, x in enumerate(at)])).christoffel

    differences = np.stack([(gamma(1, l) - gamma(-1, l)) / (2 * step) for l in (0, 1)], axis=-1)
    assert close(found, differences, relative=100 * step**2)  # central differences err by step² ∂³Γ / 6


def test_scale_and_ricci_scalar_are_the_sum_and_difference_of_the_two_norms_of_a_hessian_metric() -> None:
    at = network_jet((0.4, -0.3), *data(), cross_entropy)
    g, T = at.g, at.dg
    g_inv = reference.inverse(g)
    raised = np.einsum("abc,ai,bj,ck->ijk", T, g_inv, g_inv, g_inv, optimize=False)
    trace = np.einsum("ij,ijk->k", g_inv, T, optimize=False)
    norm, trace_norm = (T * raised).sum(), trace @ g_inv @ trace
    assert close(curvature(at).scalar, (norm - trace_norm) / 4)
    assert close(reference.scale(g, T), (norm + trace_norm) / 4)


def test_cond2_is_the_ratio_of_extreme_eigenvalues() -> None:
    c, s = context.cos(0.3), context.sin(0.3)
    rotation = np.array([[c, -s], [s, c]])
    assert close(reference.cond2(rotation @ np.diag([context.mpf(-2000), context.mpf(0.5)]) @ rotation.T), 4000)


# --- Fisher metric of a density ---------------------------------------------------------------------------------------


def test_fisher_metric_of_the_normal_law_is_diagonal() -> None:
    sigma = context.mpf(0.8)
    g = fisher(normal_log_density, (0.3, sigma), support=[-context.inf, 0, context.inf])
    assert close(g, np.diag([1 / sigma**2, 2 / sigma**2]), relative=context.mpf(10) ** -30)


def test_fisher_metric_of_the_binomial_law_is_n_over_p_times_one_minus_p() -> None:
    n, p = 9, context.mpf(0.3)
    log_density = lambda x, p: context.log(context.binomial(n, x)) + x * context.log(p) + (n - x) * context.log(1 - p)  # noqa: E731
    assert close(fisher(log_density, (p,), outcomes=range(n + 1)), [[n / (p * (1 - p))]])


@pytest.fixture(scope="module")
def gumbel() -> np.ndarray[Any, Any]:
    """Fisher metric of the Gumbel law at μ = 0, σ = 1: the a, b, c of a location–scale family."""
    return fisher(gumbel_log_density, (0, 1), support=[-5, -2, 0, 3, 10, 40, 130])


def test_fisher_metric_of_the_gumbel_law_holds_the_euler_constant(gumbel: np.ndarray[Any, Any]) -> None:
    b = context.euler - 1
    expected = [[1, b], [b, context.pi**2 / 6 + b**2]]
    assert close(gumbel, expected, relative=context.mpf(10) ** -30)


def test_location_scale_families_have_constant_curvature(gumbel: np.ndarray[Any, Any]) -> None:
    (a, b), (_, c) = gumbel
    at = jet(lambda _, sigma: (gumbel / sigma**2).tolist(), (0.2, 1.3))
    assert close(curvature(at).scalar, -2 * a / (a * c - b**2))


# --- The network ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", LOSSES, ids=name)
def test_empirical_metric_is_the_mean_of_products_of_loss_gradients(loss: Loss) -> None:
    x, y = data()
    theta, weights = (0.4, -0.3), np.arange(1.0, 8.0)

    def sample_loss(row: Any, target: int, *t: Any) -> Any:
        f = 1 / (1 + context.exp(-3 * sum(a * context.convert(b) for a, b in zip(t, row, strict=True))))
        return loss(f, target)

    g = np.full((2, 2), context.zero)
    for w, row, target in zip(weights, x.tolist(), y.tolist(), strict=True):
        partials = [context.diff(lambda *t: sample_loss(row, target, *t), theta, order) for order in [(1, 0), (0, 1)]]  # noqa: B023
        g += np.outer(partials, partials) * (context.convert(w) / 28)
    assert close(network_jet(theta, x, y, loss, weights=weights, steepness=3).g, g)


@pytest.mark.parametrize("fisher_kind", ["empirical", "expected"])
@pytest.mark.parametrize("loss", LOSSES, ids=name)
def test_network_jet_holds_the_derivatives_of_the_network_metric(loss: Loss, fisher_kind: str) -> None:
    x, y = data(3)
    at, v, w = (np.array([*map(context.convert, pair)]) for pair in [(0.4, -0.3), (0.7, 1.1), (0.2, -0.5)])

    def along(t: Any) -> Any:  # g(w, w) on the line at + t v
        return w @ network_jet(at + t * v, x, y, loss, fisher=fisher_kind).g @ w

    g, dg, ddg = network_jet(at, x, y, loss, fisher=fisher_kind)
    # The outer differences see the rounding of the inner ones, so half of the digits remain.
    assert close(w @ g @ w, along(0), relative=context.mpf(10) ** -15)
    assert close((dg @ v) @ w @ w, context.diff(along, 0), relative=context.mpf(10) ** -15)
    assert close((ddg @ v @ v) @ w @ w, context.diff(along, 0, 2), relative=context.mpf(10) ** -15)


@pytest.mark.parametrize("loss", LOSSES, ids=name)
def test_two_samples_make_a_flat_metric(loss: Loss) -> None:
    at = network_jet((0.7, -0.2), [[0.1, 0.9], [0.8, 0.3]], [1, 0], loss)
    assert abs(curvature(at).scalar) <= EXACT * reference.scale(at.g, at.dg)


def test_network_metric_has_full_relative_precision_where_the_output_saturates() -> None:
    # u = −50: one sample's h is σ² for cross-entropy, with σ = e^−50 / (1 + e^−50).
    g = network_jet((10.0,), [[1.0]], [1], cross_entropy).g
    sigma = 1 / (1 + context.exp(50))
    assert abs(g[0, 0] / (25 * sigma**2) - 1) < EXACT


@pytest.mark.parametrize(
    ("loss", "constant"),
    [(mean_power(2), 2), (mean_power(4), 4.055869), (mean_power(6), 6.083667), (lp_norm(2), 1), (lp_norm(3), 1)],
    ids=lambda value: name(value) if isinstance(value, Loss) else str(value),
)
def test_expected_metric_of_a_location_family_is_a_known_multiple_of_the_kernel(loss: Loss, constant: float) -> None:
    assert abs(reference.label_constant(loss) - constant) < 5e-7  # SCIENCE gives six decimals


def test_expected_metric_of_cross_entropy_is_that_of_bernoulli_labels() -> None:
    z = context.mpf(5) * context.mpf(0.3)
    f = 1 / (1 + context.exp(-z))
    assert close(network_jet((0.3,), [[1.0]], [1], cross_entropy, fisher="expected").g, [[25 * f * (1 - f)]])


def test_trace_of_the_metric_with_an_l2_norm_is_the_trace_of_the_kernel() -> None:
    x, y = data()
    weights = np.arange(1.0, 8.0)
    g = network_jet((0.4, -0.3), x, y, lp_norm(2), weights=weights).g
    assert close(g[0, 0] + g[1, 1], reference.ntk_trace((0.4, -0.3), x, weights=weights))


@pytest.mark.parametrize("loss", LOSSES, ids=name)
def test_network_gradient_is_the_gradient_of_the_loss(loss: Loss) -> None:
    x, y = data(4)
    at = (context.mpf(0.4), context.mpf(-0.3))
    value = lambda *t: reference.network_loss(t, x, y, loss)  # noqa: E731
    expected = [context.diff(value, at, order) for order in [(1, 0), (0, 1)]]
    assert close(reference.network_gradient(at, x, y, loss), expected)


def test_loss_has_full_relative_precision_where_the_output_saturates() -> None:
    # u = 50, where 1 − f is 2e-22: ℓ = −log f = log(1 + e^−50).
    loss = reference.network_loss((10.0,), [[1.0]], [1], cross_entropy)
    assert abs(loss / context.log1p(context.exp(-50)) - 1) < EXACT


def test_mean_power_loss_of_one_sample_at_the_origin_is_a_quarter() -> None:
    assert reference.network_loss((0, 0), [[0.2, 0.4]], [1], mean_power(2)) == 0.25
