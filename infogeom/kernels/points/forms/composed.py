"""Forms of forms: metrics in other coordinates, multiples and direct sums, by the chain rule on jets.

With θ = θ(θ′), J = ∂θ/∂θ′, H = ∂J/∂θ′ and K = ∂H/∂θ′,

    g′_ab     = g_ij J_ia J_jb
    ∂_c g′_ab = ∂_k g_ij J_kc J_ia J_jb + g_ij (H_iac J_jb + J_ia H_jbc)

and ∂_d ∂_c g′_ab by the product rule once more.  To first order an error passes through such a sum of products as
through the same sum of magnitudes, a factor at a time.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sympy import Expr, Set, Symbol

from infogeom.kernels.curvature.jet import RANKS, BoundedJet
from infogeom.kernels.curvature.loops import UNIT
from infogeom.kernels.curvature.tensor_errors import SINGLE
from infogeom.kernels.expectations.at_nodes import special_functions
from infogeom.kernels.expectations.running_error import with_errors
from infogeom.kernels.points.pointwise import Pointwise, sharpen_scalar
from infogeom.kernels.points.tiles import Task
from infogeom.kernels.points.work import Work, jets_up_to, way_of, work_of
from infogeom.symbolic import DirectSum, Form, Metric, PulledBack, Scaled

Array = NDArray[np.float64]
#: What one rounding is in the units of bounds on errors, of which `infogeom.kernels.curvature.tensor_errors.SINGLE` are
#: taken.
ROUNDING = 2 * UNIT
#: Steps that measure what an error of θ does, in units of that error's bound, of which `SINGLE` are taken.
WIDER = 8.0
#: What an invariant of the part is asked for.
OF_SCALAR = ("ricci_scalar", "ricci_scalar_error")


class Bounded(NamedTuple):
    """Tensors with the point last, and bounds on their errors."""

    value: Array
    error: Array

    def __add__(self, other: Bounded) -> Bounded:  # type: ignore[override]
        value = self.value + other.value
        return Bounded(value, self.error + other.error + np.abs(value) * ROUNDING)


def contracted(subscripts: str, *factors: Bounded) -> Bounded:
    """Product of tensors by Einstein's convention; "p" is the point."""
    sizes = [np.abs(factor.value) for factor in factors]
    error = np.einsum(subscripts, *sizes) * (ROUNDING * len(factors))
    for k, factor in enumerate(factors):
        error = error + np.einsum(subscripts, *sizes[:k], factor.error, *sizes[k + 1 :])
    return Bounded(np.einsum(subscripts, *(factor.value for factor in factors)), error)


class _Composed(Pointwise):
    """A form made of others."""

    def __init__(self, metric: Metric) -> None:
        super().__init__(metric)
        self._parts = [work_of(part) for part in self._metrics()]
        least = min(self._parts, key=lambda part: part.order)
        self.order, self.reason = least.order, least.reason
        self.judges = any(part.judges for part in self._parts)

    @abstractmethod
    def _metrics(self) -> list[Metric]:
        """What it is made of."""

    def admits(self, points: Array) -> NDArray[np.bool_]:
        """What all parts admit."""
        found = super().admits(points)
        for part, own in zip(self._parts, self._own_points(points), strict=True):
            found &= part.admits(own)
        return found

    def _own_points(self, points: Array) -> list[Array]:
        """Points in the coordinates of each part."""
        return [points]

    def _part(self, coordinates: Sequence[Symbol], form: Form, domains: Sequence[Set] = ()) -> Metric:
        return Metric(coordinates, form, domains=domains, attributes=self.metric.attributes)


@way_of(Scaled)
class _Scaled(_Composed):
    def _metrics(self) -> list[Metric]:
        return [self._part(self.metric.coordinates, self.form.form, self.metric.domains)]

    @np.errstate(over="ignore", invalid="ignore")  # shows in the jets
    def jets(self, points: Array, order: int) -> BoundedJet:
        found, number = self._parts[0].jets(points, order), float(self.form.number)
        *of_jet, factor = found.errors  # the last is relative
        tensors = [number * tensor for tensor in (found.g, found.dg, found.ddg)]
        errors = [number * error + np.abs(t) * ROUNDING for error, t in zip(of_jet, tensors, strict=True)]
        return BoundedJet(tensors[0], tensors[1], tensors[2], (*errors, factor))


