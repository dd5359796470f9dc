"""Bounds on the errors of tensors, alone: no jet within its errors leaves them, and they are not far too wide.

To first order the worst case of an entry is the sum over all independent components of the jet, of |∂T/∂component|
times the error of that component.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import permutations, product
from typing import Any, NamedTuple

import numpy as np
import pytest

from infogeom.kernels.curvature.geometry import geometry
from infogeom.kernels.curvature.loops import UNIT
from infogeom.kernels.curvature.straight_line import PLAIN
from infogeom.kernels.curvature.tensor_errors import SINGLE

Array = np.ndarray[Any, np.dtype[Any]]
#: Points of a test, how large the errors of a jet are there, and the step of central differences.
POINTS, SIZE, STEP = 6, 1e-9, 1e-5
ALGEBRAIC = ("metric", "fisher_trace", "determinant", "inverse_metric")
CURVATURES = ("riemann", "ricci", "ricci_scalar")
QUANTITIES = (*ALGEBRAIC, "christoffel", *CURVATURES)


class Jet(NamedTuple):
    """g, ∂g and ∂∂g with the point last; or bounds on their errors, or a change of them."""

    g: Array
    dg: Array
    ddg: Array

    def plus(self, change: Jet, factor: float = 1.0) -> Jet:
        """The jet with a multiple of a change."""
        return Jet(*(a + factor * b for a, b in zip(self, change, strict=True)))


# --- Tensors by their definitions, and the worst that errors do to them -----------------------------------------------


def tensors(jet: Jet) -> dict[str, Array]:
    """All quantities: R^i_jkl = ∂_k Γ^i_jl − ∂_l Γ^i_jk + Γ^i_mk Γ^m_jl − Γ^i_ml Γ^m_jk, Ric_jl = R^i_jil."""
    g, dg, ddg = jet
    matrices = np.moveaxis(g, -1, 0)
    inverse = np.moveaxis(np.linalg.inv(matrices), 0, -1)
    first = (dg.transpose(0, 2, 1, 3) + dg - dg.transpose(2, 0, 1, 3)) / 2
    dfirst = (ddg.transpose(0, 2, 1, 3, 4) + ddg - ddg.transpose(2, 0, 1, 3, 4)) / 2
    dinverse = -np.einsum("iap,ablp,bmp->imlp", inverse, dg, inverse)
    christoffel = np.einsum("imp,mjkp->ijkp", inverse, first)
    dchristoffel = np.einsum("imlp,mjkp->ijklp", dinverse, first) + np.einsum("imp,mjklp->ijklp", inverse, dfirst)
    half = dchristoffel.swapaxes(2, 3) + np.einsum("imkp,mjlp->ijklp", christoffel, christoffel)
    riemann = half - half.swapaxes(2, 3)
    ricci = np.einsum("ijilp->jlp", riemann)
    scalar = np.einsum("jlp,jlp->p", inverse, ricci)
    found = g, np.einsum("iip->p", g), np.linalg.det(matrices), inverse, christoffel, riemann, ricci, scalar
    return dict(zip(QUANTITIES, found, strict=True))


def slopes(jet: Jet, change: Jet) -> dict[str, Array]:
    """Derivatives of all quantities along a change of the jet, by central differences."""
    above, below = tensors(jet.plus(change, STEP)), tensors(jet.plus(change, -STEP))
    return {name: (above[name] - below[name]) / (2 * STEP) for name in QUANTITIES}


def symmetric(array: Array) -> Array:
    """Symmetric in the first two indices, and in the last two of four."""
    array = array + array.swapaxes(0, 1)
    return array + array.swapaxes(2, 3) if array.ndim == 5 else array


def totally_symmetric(array: Array) -> Array:
    """Symmetric in all indices, as ∂g of a Hessian metric is."""
    point = array.ndim - 1
    return np.asarray(sum(array.transpose(*order, point) for order in permutations(range(point))))


def units(n: int, rank: int, symmetrised: Callable[[Array], Array]) -> dict[bytes, Array]:
    """1 in the places of an independent component of a tensor, 0 in all others, for each of them."""
    found = {}
    for index in product(range(n), repeat=rank):
        unit = np.zeros((n,) * rank + (1,))
        unit[index] = 1.0
        unit = np.sign(symmetrised(unit))
        found[unit.tobytes()] = unit
    return found


def changes(jet: Jet, errors: Jet, symmetrised: Callable[[Array], Array]) -> Iterator[Jet]:
    """What each component that may err changes in the jet, by all of its error."""
    for part, error in enumerate(errors):
        for unit in units(len(error), error.ndim - 1, symmetrised).values():
            change = [np.zeros_like(a) for a in jet]
            change[part] = error * unit
            if change[part].any():
                yield Jet(*change)


def worst(jet: Jet, errors: Jet, symmetrised: Callable[[Array], Array] = symmetric) -> dict[str, Array]:
    """To first order the largest errors that quantities may have."""
    total = {name: np.zeros_like(value) for name, value in tensors(jet).items()}
    for change in changes(jet, errors, symmetrised):
        for name, slope in slopes(jet, Jet(*(a / SIZE for a in change))).items():
            total[name] += np.abs(slope) * SIZE
    return total


# --- Jets and their errors --------------------------------------------------------------------------------------------


def signs(n: int, signature: str) -> Array:
    """Signs of a positive metric, or of one of Lorentz's signature."""
    return np.array([-1.0 if signature == "indefinite" else 1.0, *np.ones(n - 1)])


