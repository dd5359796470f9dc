"""Fisher and neural-tangent-kernel traces, blocks and spectra, exact and without any per-sample gradient.

The gradient of v · f(x_n) by the weights of a dense layer is the outer product s a_(l−1) ⊗ δ_l, where δ_l is
∂(v · f)/∂z_l for a seed v; so gradients seeded with v at x_n and w at x_m have the scalar product

    Σ_l (δ_l(n, v) · δ_l(m, w)) (s_l² a_(l−1)(n) · a_(l−1)(m) + 1),

the 1 being the bias's part.  Everything here is this formula for some seeds: the loss derivative r_n (empirical Fisher
information, Eq. 5.1.3), factors of E[r rᵀ] over the model's own labels (expected), unit vectors (kernel, Eq. 4.2.1), or
random signs (Hutchinson's estimate).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogeom.arguments import check_count
from infogeom.losses import Loss
from infogeom.network.mlp import MLP
from infogeom.network.passes import Forward, Layer, Workspace, backward, forward, one_blas_thread, row_squares
from infogeom.threads import in_order

__all__ = [
    "fisher_spectrum",
    "fisher_trace",
    "fisher_trace_by_layer",
    "ntk",
    "ntk_blocks",
    "ntk_spectrum",
    "ntk_trace",
    "ntk_trace_by_layer",
    "ntk_trace_estimate",
]

Array = NDArray[np.float64]
#: From outputs (n, O) in float64 and which samples they are of to seeds (n, K, O), or (1, K, O) for all alike.
Seeds = Callable[[Array, slice], Array]

T = TypeVar("T")
#: Samples of one forward pass, and numbers in one array of the backward passes.
TILE, BLOCK_SIZE = 512, 2**18


def fisher_trace(net: MLP, x: ArrayLike, y: ArrayLike | None, loss: Loss, *, fisher: str = "empirical") -> float:
    """Trace of the Fisher information, (1/N) Σ_n |∇_θ ℓ_n|² (Eq. 5.1.3).

    Parameters
    ----------
    net : MLP
    x : array_like, shape (N, d)
        Inputs.
    y : array_like, shape (N, O), or None
        Targets; not needed for the expected Fisher information.
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
    inputs, seeds = _checked(net, x, y, loss, fisher)
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
    inputs = _inputs(net, x)
    return np.asarray(squares(net, inputs, _unit_vectors).sum(axis=0) / _divisor(net, inputs, normalization))


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
    inputs = _inputs(net, x)
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
    return over_kernel_blocks(net, _inputs(net, x), lambda _rows, _outputs, blocks: blocks)[0]


def ntk(net: MLP, x: ArrayLike) -> Array:
    """Neural tangent kernel Λ_nm,ab = ∇f_a(x_n) · ∇f_b(x_m) (Eq. 4.2.1), shape (N, N, O, O).

    Examples
    --------
    >>> import infogeom as ig
    >>> net, x = ig.network.MLP((2, 3, 2), seed=1), [[1.0, 0.5], [0.2, -1.0]]
    >>> ig.network.ntk(net, x).shape
    (2, 2, 2, 2)
    """
    inputs = _inputs(net, x)
    n, outputs = len(inputs), net.widths[-1]
    return _gram(net, inputs, _unit_vectors).reshape(n, outputs, n, outputs).transpose(0, 2, 1, 3)


def fisher_spectrum(net: MLP, x: ArrayLike, y: ArrayLike | None, loss: Loss, *, fisher: str = "empirical") -> Array:
    """Eigenvalues of the Fisher information that its data can make non-zero, the largest first.

    They are those of the Gram dual (1/N) G, with G the scalar products of the N per-sample gradients, or of N K seeded
    ones for the expected Fisher information (K = O vectors per sample): no P × P matrix is formed.  Arguments as for
    `fisher_trace`.

    Returns
    -------
    ndarray of float64, shape (N,) or (N K,)

    Examples
    --------
    >>> import infogeom as ig
    >>> net, x, y = ig.network.MLP((2, 3, 2), seed=1), [[1.0, 0.5], [0.2, -1.0]], [[1, 0], [0, 1]]
    >>> ig.network.fisher_spectrum(net, x, y, ig.losses.CrossEntropy()).round(4)
    array([0.9341, 0.1651])
    """
    inputs, seeds = _checked(net, x, y, loss, fisher)
    return _eigenvalues(_gram(net, inputs, seeds) / len(inputs))


