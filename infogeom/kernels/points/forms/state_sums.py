"""Exponential families over a table of states: geometry by sums over the states, for tens of parameters.

With probabilities p_s, centred statistics c_s and z_s = E c_s in an orthonormal frame, Σ_s p_s z_s z_sᵀ = 1,

    g = Σ_s p_s c_s c_sᵀ,      R = ¼ (Σ_st p_s p_t (z_s·z_t)³ − |Σ_s p_s |z_s|² z_s|²),

the squared norms of the third cumulant and of its trace (SCIENCE.md 2): no tensor of rank 3 is formed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray
from scipy.linalg import lapack

from infogeom.kernels.compiled.compile import compiled_module
from infogeom.kernels.curvature import loops
from infogeom.kernels.curvature.geometry import contract_indices
from infogeom.kernels.curvature.jet import BoundedJet
from infogeom.kernels.curvature.loops import UNIT
from infogeom.kernels.curvature.tensor_errors import SINGLE, TensorErrors
from infogeom.kernels.gibbs.cumulants import maker_of
from infogeom.kernels.points.forms.gibbs import hessian_jets
from infogeom.kernels.points.pointwise import Pointwise
from infogeom.kernels.points.tiles import Evaluation, Places, Task
from infogeom.kernels.points.work import jets_of, way_of
from infogeom.models.state_tables import Table
from infogeom.quantities import QUANTITIES
from infogeom.symbolic import Metric, WeightedStates

__all__ = ["stated"]

Array = NDArray[np.float64]
#: What is summed over states by itself.
SUMMED = ("metric", "inverse_metric", "determinant", "fisher_trace", "ricci_scalar")
#: Parameters up to which tensors of rank 3 and 4 are summed over states.
MOST_OF_TENSORS = 12
#: Points of a tile.
POINTS = 64
#: Roundings of a logarithm and an exponential, besides those of the exponent.
WEIGHT_ROUNDINGS = 8
#: Below this exponent the weight of a state may have lost digits to underflow.
LOWEST_EXPONENT = -690.0
#: ∂g and ∂∂g that are not there.
NO_DERIVATIVES = (np.empty((0,) * 4), np.empty((0,) * 5))


class _Stated(Evaluation):
    """Point by point."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        form: Any = task.metric.form
        self._statistics, self.most = form.statistics, (1, POINTS)

    def values(self, outer: Array, inner: Array, status: NDArray[np.int8]) -> tuple[Array, Places]:
        points = [stated(self._statistics, x) for x in self.points(outer, inner)]
        judged = {name for name in self.outputs if not QUANTITIES[name].bounds}
        names = set(self.outputs)
        names |= {f"{name}_error" for name in judged}
        found = {"sign": np.ones((self.n, len(points))), "determinant": np.empty(len(points))}
        found["sound"] = np.array([point["sound"] for point in points])
        for name in names:
            nothing = np.full((self.n,) * QUANTITIES[name].rank, np.nan)
            found[name] = np.stack([point.get(name, nothing) for point in points], axis=-1)
        at: dict[str, NDArray[np.int64]] = {}
        parts: list[Array] = []
        self.judge(found, self.outputs, status, at, parts, judged)
        return np.concatenate(parts), at


@way_of(WeightedStates)
class _States(Pointwise):
    """What is summed by itself, and what follows from cumulants of few statistics."""

    hessian = True
    reason = f"that takes tensors over the states of a family, of at most {MOST_OF_TENSORS} parameters"

    def __init__(self, metric: Metric) -> None:
        super().__init__(metric)
        self.order = 2 if self.n <= MOST_OF_TENSORS else 0
        states = self.form.statistics
        self._table = Table(states, np.ones(len(states)), (sympy.Integer(1),) * self.n)

    def lacking(self, quantities: Collection[str]) -> str:
        return super().lacking([name for name in quantities if not _summed([name])])

    def evaluation(self, task: Task) -> Evaluation:
        return _Stated(task) if _summed(task.quantities) else super().evaluation(task)

    def apart(self, quantities: Sequence[str]) -> list[Sequence[str]]:
        """What is summed by itself, then the rest."""
        groups = [[name for name in quantities if _summed([name]) == summed] for summed in (True, False)]
        return [group for group in groups if group]

    def jets(self, points: Array, order: int) -> BoundedJet:
        if order == 0:
            found = [stated(self.form.statistics, x) for x in points]
            return jets_of([[(point["metric"], point["metric_error"])] for point in found], self.n, 0)
        return hessian_jets(maker_of(self._table), points, order)


def _summed(quantities: Collection[str]) -> bool:
    """Whether all of these are summed by themselves."""
    return all(QUANTITIES[name].source in SUMMED for name in quantities)


