"""Networks with few parameters on a data set (thesis Sec. 5.2)."""

from __future__ import annotations

import numpy as np
import sympy
from numpy.typing import ArrayLike, NDArray
from sympy import Symbol

from infogeom.arguments import array_of, check_count, check_fisher, check_real, finite_array
from infogeom.functions import expit, stable
from infogeom.losses import Loss
from infogeom.losses.loss import check_defines
from infogeom.models.model import Model, Network
from infogeom.models.parameter import real
from infogeom.models.samples import Samples

__all__ = ["decision_boundary", "decision_boundary_population", "sigmoid_neuron"]


def decision_boundary(n: int = 1000, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Data set of the thesis (Fig. 5.2): uniform points of the unit square, target 1 where y > x.

    Returns
    -------
    inputs : ndarray of float64, shape (n, 2)
        All x are drawn before all y.
    targets : ndarray of int64, shape (n,), values 0 and 1

    Examples
    --------
    >>> import infogeom as ig
    >>> inputs, targets = ig.models.decision_boundary(n=4, seed=0)
    >>> inputs.shape, targets.shape
    ((4, 2), (4,))
    """
    check_count("n", n)
    check_count("seed", seed, least=0)
    inputs = np.random.default_rng(seed).random((2, n)).T
    return inputs, (inputs[:, 1] > inputs[:, 0]).astype(np.int64)


def decision_boundary_population(
    order: int = 64,
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Infinite-data limit of `decision_boundary`: a Gauss–Legendre rule on the two triangles of the unit square.

    Each triangle is the image of a square under (r, s) ↦ (r, r s), whose Jacobian is r.  A mean with these weights is
    the expectation over the uniform law, exact for polynomials of degree below 2 · order − 1.  A network's step, of
    width 1/(steepness · |θ|), has to be resolved: order 64 is right to 1e-5 of R for |θ_i| ≤ 5 at steepness 5, and the
    order needed grows in proportion.

    Parameters
    ----------
    order : int
        Nodes per direction; 2 · order² weighted samples.

    Returns
    -------
    inputs : ndarray of float64, shape (2 order², 2)
    targets : ndarray of int64, shape (2 order²,), values 0 and 1
    weights : ndarray of float64, shape (2 order²,), summing to 1

    Examples
    --------
    >>> import infogeom as ig
    >>> inputs, targets, weights = ig.models.decision_boundary_population(order=4)
    >>> inputs.shape, round(float(weights.sum()), 12)
    ((32, 2), 1.0)
    """
    check_count("order", order)
    nodes, weights = np.polynomial.legendre.leggauss(order)
    nodes, weights = (nodes + 1) / 2, weights / 2
    r, s = (a.ravel() for a in np.meshgrid(nodes, nodes, indexing="ij"))
    below = np.stack([r, r * s], axis=1)
    triangle = np.outer(weights * nodes, weights).ravel()
    inputs = np.concatenate([below, below[:, ::-1]])
    return inputs, np.repeat([0, 1], len(below)), np.tile(triangle, 2)


def sigmoid_neuron(
    inputs: ArrayLike,
    targets: ArrayLike,
    loss: Loss,
    *,
    weights: ArrayLike | None = None,
    steepness: float = 5.0,
    fisher: str = "empirical",
) -> Model:
    """One sigmoid neuron without bias on a data set, f_θ(x) = expit(steepness · θ·x) (Eq. 5.2.1).

    Samples are stored as x̃ = (1 − 2 · target) x, which flips every label to 0: all three losses are symmetric under
    (f, y) → (1 − f, 1 − y), so that everything depends on u = steepness · θ·x̃ alone.

    Parameters
    ----------
    inputs : array_like, shape (N, d)
        Finite inputs; a column of ones is a bias.
    targets : array_like, shape (N,)
        0 or 1.
    loss : Loss
        From `infogeom.losses`.
    weights : array_like, shape (N,), optional
        Sample weights, non-negative with a positive sum (a quadrature rule, for example). Equal when omitted.
    steepness : float
        Factor inside the sigmoid, finite and not 0.
    fisher : {"empirical", "expected"}
        Labels from the data (Eq. 3.3.1), or from the model itself: Bernoulli for cross-entropy, the location family
        p(y|f) ∝ exp(−ℓ) otherwise.

    Returns
    -------
    Model
        With parameters theta1 … thetad and observables ``loss`` and ``ntk_trace`` (|∇_θ f|² per sample).

    Raises
    ------
    TypeError, ValueError
        Naming the argument, the rule and the value.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.sigmoid_neuron([[1.0, 0.5], [0.2, 2.0]], [1, 0], ig.losses.CrossEntropy())
    <Model sigmoid neuron: theta1, theta2, cross-entropy, empirical Fisher, 2 samples>
    """
    if not isinstance(loss, Loss):
        raise TypeError(f"loss must come from infogeom.losses, got {loss!r}")
    check_defines(loss, "a model", "expression")
    check_fisher(fisher)
    check_real("steepness", steepness)
    if not 0 < abs(float(steepness)) < float("inf"):
        raise ValueError(f"steepness must be finite and not 0, got {steepness}")
    x, y = _checked_data(inputs, targets)
    flipped = (1 - 2 * y)[:, None] * x
    weights = np.ones(len(x)) if weights is None else array_of(weights)

    # The output, as a function of what is stored of a sample.
    theta = [Symbol(f"theta{a + 1}", real=True) for a in range(x.shape[1])]
    xtilde = tuple(Symbol(f"xtilde_{a + 1}", real=True) for a in range(x.shape[1]))
    terms = [t * s for t, s in zip(theta, xtilde, strict=True)]
    f = expit(sympy.Rational(str(float(steepness))) * sympy.Add(*terms))

    # Stored labels are all 0; the expected Fisher information draws them from the model instead.
    observed = stable(loss.expression([f], [sympy.Integer(0)]))
    log_p, label, labels = -observed, None, None
    if fisher == "expected":
        label = Symbol("y", real=True)
        log_p, labels = -stable(loss.expression([f], [label])), _labels(loss)

    squares = [f.diff(t) ** 2 for t in theta]
    return Model(
        "sigmoid neuron",
        [real(t.name, (-1, 1)) for t in theta],
        log_p,
        label,
        labels,
        samples=Samples(xtilde, flipped, weights),
        observables={"loss": observed, "ntk_trace": sympy.Add(*squares)},
        network=Network(f, xtilde, loss, fisher),
    )


def _labels(loss: Loss) -> sympy.Set:
    """Label space over which exp(−ℓ) is a density."""
    return sympy.FiniteSet(0, 1) if loss.discrete_labels else sympy.S.Reals


def _checked_data(inputs: ArrayLike, targets: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x, y = finite_array("inputs", inputs, ndim=2), finite_array("targets", targets, ndim=1)
    if not x.size:
        raise ValueError(f"inputs must hold at least one sample and one column, got shape {x.shape}")
    if len(x) != len(y):
        raise ValueError(f"targets must have one entry per sample: {len(x)} inputs, {len(y)} targets")
    wrong = np.flatnonzero((y != 0) & (y != 1))
    if wrong.size:
        raise ValueError(f"targets must be 0 or 1, got {y[wrong[0]]} at index {wrong[0]}")
    return x, y
