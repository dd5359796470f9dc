"""References that the package is tested against: mpmath at 50 digits, nothing but the definitions.

Nothing here comes from the package.  Derivatives are Taylor coefficients and partial derivatives that mpmath takes
numerically at several times the working precision; no formula of the package is repeated.  All numbers live in a
private mpmath context, so that its precision is nobody else's; tensors are NumPy object arrays whose axes follow the
indices, ``.astype(float)`` rounds them.

>>> sphere = jet(lambda u, v: [[1, 0], [0, context.sin(u) ** 2]], (1, 0))
>>> print(context.nstr(curvature(sphere).scalar, 15))
2.0
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import mpmath
import numpy as np

DIGITS = 50
context = mpmath.MPContext()
context.dps = DIGITS

Array = np.ndarray[Any, np.dtype[Any]]


def tensor(n: int, rank: int, entry: Callable[..., Any]) -> Array:
    """Array of ``entry(i, j, …)`` over all index tuples, shape (n, …, n)."""
    out = np.empty((n,) * rank, dtype=object)
    for index in itertools.product(range(n), repeat=rank):
        out[index] = entry(*index)
    return out


def total(terms: Iterable[Any]) -> Any:
    """Sum at working precision."""
    return context.fsum(terms)


# --- Curvature of any metric from its jet (SCIENCE.md, section 2) -----------------------------------------------------


class Jet(NamedTuple):
    """A metric and its derivatives at a point: g[i, j], dg[i, j, k] = ∂_k g_ij, ddg[i, j, k, l] = ∂_k ∂_l g_ij."""

    g: Array
    dg: Array
    ddg: Array


class Curvature(NamedTuple):
    """Everything between the jet and R; axes in the order of the indices, dchristoffel[i, j, k, l] = ∂_l Γ^i_jk."""

    inverse: Array
    christoffel: Array
    dchristoffel: Array
    riemann: Array
    ricci: Array
    scalar: Any


def inverse(g: Array) -> Array:
    """Inverse matrix."""
    inverted = context.matrix(g.tolist()) ** -1
    return tensor(len(g), 2, lambda i, j: inverted[i, j])


def curvature(jet: Jet) -> Curvature:
    """Γ, ∂Γ by the product rule, R^i_jkl, Ric_jl = R^i_jil and R = g^jl Ric_jl (Eqs. 3.2.15–3.2.17)."""
    g, dg, ddg = jet
    n, g_inv = len(g), inverse(g)
    index = range(n)
    # Γ_m,jk = ½ (∂_j g_mk + ∂_k g_mj − ∂_m g_jk), its derivative along l, and ∂_l g^im = −g^ia ∂_l g_ab g^bm.
    lowered = tensor(n, 3, lambda m, j, k: (dg[m, k, j] + dg[m, j, k] - dg[j, k, m]) / 2)
    dlowered = tensor(n, 4, lambda m, j, k, l: (ddg[m, k, j, l] + ddg[m, j, k, l] - ddg[j, k, m, l]) / 2)
    dg_inv = tensor(n, 3, lambda i, m, l: -total(g_inv[i, a] * dg[a, b, l] * g_inv[b, m] for a in index for b in index))
    gamma = tensor(n, 3, lambda i, j, k: total(g_inv[i, m] * lowered[m, j, k] for m in index))
    dgamma = tensor(
        n,
        4,
        lambda i, j, k, l: total(
            dg_inv[i, m, l] * lowered[m, j, k] + g_inv[i, m] * dlowered[m, j, k, l] for m in index
        ),
    )
    riemann = tensor(
        n,
        4,
        lambda i, j, k, l: (
            dgamma[i, j, l, k]
            - dgamma[i, j, k, l]
            + total(gamma[i, m, k] * gamma[m, j, l] - gamma[i, m, l] * gamma[m, j, k] for m in index)
        ),
    )
    ricci = tensor(n, 2, lambda j, l: total(riemann[i, j, i, l] for i in index))
    scalar = total(g_inv[j, l] * ricci[j, l] for j in index for l in index)
    return Curvature(g_inv, gamma, dgamma, riemann, ricci, scalar)


def jet(metric: Callable[..., Sequence[Sequence[Any]]], point: Sequence[Any]) -> Jet:
    """Jet of ``metric(*coordinates)``, a matrix of mpmath numbers, by high-precision differentiation."""
    at = [context.convert(x) for x in point]
    n = len(at)

    def partial(i: int, j: int, *along: int) -> Any:
        orders = tuple(along.count(k) for k in range(n))
        component = lambda *x: context.convert(metric(*x)[i][j])  # noqa: E731
        return context.diff(component, tuple(at), orders) if along else component(*at)

    return Jet(*(tensor(n, rank, partial) for rank in (2, 3, 4)))


def scale(g: Array, dg: Array) -> Any:
    """Size S = ¼ (‖T‖² + ‖tr T‖²) of what cancels in R = ¼ (‖T‖² − ‖tr T‖²), T_ijk = ∂_k g_ij, norms taken with g.

    The natural unit for errors of R, which has zeros.  Meant for positive definite g and symmetric T.
    """
    n, g_inv = len(g), inverse(g)
    raised = dg
    for _ in range(3):  # contracts the first index and puts the raised one last: after three turns T^ijk
        raised = np.tensordot(raised, g_inv, axes=(0, 0))
    trace = tensor(n, 1, lambda k: total(g_inv[i, j] * dg[i, j, k] for i in range(n) for j in range(n)))
    norm = total((dg * raised).ravel())
    return (norm + total(trace[i] * g_inv[i, j] * trace[j] for i in range(n) for j in range(n))) / 4


def cond2(g: Array) -> Any:
    """Condition number of a symmetric matrix in the 2-norm, max |λ| / min |λ|."""
    sizes = [abs(x) for x in context.eigsy(context.matrix(g.tolist()), eigvals_only=True)]
    return max(sizes) / min(sizes)


# --- Fisher metric of a density: E[∂_i log p ∂_j log p] (Eq. 3.1.1) ---------------------------------------------------


def fisher(
    log_density: Callable[..., Any],
    theta: Sequence[Any],
    *,
    support: Sequence[Any] | None = None,
    outcomes: Iterable[Any] | None = None,
) -> Array:
    """Fisher metric of ``log_density(x, *theta)`` in the score form.

    ``support`` lists the ends (and breakpoints) of an interval to integrate over, ``outcomes`` the values to sum over.
    """
    at = [context.convert(t) for t in theta]
    n = len(at)

    @functools.cache
    def weighted_scores(x: Any) -> tuple[Any, list[Any]]:
        orders = np.eye(n, dtype=int)
        scores = [context.diff(lambda *t: log_density(x, *t), tuple(at), tuple(map(int, row))) for row in orders]
        return context.exp(log_density(x, *at)), scores

    def integrand(i: int, j: int, x: Any) -> Any:
        p, score = weighted_scores(x)
        return p * score[i] * score[j]

    def expectation(i: int, j: int) -> Any:
        if outcomes is not None:
            return total(integrand(i, j, context.convert(x)) for x in values)
        return context.quad(functools.partial(integrand, i, j), support)

    values = None if outcomes is None else tuple(outcomes)
    upper = {(i, j): expectation(i, j) for i, j in itertools.combinations_with_replacement(range(n), 2)}
    return tensor(n, 2, lambda i, j: upper[min(i, j), max(i, j)])


# --- Losses of one output, ℓ(f, y) (Eqs. 5.1.5–5.1.7) -----------------------------------------------------------------


@dataclass(frozen=True)
class Loss:
    """A loss ℓ(f, y) of one output, and where the labels of p(y|f) ∝ exp(−ℓ) live: on {0, 1} or on the real line."""

    kind: str
    order: Any = None

    def __call__(self, f: Any, y: Any) -> Any:
        if self.kind == "cross-entropy":  # −y log f − (1−y) log(1−f), and 0 log 0 = 0 for labels 0 and 1
            return -context.log(f) if y == 1 else -context.log(1 - f)
        if self.kind == "lp-norm":
            return (abs(f - y) ** self.order) ** (1 / self.order)
        return (f - y) ** self.order

    @property
    def binary(self) -> bool:
        """Whether labels are 0 and 1."""
        return self.kind == "cross-entropy"


cross_entropy = Loss("cross-entropy")


def lp_norm(p: Any) -> Loss:
    """L_p norm of the residual."""
    return Loss("lp-norm", context.convert(p))


def mean_power(n: int) -> Loss:
    """Mean n-th power of the residual."""
    return Loss("mean-power", n)


@functools.cache
def label_constant(loss: Loss) -> Any:
    """c = E[(∂ℓ/∂f)²] over real labels y ~ p(y|f) ∝ exp(−ℓ(f, y)), by quadrature over the residual y − f.

    It does not depend on f: ℓ knows f and y by their difference alone.
    """
    ends = [-context.inf, -4, -1, 0, 1, 4, context.inf]

    def slope(y: Any) -> Any:
        return context.diff(lambda f: loss(f, y), 0)

    def integral(integrand: Callable[[Any], Any]) -> Any:
        return context.quad(lambda y: integrand(y) * context.exp(-loss(context.zero, y)) if y else context.zero, ends)

    return integral(lambda y: slope(y) ** 2) / integral(lambda _: 1)


# --- The network f = 1 / (1 + exp(−s θ·x)) without bias (Eq. 5.2.1) ---------------------------------------------------


def sigmoid(z: Any) -> Any:
    """Output of the network for the pre-activation z = s θ·x."""
    return 1 / (1 + context.exp(-z))


def _series(function: Callable[[Any], Any], z: Any, order: int) -> list[Any]:
    """Taylor coefficients of ``function`` at z, with guard digits for what 1 − f and f − 1 cancel at large |z|."""
    with context.extradps(int(abs(z) / 2) + 10):
        return [context.convert(c) for c in context.taylor(function, z, order)]


def _derivative(series: list[Any]) -> list[Any]:
    return [k * c for k, c in enumerate(series)][1:]


def _product(a: list[Any], b: list[Any]) -> list[Any]:
    """Product of two Taylor series, cut to the shorter one."""
    return [total(a[m] * b[k - m] for m in range(k + 1)) for k in range(min(len(a), len(b)))]


def squared_slope(loss: Loss, z: Any, y: Any, fisher: str) -> list[Any]:
    """Taylor coefficients 0, 1, 2 in z of (dℓ/dz)², averaged over the model's own labels if it is the expected one."""

    def label(target: int) -> list[Any]:
        slope = _derivative(_series(lambda t: loss(sigmoid(t), target), z, 3))
        return _product(slope, slope)

    if fisher == "empirical":
        return label(int(y))
    if not loss.binary:
        slope = _derivative(_series(sigmoid, z, 3))
        return [label_constant(loss) * c for c in _product(slope, slope)]
    ones = _product(_series(sigmoid, z, 2), label(1))
    zeros = _product(_series(lambda t: 1 - sigmoid(t), z, 2), label(0))
    return [a + b for a, b in zip(ones, zeros, strict=True)]