def ntk_spectrum(net: MLP, x: ArrayLike, *, outputs: str = "all") -> Array:
    """Eigenvalues of the neural tangent kernel, the largest first.

    Parameters
    ----------
    net : MLP
    x : array_like, shape (N, d)
        Inputs.
    outputs : {"all", "trace"}
        Of the whole kernel, shape (N O,), or of its trace over outputs Σ_a Λ_nm,aa, shape (N,).

    Examples
    --------
    >>> import infogeom as ig
    >>> net, x = ig.network.MLP((2, 3, 2), seed=1), [[1.0, 0.5], [0.2, -1.0]]
    >>> ig.network.ntk_spectrum(net, x).round(4)
    array([4.5206, 4.2059, 2.4245, 2.1061])
    """
    if outputs not in ("all", "trace"):
        raise ValueError(f"outputs must be 'all' or 'trace', got {outputs!r}")
    if outputs == "trace":
        return _eigenvalues(traced_kernel(net, _inputs(net, x)))
    return _eigenvalues(_gram(net, _inputs(net, x), _unit_vectors))


# --- Seeds ------------------------------------------------------------------------------------------------------------


def _checked(net: MLP, x: ArrayLike, y: ArrayLike | None, loss: Loss, fisher: str) -> tuple[NDArray[Any], Seeds]:
    """Inputs, and the seeds that make squared gradients those of a Fisher information."""
    check_loss(loss)
    if fisher not in ("empirical", "expected"):
        raise ValueError(f"fisher must be 'empirical' or 'expected', got {fisher!r}")
    inputs = _inputs(net, x)
    if y is not None:
        targets = net.checked_targets(y, len(inputs))
        loss.check_targets(targets)
    if fisher == "expected":
        return inputs, lambda f, _: loss.expected_factor(f)
    if y is None:
        raise ValueError("y must be given for the empirical Fisher information, got None")
    return inputs, lambda f, rows: loss.gradient(f, targets[rows])[:, None]


def _inputs(net: MLP, x: ArrayLike) -> NDArray[Any]:
    if not isinstance(net, MLP):
        raise TypeError(f"net must be an MLP, got {type(net).__name__}")
    return net.checked_inputs(x)


def check_loss(loss: Loss) -> None:
    """Raise TypeError for what is not a loss."""
    if not isinstance(loss, Loss):
        raise TypeError(f"loss must come from infogeom.losses, got {loss!r}")


def _unit_vectors(outputs: Array, _: slice) -> Array:
    return np.eye(outputs.shape[1])[None]


def _given(seeds: Array, _: Array, rows: slice) -> Array:
    return seeds[rows]


def _divisor(net: MLP, inputs: NDArray[Any], normalization: str) -> int:
    divisors = {"samples": len(inputs), "sum": 1, "samples*outputs": len(inputs) * net.widths[-1]}
    if not isinstance(normalization, str) or normalization not in divisors:
        raise ValueError(f"normalization must be one of {list(divisors)}, got {normalization!r}")
    return divisors[normalization]


def _scaled_seeds(net: MLP, passed: Forward, seeds: Seeds, rows: slice) -> tuple[NDArray[Any], Array]:
    """Seeds of entries up to 1 in the network's dtype, and what they were divided by, shape (n,) or (1,)."""
    outputs = passed.outputs.astype(np.float64)
    if not np.isfinite(outputs).all():
        raise OverflowError(f"the network's outputs leave {net.dtype}; its parameters or inputs are too large")
    exact = seeds(outputs, rows)
    size = np.abs(exact).max(axis=(1, 2))
    if not np.isfinite(size).all():
        raise OverflowError(f"the loss derivative leaves float64 for outputs up to {abs(outputs).max():.3g}")
    return (exact / np.where(size > 0, size, 1)[:, None, None]).astype(net.dtype), size


# --- Squares and scalar products of gradients -------------------------------------------------------------------------


def squares(net: MLP, x: NDArray[Any], seeds: Seeds) -> Array:
    """Σ_k |∇_l (v_k · f(x_n))|² for every sample and layer, shape (N, L)."""
    layers = net.layers()

    def block(rows: slice, passed: Forward, workspace: Workspace) -> Array:
        scaled, size = _scaled_seeds(net, passed, seeds, rows)
        deltas = backward(layers, passed.slopes, scaled, workspace)
        weights = _input_squares(layers, passed)[::-1]
        columns = [delta.squares() * (size * size) * weight for delta, weight in zip(deltas, weights, strict=True)]
        return _finite(np.stack(np.broadcast_arrays(*columns[::-1]), axis=1))

    return np.concatenate(_over_blocks(net, x, block))


