"""Exponential families by their log-partition function ψ, whose derivatives are the cumulants."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import combinations_with_replacement
from typing import Any

import mpmath
import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import Expr, ImmutableMatrix, Symbol

from infogeom import precision
from infogeom.functions import log_sum_exp
from infogeom.models.gibbs import Gibbs
from infogeom.models.log_partition import LogPartition
from infogeom.models.state_tables import from_states
from infogeom.models.structures import STATES_WRITTEN_OUT
from infogeom.numeric.multiprecision import in_mpmath
from infogeom.symbolic.called import Called
from infogeom.symbolic.cumulants import Cumulants
from infogeom.symbolic.definition import points_of
from infogeom.symbolic.expectation import ExpectationError, OpenExpectationError
from infogeom.symbolic.forms import Form
from infogeom.symbolic.gibbs import CumulantsAtPoint
from infogeom.symbolic.matrix_entries import symmetric_of
from infogeom.symbolic.structures.rules import Derived, Rules, rules_for

__all__ = ["LogPartitionRules"]

Array = NDArray[np.float64]

#: Terms up to which a logarithm of a sum of any exponentials is written out.
EXPONENTIALS_WRITTEN_OUT = 2 * STATES_WRITTEN_OUT
#: In which their exponents are taken.
DIGITS_OF_EXPONENTS = 30


@rules_for(LogPartition)
class LogPartitionRules(Rules[LogPartition]):
    """Derivatives of ψ."""

    def matrix(self) -> Derived:
        """∂∂ψ, but of a sum over many states, which numbers take."""
        psi = self.structure.psi
        most = STATES_WRITTEN_OUT if _states(psi, self.coordinates) else EXPONENTIALS_WRITTEN_OUT
        if _is_of_linear_exponents(psi, self.coordinates) and len(psi.args) > most:
            raise OpenExpectationError(
                f"model {self.model.name!r}: a sum over {len(psi.args)} states is written out up to "
                f"{most} of them; infogeom.grid.evaluate takes it by numbers"
            )
        known = self.cumulants()
        matrix = known.second if known else ImmutableMatrix(sympy.hessian(psi, self.coordinates))
        self._check_convex(matrix)
        return Derived(self._checked(self._presented(matrix)))

    def cumulants(self) -> Cumulants | None:
        """Derivatives of a ψ that is a sum of functions of linear forms."""
        return _of_linear_forms(self.structure.psi, self.coordinates)

    def open_form(self, reason: OpenExpectationError) -> tuple[Form, str]:
        """The table of the states that ψ sums over, or moments over them where they are not of float64."""
        psi = self.structure.psi
        states = _states(psi, self.coordinates)
        if states is None:
            exact = tuple(e.subs(self.model.constants) for e in psi.args)
            return Called(MomentsOfExponents(exact, self.coordinates)), "sum"
        table = from_states(states[0], self.model.parameters, states[1]).structure
        assert isinstance(table, Gibbs)
        return CumulantsAtPoint(table), table.expectation

    def _check_convex(self, hessian: ImmutableMatrix) -> None:
        """Raise where ψ is not strictly convex, at two points of the typical ranges."""
        at = in_mpmath(self.coordinates, list(hessian))
        for point in points_of(self.coordinates, [p.typical for p in self.model.parameters], set()):
            values = np.array(list(map(float, at(*point.values())))).reshape(hessian.shape)
            if not np.linalg.eigvalsh(values)[0] > 0:
                where = ", ".join(f"{symbol} = {float(value):.6g}" for symbol, value in point.items())
                raise ExpectationError(
                    f"model {self.model.name!r}: the log-partition function must be strictly convex, "
                    f"but at {where} its Hessian is {values.tolist()}"
                )


@dataclass(frozen=True)
class MomentsOfExponents:
    """Derivatives of orders 2, 3 and 4 of log Σ_k exp(a_k) at a point: cumulants of the slopes of linear a_k.

    Exponents and means are taken in many digits, so that the numbers are as good as float64 has them.
    """

    exponents: tuple[Expr, ...]
    coordinates: tuple[Symbol, ...]

    def __call__(self, *x: float) -> tuple[Array, Array, Array]:
        """∂∂ψ, ∂∂∂ψ and ∂∂∂∂ψ."""
        with precision.digits(DIGITS_OF_EXPONENTS):
            a, slopes = self._values(*map(mpmath.mpf, x))
            most = max(a)
            powers = [mpmath.exp(u - most) for u in a]
            shares = [power / mpmath.fsum(powers) for power in powers]
            means = [mpmath.fdot(shares, column) for column in zip(*slopes, strict=True)]
            centred = np.array([[t - m for t, m in zip(row, means, strict=True)] for row in slopes], dtype=float)
        p = np.array(shares, dtype=float)
        second = np.einsum("s,si,sj->ij", p, centred, centred)
        third = np.einsum("s,si,sj,sk->ijk", p, centred, centred, centred)
        fourth = np.einsum("s,si,sj,sk,sl->ijkl", p, centred, centred, centred, centred)
        for pairs in ("ij,kl->ijkl", "ik,jl->ijkl", "il,jk->ijkl"):
            fourth = fourth - np.einsum(pairs, second, second)
        return second, third, fourth

    @cached_property
    def _values(self) -> Callable[..., Any]:
        slopes = [[a.diff(c) for c in self.coordinates] for a in self.exponents]
        return in_mpmath(self.coordinates, [list(self.exponents), slopes])


@lru_cache(maxsize=16)
def _is_of_linear_exponents(psi: Expr, coordinates: tuple[Symbol, ...]) -> bool:
    """Whether ψ is log Σ_k exp(a_k) with a_k that are linear in the coordinates, and so a cumulant function."""
    if not isinstance(psi, log_sum_exp):
        return False
    slopes = [a.diff(x) for a in psi.args for x in coordinates]
    return all(slope.free_symbols.isdisjoint(coordinates) for slope in slopes)


def _states(psi: Expr, coordinates: tuple[Symbol, ...]) -> tuple[Array, list[int]] | None:
    """Slopes t_k and weights m_k of ψ = log Σ_k m_k exp(t_k·θ), of many terms; None where it is none such.

    Slopes are rational and weights whole, so that both are known exactly.
    """
    if not isinstance(psi, log_sum_exp) or len(psi.args) <= STATES_WRITTEN_OUT:
        return None
    origin = dict.fromkeys(coordinates, sympy.S.Zero)
    slopes = [[a.diff(x) for x in coordinates] for a in psi.args]
    weights = [sympy.exp(a.xreplace(origin)) for a in psi.args]
    if not all(m.is_Integer for m in weights) or not all(_is_of_float64(t) for row in slopes for t in row):
        return None
    return np.array(slopes, dtype=float), list(map(int, weights))


def _is_of_float64(t: Expr) -> bool:
    return bool(t.is_Rational and sympy.Rational(float(t)) == t)


@lru_cache(maxsize=16)
def _of_linear_forms(psi: Expr, coordinates: tuple[Symbol, ...]) -> Cumulants | None:
    """Derivatives of a log-partition function Σ_k c_k f_k(a_k·θ); None where it is none such."""
    sums: dict[tuple[int, ...], list[Expr]] = {}
    for term in sympy.Add.make_args(psi):
        coefficient, f = term.as_independent(*coordinates, as_Add=False)
        if f == 1 or f in coordinates:
            continue
        if not isinstance(f, sympy.Function) or len(f.args) != 1:
            return None
        (u,) = f.args
        slopes = {k: u.diff(x) for k, x in enumerate(coordinates) if x in u.free_symbols}
        if any(a.free_symbols & {*coordinates} for a in slopes.values()):
            return None
        for at, derivative in _derivatives(coefficient, f, slopes):
            sums.setdefault(at, []).append(derivative)
    entries = {at: sympy.Add(*terms) for at, terms in sums.items()}
    second = symmetric_of(len(coordinates), lambda i, j: entries.get((i, j), sympy.Integer(0)))
    return Cumulants(second, {at: e for at, e in entries.items() if len(at) == 3 and e != 0})


def _derivatives(coefficient: Expr, f: Expr, slopes: dict[int, Expr]) -> Iterator[tuple[tuple[int, ...], Expr]]:
    """Second and third derivatives of c f(u), those of u being its slopes."""
    t, (u,) = sympy.Dummy("t", real=True), f.args
    for order in (2, 3):
        slope = coefficient * f.func(t).diff(t, order).xreplace({t: u})
        for at in combinations_with_replacement(slopes, order):
            factor = math.prod(slopes[k] for k in at)
            yield at, slope if factor == 1 else factor * slope