@np.errstate(over="ignore", invalid="ignore")  # what leaves float64 is told by the status
def stated(statistics: Array, theta: Sequence[float]) -> dict[str, Array]:
    """Quantities of the family with log-density θ·t_s − ψ over the states s, and bounds on their errors.

    Parameters
    ----------
    statistics : ndarray, shape (S, n)
    theta : sequence of n floats

    Returns
    -------
    dict of str to ndarray
        With ``sound`` of `infogeom.kernels.curvature.tensor_errors.TensorErrors`, which is nan where float64 cannot
        tell the metric from a singular one: then there is the metric alone.
    """
    # The metric, and the factor of it that QR of √p c finds without squaring what cancels.
    p, c, epsilon, shift, lost = _centred(statistics, theta)
    root = np.sqrt(p)[:, None] * c
    g = root.T @ root
    r = np.asarray(np.linalg.qr(root, mode="r"))
    n, sizes = len(g), np.sqrt(np.diag(g))
    found: dict[str, Any] = {"metric": g, "fisher_trace": np.trace(g), "determinant": np.prod(np.diag(r) ** 2)}
    if not (np.abs(np.diag(r)) > np.sqrt(loops.SINGULAR) * sizes).all():
        nothing = np.full((n, n), np.nan)
        return found | {"inverse_metric": nothing, "ricci_scalar": np.asarray(np.nan), "sound": np.asarray(np.nan)}

    # Statistics in its frame, and R from their scalar products.
    E, _ = lapack.dtrtri(r)  # g = rᵀ r, so that Eᵀ g E = 1
    z = c @ E
    length = np.sqrt(np.einsum("si,si->s", z, z))
    products = z @ z.T
    cubes = p @ (products * products * products) @ p
    trace = (p * length**2) @ z
    found |= {"inverse_metric": E @ E.T, "ricci_scalar": np.asarray((cubes - trace @ trace) / 4)}

    # Errors of the metric, and of what follows from it alone.
    of_g = _metric_error(p, c, epsilon, shift, lost)
    contracted = partial(contract_indices, compiled_module(loops)["contract"])
    errors = (of_g[..., None], *NO_DERIVATIVES, np.zeros((n + 1, 1)))
    bounds = TensorErrors(E[..., None], r[..., None], errors, True, contracted, share=SINGLE)
    of_metric, sound = bounds.metric(g[..., None])[..., 0], bounds.sound[0]
    found |= {"metric_error": of_metric, "fisher_trace_error": np.trace(of_metric), "sound": sound}
    found["determinant_error"] = bounds.determinant(found["determinant"])[0]
    found["inverse_metric_error"] = bounds.inverse(found["inverse_metric"][..., None])[..., 0]

    # Error of R. QR is stable by columns (Higham 2002, Th. 19.4): W bounds what the whitening errs by, in the frame.
    lengths = np.sqrt(np.einsum("ij,ij->i", E, E))
    W = np.sqrt(n) * epsilon + UNIT * np.sqrt(len(p)) * float(sizes @ lengths) + float(lost @ length**2)
    shift_in_frame = epsilon + 2 * UNIT * float(lengths @ np.abs(statistics - statistics[0]).max(0))
    of_third = _third_error(p, length, epsilon, W, shift_in_frame, lost, n)
    norm, of_trace = np.sqrt(max(cubes, 0.0)), np.sqrt(float(trace @ trace))
    of_scalar = (norm + np.sqrt(n) * of_trace) * of_third / 2 + UNIT * np.sqrt(len(p)) * (cubes + trace @ trace) / 4
    return found | {"ricci_scalar_error": np.asarray(of_scalar / sound)}


def _centred(statistics: Array, theta: Sequence[float]) -> tuple[Array, Array, float, Array, Array]:
    """Probabilities and centred statistics, and what errs in them.

    That is the relative error of a weight, what rounding does to a centred statistic, and weights below float64.
    """
    statistics = statistics - statistics[0]  # what all states share has no part in the law
    exponent = statistics @ np.asarray(theta)
    exponent -= exponent.max()
    weights = np.exp(exponent)
    p = weights / weights.sum()
    epsilon = UNIT * (WEIGHT_ROUNDINGS + 2 * float((np.abs(statistics) @ np.abs(theta)).max()))
    shift = 4 * 16 * UNIT * np.abs(statistics).max(axis=0)
    lost = np.where(exponent < LOWEST_EXPONENT, np.exp(LOWEST_EXPONENT), 0.0)
    return p, statistics - p @ statistics, epsilon, shift, lost


def _metric_error(p: Array, c: Array, epsilon: float, shift: Array, lost: Array) -> Array:
    """Bound on the errors of Σ_s p_s c_s c_sᵀ, entry by entry."""
    size = np.abs(c)
    first = p @ size
    beside = np.outer(first, shift)
    relative = 2 * epsilon + UNIT * (WEIGHT_ROUNDINGS + np.sqrt(len(p)))
    return np.asarray(
        relative * (size.T * p) @ size + beside + beside.T + np.outer(shift, shift) + (size.T * lost) @ size
    )


def _third_error(p: Array, length: Array, epsilon: float, W: float, shift: float, lost: Array, n: int) -> float:
    """Bound on the error of the norm of the third cumulant in the frame, to first order."""
    third = float(p @ length**3)
    return float((epsilon + 3 * W + UNIT * np.sqrt(n)) * third + 3 * n * shift + lost @ length**3)