@way_of(DirectSum)
class _DirectSum(_Composed):
    def _own_points(self, points: Array) -> list[Array]:
        ends = np.cumsum([part.n for part in self._parts])
        return np.split(points, ends[:-1], axis=1)

    def _metrics(self) -> list[Metric]:
        domains, parts = iter(self.metric.domains), zip(self.form.coordinates, self.form.forms, strict=True)
        return [self._part(own, form, [next(domains) for _ in own]) for own, form in parts]

    @np.errstate(over="ignore", invalid="ignore")  # shows in the jets
    def jets(self, points: Array, order: int) -> BoundedJet:
        m, first = len(points), 0
        whole = [np.zeros((self.n,) * rank + (m,)) for rank in RANKS[: order + 1]]
        errors = [np.zeros_like(tensor) for tensor in whole]
        factor = np.zeros((self.n + 1, m))
        for part in self._parts:
            own = np.arange(first, first + part.n)
            found = part.jets(points[:, own], order)
            for k, (tensor, error) in enumerate(zip(whole, errors, strict=True)):
                at = np.ix_(*[own] * RANKS[k])
                tensor[at], error[at] = found[k], found.errors[k]
            shared = found.errors[3]
            factor[0] = factor[0] + shared[0]  # of one part only, and so for all of them at most
            factor[1 + own] = shared[1:]
            first += part.n
        return jets_up_to(whole, errors, factor)


@way_of(PulledBack)
class _PulledBack(_Composed):
    def __init__(self, metric: Metric) -> None:
        super().__init__(metric)
        self._old = len(self.form.old)
        new, old = metric.coordinates, list(self.form.old.values())
        derivatives = [_derivatives(old, new, rank) for rank in range(4)]
        self._map = with_errors(new, [e for tensor in derivatives for e in tensor], special_functions())

    def _own_points(self, points: Array) -> list[Array]:
        return [np.ascontiguousarray(self._at(points)[0].value.T)]

    def _metrics(self) -> list[Metric]:
        return [self._part(tuple(self.form.old), self.form.form)]

    @np.errstate(over="ignore", invalid="ignore")  # shows in the jets
    def jets(self, points: Array, order: int) -> BoundedJet:
        theta, J, H, K = self._at(points)
        (part,) = self._parts
        found = part.jets(np.ascontiguousarray(theta.value.T), min(order + 1, part.order))
        g, dg, ddg = _moved(part, found, theta, order)
        results = [contracted("ijp,iap,jbp->abp", g, J, J)]
        if order > 0:
            results.append(_first(g, dg, J, H))
        if order > 1:
            results.append(_second(g, dg, ddg, J, H, K))
        return jets_up_to([result.value for result in results], [result.error for result in results])

    def sharpen(self, found: dict[str, Array], points: Array, rtol: float) -> None:
        """R is the same in all coordinates, and its bound is smallest in those where g is given."""
        if self._old == self.n:
            sharpen_scalar(found, points, rtol, self._scalars)

    def _scalars(self, points: Array) -> tuple[Array, Array]:
        """R of the part, and what the error of θ adds to its bound."""
        theta = self._at(points)[0]
        R, error = _scalar(self._parts[0], theta.value.T)
        for beside, share in _beside(theta):
            change, more = _scalar(self._parts[0], beside)
            error = error + (np.abs(change - R) + more) * (SINGLE * share)
        return R, error

    def _at(self, points: Array) -> list[Bounded]:
        """θ and its derivatives of first to third order."""
        values, errors = self._map(*points.T)
        tensors, first = [], 0
        for rank in range(4):
            shape = (self._old, *(self.n,) * rank, len(points))
            own = slice(first, first + self._old * self.n**rank)
            broadcast = [np.array(np.broadcast_arrays(*part[own], points[:, 0])[:-1]) for part in (values, errors)]
            value, error = (part.reshape(shape) for part in broadcast)
            tensors.append(Bounded(value, error + np.abs(value) * ROUNDING))
            first = own.stop
        return tensors


def _derivatives(e: Sequence[Expr], x: Sequence[Symbol], rank: int) -> list[Expr]:
    """All derivatives of one order, those of the first expression first, the last index running fastest."""
    for _ in range(rank):
        e = [component.diff(c) for component in e for c in x]
    return list(e)