def anywhere(rng: np.random.Generator, n: int, signature: str) -> Jet:
    """Jets of any regular metric."""
    L = np.tril(rng.uniform(-1, 1, (POINTS, n, n)), -1) + np.eye(n) * rng.uniform(0.7, 1.7, (POINTS, 1, n))
    g = np.moveaxis(np.swapaxes(L, 1, 2) @ np.diag(signs(n, signature)) @ L, 0, -1)
    dg, ddg = (rng.uniform(-1, 1, (n,) * rank + (POINTS,)) for rank in (3, 4))
    return Jet(g, symmetric(dg), symmetric(ddg))


def hessian(rng: np.random.Generator, n: int, signature: str) -> Jet:
    """Jets of any Hessian metric, ∂∂g left out, which does nothing to its curvature."""
    jet = anywhere(rng, n, signature)
    return jet._replace(dg=totally_symmetric(jet.dg), ddg=0 * jet.ddg)


def normal_coordinates(rng: np.random.Generator, n: int, signature: str) -> Jet:
    """Jets without ∂g."""
    jet = anywhere(rng, n, signature)
    return jet._replace(dg=0 * jet.dg)


def flat(rng: np.random.Generator, n: int, signature: str) -> Jet:
    """Jets of flat space in curved coordinates, from the derivatives of the Cartesian ones."""
    eta = signs(n, signature)
    J, Q, C = (rng.uniform(-0.3, 0.3, (n,) * rank + (POINTS,)) for rank in (2, 3, 4))
    J, Q, C = J + np.eye(n)[..., None], Q + Q.swapaxes(1, 2), np.stack([totally_symmetric(c) for c in C])
    dg = np.einsum("a,aikp,ajp->ijkp", eta, Q, J)
    ddg = np.einsum("a,aiklp,ajp->ijklp", eta, C, J) + np.einsum("a,aikp,ajlp->ijklp", eta, Q, Q)
    return Jet(np.einsum("a,aip,ajp->ijp", eta, J, J), dg + dg.swapaxes(0, 1), ddg + ddg.swapaxes(0, 1))


def single(n: int, signature: str, symmetrised: Callable[[Array], Array] = symmetric) -> Jet:
    """Jets in a frame that have one component of ∂g or of ∂∂g each, of a Hessian metric of ∂g."""
    dg, ddg = (np.concatenate([*units(n, rank, symmetrised).values()], axis=-1) for rank in (3, 4))
    own, other = dg.shape[-1], 0 if symmetrised is totally_symmetric else ddg.shape[-1]
    dg = np.concatenate([dg, np.zeros((n,) * 3 + (other,))], axis=-1)
    ddg = np.concatenate([np.zeros((n,) * 4 + (own,)), ddg[..., :other]], axis=-1)
    return Jet(np.repeat(np.diag(signs(n, signature))[..., None], own + other, axis=-1), dg, ddg)


def errors_of(rng: np.random.Generator, jet: Jet, parts: str, symmetrised: Callable[[Array], Array] = symmetric) -> Jet:
    """Errors of some parts of a jet, from almost none to `SIZE`."""
    found = [np.zeros_like(a) for a in jet]
    for part, name in enumerate(("g", "dg", "ddg")):
        if name in parts.split():
            found[part] = SIZE * np.abs(symmetrised(rng.uniform(0, 1, found[part].shape) ** 4))
    return Jet(*found)


