"""Inverse, connection and curvature of a batch of points, from the jet of the metric there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infogeom.kernels.curvature.tensor_errors import TensorErrors
from infogeom.quantities import highest_order, tensors_of_curvature

__all__ = ["geometry"]

Array = NDArray[Any]
Kernels = Mapping[str, Callable[..., Any]]


def geometry(
    g: Array,
    dg: Array,
    ddg: Array,
    wanted: Collection[str],
    frame: Callable[..., None],
    kernels: Kernels,
    errors: tuple[Array, ...] = (),
    framed: tuple[Array, ...] = (),
    share: float = 1.0,
) -> Iterator[tuple[str, Array]]:
    """Yield the quantities asked for, each with its tensor indices first and the point last.

    The dtype is float64, with compiled kernels, or object, with the plain ones: then the very same steps run on names
    or on balls.

    Parameters
    ----------
    g, dg, ddg : ndarray, shapes (n, n, m), (n, n, n, m), (n, n, n, n, m)
        ``dg[i, j, k]`` is ∂_k g_ij; ``dg`` may be empty where no connection is wanted, ``ddg`` for a Hessian metric
        too.
    wanted : collection of str
        Names of `infogeom.quantities.QUANTITIES`; those of a model are passed over, and metric and determinant
        come always.
    frame : callable
        ``frame(g, E, F, sign, determinant)`` fills an orthonormal frame, its inverse, the signs and the determinant.
    kernels : mapping of str to callable
        The functions of `infogeom.kernels.curvature.loops`.
    errors : tuple of ndarray, optional
        Bounds on the errors of the jet; with them comes ``<quantity>_error`` beside each, of every entry, and ``sound``
        of `infogeom.kernels.curvature.tensor_errors.TensorErrors`, positive where these hold.
    framed : tuple of ndarray, optional
        Of a positive metric, bounds on the errors of g, ∂g and ∂∂g in the frame, where they are known better there than
        those in coordinates tell.
    share : float
        What the errors are multiplied by for all tensors but R, see
        `infogeom.kernels.curvature.tensor_errors.TensorErrors`.
    """
    # In the order of derivatives: what takes none; Γ, from ∂g in coordinates with one index raised; and the curvature,
    # from Γ and ∂∂g with all indices in the frame, where raising is a sign and nothing is inverted.  The bounds go the
    # same way, by the same frame, and every tensor that is not asked for is left out: on names each costs lines.
    n = g.shape[0]
    E, F, sign, determinant = np.empty_like(g), np.empty_like(g), np.empty_like(g[0]), np.empty_like(g[0, 0])
    frame(g, E, F, sign, determinant)
    Et = np.ascontiguousarray(E.transpose(1, 0, 2))

    def contracted(tensor: Array, matrix: Array, indices: Collection[int]) -> Array:
        return contract_indices(kernels["contract"], tensor, matrix, indices)

    hessian = bool(dg.size) and not ddg.size
    bounds = TensorErrors(E, F, errors, hessian, contracted, framed, share) if errors else None
    yield from _algebraic(g, sign, determinant, wanted, bounds)
    if "inverse_metric" in wanted:
        inverse = contracted(sign[:, None] * Et, Et, [0])
        yield "inverse_metric", inverse
        if bounds:
            yield "inverse_metric_error", bounds.inverse(inverse)
    if not dg.size:
        return

    gamma = np.empty_like(dg)
    if "christoffel" in wanted:
        kernels["lower_christoffel"](dg, gamma)
        raised = contracted(gamma, E, [0])
        christoffel = contracted(sign[:, None, None] * raised, Et, [0])
        yield "christoffel", christoffel
        if bounds:
            yield "christoffel_error", bounds.christoffel(raised, christoffel)
    if highest_order(wanted) < 2:
        return

    # R alone takes no Riemann tensor: a double sum over its sectional curvatures.
    kernels["lower_christoffel"](contracted(dg, E, range(3)), gamma)
    ddg = contracted(ddg, E, range(4)) if ddg.size else ddg
    if "ricci_scalar" in wanted:
        R = np.empty_like(determinant)
        kernels["scalar"](gamma, ddg, sign, R)
        yield "ricci_scalar", R
        if bounds:
            bound = np.zeros_like(R)
            if framed:  # in R roundings average out, which takes no share of them
                averaged = TensorErrors(E, F, errors, hessian, contracted, framed)
                bound = averaged.scalar(_riemann(gamma, ddg, sign, kernels), gamma, ddg)
            elif n > 1:  # a line is flat
                kernels["scalar_error"](E, F, sign, gamma, ddg, *errors, bounds.lost, bound)
            yield "ricci_scalar_error", bound
    if not tensors_of_curvature(wanted):
        return

    # Ricci is contracted in the frame, and both are carried to coordinates last.
    riemann = _riemann(gamma, ddg, sign, kernels)
    error = bounds.riemann(gamma, ddg, riemann) if bounds else None
    if "ricci" in wanted:
        yield "ricci", contracted(_total(riemann[a, :, a] for a in range(n)), F, [0, 1])
        if bounds:
            yield "ricci_error", bounds.ricci(error)
    if "riemann" in wanted:
        yield "riemann", _antisymmetric(contracted(contracted(riemann, Et, [0]), F, [1, 2, 3]))
        if bounds:
            yield "riemann_error", bounds.riemann_in_coordinates(error)


def _riemann(gamma: Array, ddg: Array, sign: Array, kernels: Kernels) -> Array:
    """R^a_bcd in the frame."""
    riemann = np.empty((len(gamma), *gamma.shape), dtype=gamma.dtype)
    kernels["lower_riemann"](gamma, ddg, sign, riemann)
    return riemann * sign[:, None, None, None]


def _algebraic(
    g: Array, sign: Array, determinant: Array, wanted: Collection[str], bounds: TensorErrors | None
) -> Iterator[tuple[str, Array]]:
    """What takes no derivative, with the errors of what is wanted."""
    n = len(g)
    yield "metric", g
    if "fisher_trace" in wanted:
        yield "fisher_trace", _total(g[i, i] for i in range(n))
    yield "determinant", determinant
    yield "sign", sign
    if not bounds:
        return
    yield "sound", bounds.sound
    if {"metric", "fisher_trace"} & {*wanted}:
        error = bounds.metric(g)
        yield "metric_error", error
        if "fisher_trace" in wanted:
            yield "fisher_trace_error", _total(error[i, i] for i in range(n))
    if "determinant" in wanted:
        yield "determinant_error", bounds.determinant(determinant)


def _antisymmetric(riemann: Array) -> Array:
    """R^i_jkl with R^i_jlk = −R^i_jkl to the last bit."""
    for k in range(len(riemann)):
        riemann[:, :, k, k] = 0
        for l in range(k):
            riemann[:, :, k, l] = -riemann[:, :, l, k]
    return riemann


@np.errstate(over="ignore", invalid="ignore")  # what leaves float64 is told by the status
def _total(terms: Iterable[Array]) -> Array:
    """Sum of arrays of one shape."""
    return np.asarray(sum(terms))


def contract_indices(contract: Callable[..., Any], tensor: Array, matrix: Array, indices: Collection[int]) -> Array:
    """Contract the given indices of a tensor with the first index of a matrix that differs from point to point."""
    n, m = matrix.shape[0], matrix.shape[-1]
    rank = tensor.ndim - 1
    tensor = np.ascontiguousarray(tensor)
    for index in indices:
        target = np.empty_like(tensor)
        shape = (n**index, n, n ** (rank - index - 1), m)
        contract(tensor.reshape(shape), matrix, target.reshape(shape))
        tensor = target
    return tensor