class Sample(NamedTuple):
    """One sample: normalised weight, ∂z/∂θ = s x, z = s θ·x and target."""

    weight: Any
    dz: list[Any]
    z: Any
    target: int


def samples(theta: Any, inputs: Any, targets: Any, weights: Any = None, steepness: Any = 5) -> list[Sample]:
    """Samples as exact numbers; weights are divided by their sum."""
    at = [context.convert(t) for t in np.asarray(theta).tolist()]
    rows, labels = np.asarray(inputs).tolist(), np.asarray(targets).tolist()
    w = [context.convert(v) for v in (np.ones(len(rows)) if weights is None else np.asarray(weights)).tolist()]
    whole, s = total(w), context.convert(steepness)
    dz = [[s * context.convert(x) for x in row] for row in rows]
    return [
        Sample(weight / whole, d, total(t * a for t, a in zip(at, d, strict=True)), int(y))
        for weight, d, y in zip(w, dz, labels, strict=True)
    ]


def network_jet(
    theta: Any,
    inputs: Any,
    targets: Any,
    loss: Loss,
    *,
    weights: Any = None,
    steepness: Any = 5,
    fisher: str = "empirical",
) -> Jet:
    """Jet of the Fisher metric g_ij = Σ_n w_n E[∂_i ℓ_n ∂_j ℓ_n] (Eq. 3.3.1), labels from data or from the model.

    By the chain rule ∂_i ℓ = (dℓ/dz) ∂_i z with ∂_i z constant, so every θ-derivative is one in z times a ∂_k z.
    """
    data = samples(theta, inputs, targets, weights, steepness)
    slopes = [squared_slope(loss, s.z, s.target, fisher) for s in data]
    n = len(data[0].dz)

    def mean(*index: int) -> Any:
        order = len(index) - 2
        return context.factorial(order) * total(
            s.weight * q[order] * context.fprod(s.dz[i] for i in index) for s, q in zip(data, slopes, strict=True)
        )

    @functools.cache
    def symmetric(*index: int) -> Any:
        return mean(*index)

    return Jet(*(tensor(n, rank, lambda *index: symmetric(*sorted(index))) for rank in (2, 3, 4)))