# --- Bounds -----------------------------------------------------------------------------------------------------------


def frame(g: Array, E: Array, F: Array, sign: Array, volume: Array) -> None:
    """Frame E, its inverse, the signs and det g."""
    PLAIN["frame"](g, E, F, sign, volume, np.zeros(g.shape[-1], np.int8))


def frames(g: Array) -> tuple[Array, Array]:
    """Frame E and its inverse."""
    E, F = np.empty_like(g), np.empty_like(g)
    frame(g, E, F, np.empty_like(g[0]), np.empty_like(g[0, 0]))
    return E, F


def turned(tensor: Array, matrix: Array) -> Array:
    """Tensor with every index contracted with the first one of a matrix."""
    for axis in range(tensor.ndim - 1):
        moved = np.einsum("i...p,iap->a...p", np.moveaxis(tensor, axis, 0), matrix)
        tensor = np.moveaxis(moved, 0, axis)
    return tensor


def bounds(
    jet: Jet, errors: Jet, where: str, factor: Array | None = None, *, of_hessian: bool = False
) -> dict[str, Array]:
    """Bounds from those on the errors of the jet in coordinates, or from those in the frame."""
    n, none = len(jet.g), np.empty((0,) * 5)
    ddg, ddg_error = (none, none) if of_hessian else (jet.ddg, errors.ddg)
    given = errors.g, errors.dg, ddg_error, np.zeros((n + 1, jet.g.shape[-1])) if factor is None else factor
    E, _ = frames(jet.g)
    framed = tuple(turned(error, np.abs(E)) for error in errors) if where == "frame" else ()
    found = dict(geometry(jet.g, jet.dg, ddg, QUANTITIES, frame, PLAIN, given, framed))
    assert (found["sound"] > 0).all()
    for name, value in tensors(jet).items():  # both speak of the same
        assert np.allclose(found[name], value, rtol=1e-11, atol=1e-11)
    return {name: found[f"{name}_error"] for name in QUANTITIES}


def assert_within(errors: dict[str, Array], most: dict[str, Array]) -> None:
    """No error exceeds its bound; what differences err by is far below what rounding adds to bounds."""
    for name, error in errors.items():
        assert (error <= most[name] * (1 + 1e-6)).all(), name


# --- Tests ------------------------------------------------------------------------------------------------------------

EVERY = pytest.mark.parametrize("n", [2, 3])
METRICS = pytest.mark.parametrize(
    ("signature", "where"), [("positive", "coordinates"), ("positive", "frame"), ("indefinite", "coordinates")]
)


@EVERY
@METRICS
@pytest.mark.parametrize(
    ("jets", "parts"),
    [(anywhere, "g dg ddg"), (anywhere, "dg"), (anywhere, "ddg"), (flat, "g"), (normal_coordinates, "g")],
)
def test_no_jet_within_its_errors_leaves_the_bounds(
    jets: Callable[..., Jet], parts: str, signature: str, where: str, n: int
) -> None:
    rng = np.random.default_rng(n)
    jet = jets(rng, n, signature)
    errors = errors_of(rng, jet, parts)
    assert_within(worst(jet, errors), bounds(jet, errors, where))


@EVERY
@METRICS
@pytest.mark.parametrize("parts", ["g", "dg"])
def test_no_hessian_jet_within_its_errors_leaves_the_bounds(parts: str, signature: str, where: str, n: int) -> None:
    rng = np.random.default_rng(n)
    jet = hessian(rng, n, signature)
    errors = errors_of(rng, jet, parts, totally_symmetric)
    assert_within(worst(jet, errors, totally_symmetric), bounds(jet, errors, where, of_hessian=True))


@pytest.mark.parametrize("signature", ["positive", "indefinite"])
@pytest.mark.parametrize("of_hessian", [False, True])
def test_bounds_hold_where_one_component_stands_alone_and_one_errs(signature: str, of_hessian: bool) -> None:
    symmetrised = totally_symmetric if of_hessian else symmetric
    jet = single(2, signature, symmetrised)
    for errors in changes(jet, Jet(*(np.full_like(a, SIZE) for a in jet)), symmetrised):
        if errors.ddg.any() and of_hessian:
            continue
        assert_within(worst(jet, errors, symmetrised), bounds(jet, errors, "coordinates", of_hessian=of_hessian))