def over_kernel_blocks(
    net: MLP, x: NDArray[Any], reduce: Callable[[slice, Array, Array], Array]
) -> tuple[Array, list[NDArray[np.bool_]]]:
    """What ``reduce(rows, outputs, blocks)`` makes of outputs (n, O) and kernel blocks (n, O, O), for all samples.

    Few samples' blocks are held at a time. Also, for each hidden layer, which units have a slope on some sample.
    """
    layers = net.layers()

    def block(rows: slice, passed: Forward, workspace: Workspace) -> tuple[Array, list[NDArray[np.bool_]]]:
        scaled, _ = _scaled_seeds(net, passed, _unit_vectors, rows)
        deltas = backward(layers, passed.slopes, scaled, workspace)
        weights = _input_squares(layers, passed)[::-1]
        total: Any = sum(delta.grams() * w[:, None, None] for delta, w in zip(deltas, weights, strict=True))
        live = [(slope != 0).any(axis=0) for slope in passed.slopes]
        return reduce(rows, passed.outputs.astype(np.float64), _finite(total)), live

    reduced, live = zip(*_over_blocks(net, x, block), strict=True)
    return np.concatenate(reduced), [np.any(layer, axis=0) for layer in zip(*live, strict=True)]


def _finite(values: Array) -> Array:
    """The values, or OverflowError where a square of a gradient is beyond its floating-point range."""
    if not np.isfinite(values).all():
        raise OverflowError("squared gradients leave the floating-point range; inputs or parameters are too large")
    return values


def traced_kernel(net: MLP, x: NDArray[Any]) -> Array:
    """Trace over outputs of the kernel, Σ_a Λ_nm,aa, shape (N, N)."""
    n, outputs = len(x), net.widths[-1]
    return np.asarray(np.einsum("nama->nm", _gram(net, x, _unit_vectors).reshape(n, outputs, n, outputs)))


def _gram(net: MLP, x: NDArray[Any], seeds: Seeds) -> Array:
    """Scalar products of all seeded gradients, shape (N K, N K)."""
    layers = net.layers()
    passed = forward(layers, net.activation, x)
    scaled, size = _scaled_seeds(net, passed, seeds, slice(None))
    n, k = len(x), scaled.shape[1]
    total, sizes = np.zeros((n * k, n * k)), np.repeat(np.broadcast_to(size, n), k)
    deltas = backward(layers, passed.slopes, scaled)
    with np.errstate(over="ignore", invalid="ignore"):  # asked for in the end
        for layer, a, delta in zip(layers[::-1], passed.inputs[::-1], deltas, strict=True):
            values = delta.values().astype(np.float64)
            rows, inputs = np.broadcast_to(values, (n, *values.shape[1:])).reshape(n * k, -1), a.astype(np.float64)
            weight = layer.scale**2 * (inputs @ inputs.T) + (layer.bias is not None)
            total += (rows @ rows.T) * np.repeat(np.repeat(weight, k, axis=0), k, axis=1)
        return _finite(total * np.outer(sizes, sizes))


def _input_squares(layers: Sequence[Layer], passed: Forward) -> list[Array]:
    """Factor s_l² |a_(l−1)|² + 1 of each layer, shape (n,)."""
    return [
        layer.scale**2 * row_squares(a) + (layer.bias is not None)
        for layer, a in zip(layers, passed.inputs, strict=True)
    ]


def _eigenvalues(gram: Array) -> Array:
    return np.asarray(np.linalg.eigvalsh(gram)[::-1], dtype=np.float64)


def _over_blocks(net: MLP, x: NDArray[Any], block: Callable[[slice, Forward, Workspace], T]) -> list[T]:
    """Results of a function of blocks of samples and their forward pass, in order.

    Tiles of samples run in parallel, the same for any thread count. Each has one forward pass, whose large products are
    what BLAS is best at, and goes back in blocks that stay in a core's own cache.
    """
    layers, length = net.layers(), max(1, BLOCK_SIZE // (net.widths[-1] * max(net.widths[1:])))

    def tile(rows: slice) -> list[T]:
        with np.errstate(over="ignore", invalid="ignore"):  # results are asked whether they are finite
            return backward_blocks(rows, forward(layers, net.activation, x[rows]), Workspace())

    def backward_blocks(rows: slice, passed: Forward, workspace: Workspace) -> list[T]:
        cuts = [slice(start, start + length) for start in range(0, len(passed.outputs), length)]
        return [
            block(
                slice(rows.start + cut.start, min(rows.start + cut.stop, rows.stop)),
                Forward([a[cut] for a in passed.inputs], [s[cut] for s in passed.slopes], passed.outputs[cut]),
                workspace,
            )
            for cut in cuts
        ]

    stride = math.ceil(len(x) / (2 * math.ceil(len(x) / (2 * TILE))))  # an even number of equal tiles
    tiles = [slice(start, min(start + stride, len(x))) for start in range(0, len(x), stride)]
    with one_blas_thread():
        return [result for results in in_order(tile, tiles, "samples") for result in results]