def _moved(part: Work, found: BoundedJet, theta: Bounded, order: int) -> list[Bounded]:
    """The jet where θ was rounded to, up to an order, with what that adds to its errors.

    So does the error of a factor that all samples share: of a whole jet there is none
    (`infogeom.kernels.codegen.rounding.SampleErrors`), and it has no slope that counts. The ∂∂g of a Hessian metric may
    stand for another, and tells no slope.
    """
    tensors, errors = found[:3], [np.array(error) for error in found.errors[:3]]
    root = np.sqrt(np.abs(np.einsum("iip->ip", found.g)))
    errors[0] = errors[0] + root[:, None] * root * (len(root) * found.errors[3][0])

    for rank in range(order + 1):
        if rank < 2 and tensors[rank + 1].size and not (rank == 1 and part.hessian):
            errors[rank] = errors[rank] + np.einsum("...kp,kp->...p", np.abs(tensors[rank + 1]), theta.error)
        else:
            errors[rank] = errors[rank] + _change(part, tensors[rank], theta, rank)
    return [Bounded(tensor, error) for tensor, error in zip(tensors, errors, strict=True)]


def _change(part: Work, tensor: Array, theta: Bounded, rank: int) -> Array:
    """How far a part of the jet, of which no derivative is known, may change within the error of θ, as it is measured.

    The steps are wider than that error, so that they are none of rounding, and the change is taken in proportion.
    """
    change = np.zeros_like(tensor)
    for beside, share in _beside(theta):
        found = part.jets(beside, rank)[rank]
        if not np.isfinite(found).all():  # at the edge of a domain
            other = part.jets(2 * theta.value.T - beside, rank)[rank]
            found = np.where(np.isfinite(found), found, other)
        change = change + np.abs(found - tensor) * share
    return change


def _beside(theta: Bounded) -> Iterator[tuple[Array, Array]]:
    """Points a step along each coordinate from θ, and which share of the step its error is.

    None along one without an error: the part may be known on h = 0 alone.
    """
    for k, (off, value) in enumerate(zip(theta.error, theta.value, strict=True)):
        if not off.any():
            continue
        step = WIDER * np.maximum(off, np.spacing(np.abs(value)))
        beside = theta.value.T.copy()
        beside[:, k] = np.where(off > 0, value + step, value)
        yield beside, off / step


def _scalar(part: Work, points: Array) -> tuple[Array, Array]:
    """R at points (m, n) and the bound on its error, infinite where nothing is known."""
    status = np.zeros((1, len(points)), dtype=np.int8)
    task = Task(part.metric, OF_SCALAR, np.empty((0, 1)), np.ascontiguousarray(points.T), (), status, 1.0)
    found = part.evaluation(task).run_alone()
    R, error = found["ricci_scalar"][0, 0], found["ricci_scalar_error"][0, 0]
    return R, np.where((error >= 0) & np.isfinite(R), error, np.inf)


def _first(g: Bounded, dg: Bounded, J: Bounded, H: Bounded) -> Bounded:
    """∂_c g′_ab."""
    found = contracted("ijkp,kcp,iap,jbp->abcp", dg, J, J, J) + contracted("ijp,iacp,jbp->abcp", g, H, J)
    return found + contracted("ijp,iap,jbcp->abcp", g, J, H)


def _second(g: Bounded, dg: Bounded, ddg: Bounded, J: Bounded, H: Bounded, K: Bounded) -> Bounded:
    """∂_d ∂_c g′_ab."""
    found = contracted("ijklp,ldp,kcp,iap,jbp->abcdp", ddg, J, J, J, J)
    found = found + contracted("ijkp,kcdp,iap,jbp->abcdp", dg, H, J, J)
    # One derivative on g, one on a Jacobian: which of c and d is which, and on which of them.
    for first, second in (("c", "d"), ("d", "c")):
        found = found + contracted(f"ijkp,k{first}p,ia{second}p,jbp->abcdp", dg, J, H, J)
        found = found + contracted(f"ijkp,k{first}p,iap,jb{second}p->abcdp", dg, J, J, H)
        found = found + contracted(f"ijp,ia{first}p,jb{second}p->abcdp", g, H, H)
    found = found + contracted("ijp,iacdp,jbp->abcdp", g, K, J)
    return found + contracted("ijp,iap,jbcdp->abcdp", g, J, K)
