"""Fisher and neural-tangent-kernel traces, exact and without any per-sample gradient.

The gradient of v · f(x_n) by the weights of a dense layer is the outer product s a_(l−1) ⊗ δ_l, where δ_l is
∂(v · f)/∂z_l for a seed v; so gradients seeded with v at x_n and w at x_m have the scalar product

    Σ_l (δ_l(n, v) · δ_l(m, w)) (s_l² a_(l−1)(n) · a_(l−1)(m) + 1),

the 1 being the bias's part.  Everything here, and in `infogeom.network.spectra`, is this formula for some seeds
(`infogeom.network.seeds`), random signs among them (Hutchinson's estimate).
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogeom.arguments import check_count
from infogeom.losses import Loss
from infogeom.network.blocks import kernel_blocks, squares
from infogeom.network.mlp import MLP
from infogeom.network.seeds import checked, inputs_of, unit_vectors

__all__ = [
    "fisher_trace",
    "fisher_trace_by_layer",
    "ntk_blocks",
    "ntk_trace",
    "ntk_trace_by_layer",
    "ntk_trace_estimate",
]

Array = NDArray[np.float64]


def fisher_trace(net: MLP, x: ArrayLike, y: ArrayLike | None, loss: Loss, *, fisher: str = "empirical") -> float:
    """Trace of the Fisher information, (1/N) Σ_n |∇_θ ℓ_n|² (Eq. 5.1.3).

    Parameters
    ----------
    net : MLP
    x : array_like, shape (N, d)
        Inputs.
    y : array_like, shape (N, O), or of ints, shape (N,), or None
        Targets, or labels 0 … O − 1 of two outputs or more, which stand for one-hot targets; not needed for the
        expected Fisher information.
    loss : Loss
        From `infogeom.losses`.
    fisher : {"empirical", "expected"}
        Over the given targets, or over labels from the model itself, p(y|f) ∝ exp(−ℓ).

    Raises
    ------
    TypeError, ValueError
        Naming the argument, the rule and the value.
    OverflowError
        When outputs or loss derivatives leave the floating-point range.

    Examples
    --------
    >>> import infogeom as ig
    >>> net, x, y = ig.network.MLP((2, 3, 2), seed=1), [[1.0, 0.5], [0.2, -1.0]], [[1, 0], [0, 1]]
    >>> round(ig.network.fisher_trace(net, x, y, ig.losses.CrossEntropy()), 4)
    1.0992
    """
    return float(fisher_trace_by_layer(net, x, y, loss, fisher=fisher).sum())


def fisher_trace_by_layer(
    net: MLP, x: ArrayLike, y: ArrayLike | None, loss: Loss, *, fisher: str = "empirical"
) -> Array:
    """Share of each layer's parameters in `fisher_trace`, shape (L,), input side first; arguments as there.

    Examples
    --------
    >>> import infogeom as ig
    >>> net, x, y = ig.network.MLP((2, 3, 2), seed=1), [[1.0, 0.5], [0.2, -1.0]], [[1, 0], [0, 1]]
    >>> ig.network.fisher_trace_by_layer(net, x, y, ig.losses.CrossEntropy()).round(4)
    array([0.1018, 0.9974])
    """
    inputs, seeds = checked(net, x, y, loss, fisher)
    return np.asarray(squares(net, inputs, seeds).mean(axis=0))


def ntk_trace(net: MLP, x: ArrayLike, *, normalization: str = "samples") -> float:
    """Trace of the neural tangent kernel, Σ_n Σ_a |∇_θ f_a(x_n)|² over its normalisation (Eq. 4.2.1).

    Parameters
    ----------
    net : MLP
    x : array_like, shape (N, d)
        Inputs.
    normalization : {"samples", "sum", "samples*outputs"}
        Divided by N, by 1, or by N O.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, the rule and the value.

    Examples
    --------
    >>> import infogeom as ig
    >>> net, x = ig.network.MLP((2, 3, 2), seed=1), [[1.0, 0.5], [0.2, -1.0]]
    >>> round(ig.network.ntk_trace(net, x), 4)
    6.6285
    """
    return float(ntk_trace_by_layer(net, x, normalization=normalization).sum())


def ntk_trace_by_layer(net: MLP, x: ArrayLike, *, normalization: str = "samples") -> Array:
    """Share of each layer's parameters in `ntk_trace`, shape (L,), input side first; arguments as there.

    Examples
    --------
    >>> import infogeom as ig
    >>> net, x = ig.network.MLP((2, 3, 2), seed=1), [[1.0, 0.5], [0.2, -1.0]]
    >>> ig.network.ntk_trace_by_layer(net, x).round(4)
    array([0.815 , 5.8135])
    """
    inputs = inputs_of(net, x)
    return np.asarray(squares(net, inputs, unit_vectors).sum(axis=0) / _divisor(net, inputs, normalization))


def ntk_trace_estimate(
    net: MLP, x: ArrayLike, *, probes: int = 4, seed: int = 0, normalization: str = "samples"
) -> tuple[float, float]:
    """Hutchinson's estimate of `ntk_trace` and its standard error, for networks of many outputs or great width.

    Each sample gets its own random signs v, for which E|∇(v · f)|² = Σ_a |∇f_a|² ("A stochastic estimator of the trace
    of the influence matrix", Communications in Statistics 18, 1989).  The cost is that of ``probes`` backward passes
    instead of O.

    Parameters
    ----------
    net, x, normalization
        As for `ntk_trace`.
    probes : int
        Sign vectors per sample, at least 2.
    seed : int
        Of the signs.

    Returns
    -------
    estimate, standard_error : float

    Examples
    --------
    >>> import infogeom as ig
    >>> net, x = ig.network.MLP((2, 3, 2), seed=1), [[1.0, 0.5], [0.2, -1.0]]
    >>> estimate, error = ig.network.ntk_trace_estimate(net, x, probes=64)
    >>> abs(estimate - ig.network.ntk_trace(net, x)) < 4 * error
    True
    """
    inputs = inputs_of(net, x)
    check_count("probes", probes, least=2)
    check_count("seed", seed, least=0)
    rng, outputs = np.random.default_rng(seed), net.widths[-1]
    signs = (rng.choice([-1.0, 1.0], (len(inputs), 1, outputs)) for _ in range(probes))
    found = np.array([squares(net, inputs, partial(_given, one)).sum(axis=1) for one in signs])
    samples = found / _divisor(net, inputs, normalization)
    variance = samples.var(axis=0, ddof=1).sum() / probes
    return float(samples.mean(axis=0).sum()), float(np.sqrt(variance))


def ntk_blocks(net: MLP, x: ArrayLike) -> Array:
    """Blocks Λ_nn,ab = ∇f_a(x_n) · ∇f_b(x_n) of the neural tangent kernel, shape (N, O, O).

    Every loss's traces follow from them: the empirical one is the mean of r_nᵀ Λ_nn r_n (Eq. 5.1.2).

    Examples
    --------
    >>> import infogeom as ig
    >>> net, x = ig.network.MLP((2, 3, 2), seed=1), [[1.0, 0.5], [0.2, -1.0]]
    >>> ig.network.ntk_blocks(net, x).shape
    (2, 2, 2)
    """
    return kernel_blocks(net, inputs_of(net, x))


def _given(seeds: Array, _: Array, rows: slice) -> Array:
    return seeds[rows]


def _divisor(net: MLP, inputs: NDArray[Any], normalization: str) -> int:
    divisors = {"samples": len(inputs), "sum": 1, "samples*outputs": len(inputs) * net.widths[-1]}
    if not isinstance(normalization, str) or normalization not in divisors:
        raise ValueError(f"normalization must be one of {list(divisors)}, got {normalization!r}")
    return divisors[normalization]