@EVERY
@pytest.mark.parametrize("alone", [False, True])
def test_no_factor_that_all_samples_share_leaves_the_bounds(n: int, alone: bool) -> None:
    # Errors that are known by the sum of their magnitudes in the frame: of g by the first, of Γ, half a ∂g, by others.
    rng = np.random.default_rng(n)
    jet = single(n, "positive", totally_symmetric) if alone else hessian(rng, n, "positive")
    E, F = frames(jet.g)
    factor = SIZE * rng.uniform(0, 1, (n + 1, jet.g.shape[-1]))
    of_gamma = (factor[1:] * np.abs(E).sum(axis=1)).sum(axis=0)
    total = {name: np.zeros_like(value) for name, value in tensors(jet).items()}
    for part, size in ((0, factor[0]), (1, 2 * of_gamma)):
        found = []
        for unit in units(n, part + 2, totally_symmetric).values():
            change = [np.zeros_like(a) for a in jet]
            change[part] = turned(unit / unit.sum() * size / SIZE, F)
            found.append(slopes(jet, Jet(*change)))
        for name in QUANTITIES:
            total[name] += SIZE * np.max([np.abs(slope[name]) for slope in found], axis=0)
    nothing = Jet(*(np.zeros_like(a) for a in jet))
    assert_within(total, bounds(jet, nothing, "coordinates", factor, of_hessian=True))


@EVERY
@METRICS
def test_errors_of_derivatives_that_are_far_larger_than_these_are_bounded(signature: str, where: str, n: int) -> None:
    # Without Γ all of what its errors do is of second order, and exact in it.
    rng = np.random.default_rng(n)
    jet = normal_coordinates(rng, n, signature)
    errors = errors_of(rng, jet, "dg")
    errors = errors._replace(dg=errors.dg / SIZE)
    most = bounds(jet, errors, where)
    before = tensors(jet)
    for _ in range(20):
        direction = np.sign(symmetric(rng.uniform(-1, 1, jet.dg.shape)))
        after = tensors(jet._replace(dg=direction * errors.dg))
        assert_within({name: abs(after[name] - before[name]) for name in CURVATURES}, most)


@EVERY
@pytest.mark.parametrize("where", ["coordinates", "frame"])
@pytest.mark.parametrize("parts", ["g", "dg", "ddg", "g dg ddg"])
def test_bounds_are_not_far_too_wide(parts: str, where: str, n: int) -> None:
    rng = np.random.default_rng(n)
    jet = anywhere(rng, n, "positive")
    errors = errors_of(rng, jet, parts)
    true, most = worst(jet, errors), bounds(jet, errors, where)
    for name in QUANTITIES:
        largest, bound = (a[name].reshape(-1, POINTS).max(axis=0) for a in (true, most))
        # What rounding adds is about 1e-15; that of R in coordinates knows sums over all components alone.
        limit = 1000 if (name, where) == ("ricci_scalar", "coordinates") else 60
        assert (bound <= limit * largest + 1e-13).all(), (name, (bound / largest).max())


@EVERY
@pytest.mark.parametrize("where", ["coordinates", "frame"])
def test_what_is_known_of_a_nearly_singular_metric_counts_every_entry_of_its_error(where: str, n: int) -> None:
    rng, none = np.random.default_rng(n), np.empty((0,) * 4)
    root = rng.normal(size=(n, n, POINTS))
    g = 1.0 + 1e-11 * np.einsum("iap,jap->ijp", root, root)
    error = symmetric(rng.uniform(1e-15, 1e-14, g.shape))
    factor = np.zeros((n + 1, POINTS))
    factor[0] = 1e-3
    E, F = map(np.abs, frames(g))
    framed = (turned(error, E), none, none) if where == "frame" else ()
    found = dict(geometry(g, none, none, ["metric"], frame, PLAIN, (error, none, none, factor), framed))
    W = turned(error + 2 * n * SINGLE * UNIT * np.einsum("aip,ajp->ijp", F, F), E) + factor[0]
    size = W.sum((0, 1))
    assert (size > 1e-3).all()
    assert found["sound"] == pytest.approx((1 - 4 * size) / (1 + size), rel=1e-9)


def test_a_line_is_flat_whatever_its_metric_errs_by() -> None:
    jet = Jet(*(np.full((1,) * rank + (POINTS,), 2.0) for rank in (2, 3, 4)))
    errors = Jet(*(np.full_like(a, SIZE) for a in jet))
    assert (bounds(jet, errors, "coordinates")["ricci_scalar"] == 0).all()
