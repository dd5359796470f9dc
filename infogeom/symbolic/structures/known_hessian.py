"""Exponential families whose ∂∂ψ, and perhaps R, is known in a writing of its own: held against derivatives of ψ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations_with_replacement, permutations
from typing import Any

import mpmath
import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import Expr

from infogeom import precision
from infogeom.models.log_partition import KnownHessian
from infogeom.numeric.multiprecision import in_mpmath
from infogeom.symbolic.cumulants import Cumulants
from infogeom.symbolic.definition import points_of
from infogeom.symbolic.expectation import ExpectationError
from infogeom.symbolic.structures.log_partition import LogPartitionRules
from infogeom.symbolic.structures.rules import Derived, rules_for

__all__ = ["KnownHessianRules"]

#: In which what is known is compared with derivatives of ψ.
DIGITS = 50
#: Largest difference, relative to √(g_ii g_jj) and to 1 + |R|.
RELATIVE = 1e-20


@rules_for(KnownHessian)
class KnownHessianRules(LogPartitionRules):
    """What is known, if derivatives of ψ at points of the typical ranges agree with it."""

    structure: KnownHessian

    def matrix(self) -> Derived:
        """The Hessian as it is known."""
        matrix = self.structure.hessian
        self._check_convex(matrix)
        self._check()
        return Derived(matrix)

    def cumulants(self) -> Cumulants:
        """The Hessian and its derivatives, each of the entry that has the shortest."""
        g, theta = self.structure.hessian, self.coordinates
        third = {}
        for at in combinations_with_replacement(range(len(theta)), 3):
            orders = set(permutations(at))
            slopes = [g[i, j].diff(theta[k]) for i, j, k in orders]
            third[at] = sympy.factor_terms(min(slopes, key=sympy.count_ops))
        return Cumulants(g, third, natural=True)

    def ricci_scalar(self) -> Expr | None:
        """R as it is known."""
        return self.structure.ricci_scalar

    def _check(self) -> None:
        """Raise where derivatives of ψ, taken by differences in many digits, are others than what is known."""
        theta, known = self.coordinates, self.structure
        told = list(known.hessian)
        if known.ricci_scalar is not None:
            told.append(known.ricci_scalar)
        typical = [p.typical for p in self.model.parameters]
        psi, values = in_mpmath(theta, known.psi), in_mpmath(theta, told)
        with precision.digits(DIGITS):
            for point in points_of(theta, typical, set()):
                x = tuple(mpmath.mpf(value.p) / value.q for value in point.values())
                if (worst := max(_differences(psi, x, values(*x)))) > RELATIVE:
                    raise ExpectationError(
                        f"model {self.model.name!r}: derivatives of the log-partition function contradict what is "
                        f"known of them by {float(worst):.1e}, relative, at {point}"
                    )


def _differences(psi: Callable[..., Any], x: tuple[Any, ...], told: Sequence[Any]) -> list[Any]:
    """Differences of a metric, and perhaps of R behind it, from derivatives of ψ at x, relative to their sizes."""
    n = len(x)
    g = _derivatives(psi, x, 2)
    differences = _relative(g, np.array(told[: n * n], dtype=object).reshape(n, n))
    for R in told[n * n :]:
        expected = _scalar(g, _derivatives(psi, x, 3))
        differences.append(abs(R - expected) / (1 + abs(expected)))
    return differences


def _derivatives(psi: Callable[..., Any], x: tuple[Any, ...], order: int) -> NDArray[Any]:
    """All derivatives of an order."""
    n = len(x)
    found = np.empty((n,) * order, dtype=object)
    for at in combinations_with_replacement(range(n), order):
        times = tuple(map(at.count, range(n)))
        derivative = mpmath.diff(psi, x, times)
        for index in permutations(at):
            found[index] = derivative
    return found


def _relative(g: NDArray[Any], told: NDArray[Any]) -> list[Any]:
    """Differences of the entries of two metrics, relative to the roots of the first one's diagonal."""
    roots = [mpmath.sqrt(x) for x in g.diagonal()]
    return list((abs(told - g) / np.outer(roots, roots)).flat)


def _scalar(g: NDArray[Any], T: NDArray[Any]) -> Any:
    """R = ¼ (‖T‖² − ‖tr T‖²) of a Hessian metric."""
    inverse = np.array((mpmath.matrix(g.tolist()) ** -1).tolist(), dtype=object)
    raised = np.einsum("ai,bj,ck,ijk->abc", inverse, inverse, inverse, T)
    trace = np.einsum("ij,ijk->k", inverse, T)
    return ((T * raised).sum() - trace @ inverse @ trace) / 4