def network_loss(theta: Any, inputs: Any, targets: Any, loss: Loss, *, weights: Any = None, steepness: Any = 5) -> Any:
    """Loss L = Σ_n w_n ℓ(f(x_n), y_n)."""
    data = samples(theta, inputs, targets, weights, steepness)
    return total(s.weight * _series(lambda t, y=s.target: loss(sigmoid(t), y), s.z, 0)[0] for s in data)


def network_gradient(
    theta: Any, inputs: Any, targets: Any, loss: Loss, *, weights: Any = None, steepness: Any = 5
) -> Array:
    """Gradient ∂_i L, shape (n,)."""
    data = samples(theta, inputs, targets, weights, steepness)
    slopes = [_series(lambda t, y=s.target: loss(sigmoid(t), y), s.z, 1)[1] for s in data]
    return tensor(
        len(data[0].dz), 1, lambda i: total(s.weight * d * s.dz[i] for s, d in zip(data, slopes, strict=True))
    )


def ntk_trace(theta: Any, inputs: Any, *, weights: Any = None, steepness: Any = 5) -> Any:
    """Trace of the neural tangent kernel per sample, Σ_n w_n |∇f(x_n)|²."""
    data = samples(theta, inputs, np.zeros(len(inputs)), weights, steepness)
    slopes = [_series(sigmoid, s.z, 1)[1] for s in data]
    return total(s.weight * d**2 * total(x**2 for x in s.dz) for s, d in zip(data, slopes, strict=True))
