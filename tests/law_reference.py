"""Fisher metrics of laws of one variable from the definition, in mpmath: score form and Hessian form.

Integrals are trapezoidal sums over τ with x = centre + scale · sinh(½π sinh τ) on a line and the like at an end
(Takahasi & Mori 1974); sums are plain.  The log-density is the model's own, for that is the definition; nothing else of
the package is used but the mpmath definitions of its functions in `tests.special_reference`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import sympy
from mpmath import mp, mpf

import infogeom as ig
from infogeom.functions.removable import removable
from tests import reference
from tests.special_reference import DEFINITIONS

Array = np.ndarray[Any, np.dtype[Any]]
DIGITS = 30
#: Step and reach of τ: the error of the rule is far below the digits compared for laws of about unit scale.
STEP, REACH = mpf(1) / 48, 264
NEGLIGIBLE = 80


class Definition:
    """The law of a model, its scores and second derivatives as mpmath functions."""

    def __init__(self, model: ig.models.Model) -> None:
        self.model = model
        self.symbols = [p.symbol for p in model.parameters]
        n = len(self.symbols)
        law = model.log_density.subs(model.constants)
        derivatives = [law.diff(a) for a in self.symbols]
        kinks = [k.args[0] for k in law.atoms(sympy.Abs) if isinstance(model.support, sympy.Interval)]
        if not kinks:
            derivatives += [law.diff(a, b) for a in self.symbols for b in self.symbols]
        observed = [(x, e) for x, e in model.change_of_variable.items()]
        jacobian = sum((sympy.log(sympy.Abs(e.diff(model.variable))) for _, e in observed), sympy.Integer(0))
        arguments = [model.variable, *self.symbols]
        self.log_density = sympy.lambdify(arguments, law.subs(observed) + jacobian, [DEFINITIONS, "mpmath"])
        self.derivatives = sympy.lambdify(arguments, [d.subs(observed) for d in derivatives], [DEFINITIONS, "mpmath"])
        self.kinks = [sympy.lambdify(self.symbols, x, "mpmath") for k in kinks for x in sympy.solve(k, model.variable)]
        self.n = n

    def __call__(self, point: Sequence[float]) -> tuple[Array, Array, Any]:
        """E[s sᵀ], −E[∂∂ℓ] (nothing where the density has kinks) and the mass."""
        with mp.workdps(DIGITS):
            theta = [mpf(x) for x in point]
            shape = 0 if self.kinks else self.n, self.n
            mass, score, hessian = mpf(0), np.zeros((self.n, self.n), object), np.zeros(shape, object)
            for x, log_weight in self._nodes(theta):
                p = mp.exp(self.log_density(x, *theta) + log_weight)
                d = self.derivatives(x, *theta)
                s, h = np.array(d[: self.n], object), np.array(d[self.n :], object).reshape(-1, self.n)
                mass, score, hessian = mass + p, score + p * np.outer(s, s), hessian - p * h
            return score, hessian, mass

    def _nodes(self, theta: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
        """Nodes and logarithms of their weights, where the density is not negligible."""
        support = self.model.support.subs(self.model.constants)
        if not isinstance(support, sympy.Interval):
            yield from self._outcomes(support, theta)
            return
        low, high = (
            mpf(float(e)) if e.is_infinite else mpf(sympy.Float(e.evalf(40), 40)._mpf_)
            for e in (support.start, support.end)
        )
        ends = [low, *sorted(kink(*theta) for kink in self.kinks), high]
        for a, b in pairwise(ends):
            candidates = []
            for k in range(-REACH, REACH + 1):
                x, slope = _chart(a, b, k * STEP, theta)
                if a < x < b:
                    candidates.append((x, slope + mp.log(STEP), self.log_density(x, *theta) + slope))
            top = max(height for *_, height in candidates)
            yield from ((x, w) for x, w, height in candidates if height > top - NEGLIGIBLE)

    def _outcomes(self, support: sympy.Set, theta: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
        top, below = -mp.inf, 0
        for k in support:
            height = self.log_density(mpf(int(k)), *theta)
            top = max(top, height)
            below = below + 1 if height < top - NEGLIGIBLE else 0
            if below > 20:
                return
            yield mpf(int(k)), mpf(0)


def _chart(a: Any, b: Any, tau: Any, theta: Sequence[Any]) -> tuple[Any, Any]:
    """Point x(τ) of an interval and log dx/dτ."""
    t, log_slope = mp.pi / 2 * mp.sinh(tau), mp.log(mp.pi / 2 * mp.cosh(tau))
    if mp.isinf(a) and mp.isinf(b):  # the second parameter of the laws on the line is their scale
        return theta[0] + theta[1] * mp.sinh(t), log_slope + mp.log(theta[1] * mp.cosh(t))
    if mp.isinf(b):
        return a + mp.exp(t), log_slope + t
    if mp.isinf(a):
        return b - mp.exp(t), log_slope + t
    with mp.extradps(60):  # near the far end x needs digits
        e = mp.exp(-2 * abs(t))
        near = (b - a) * e / (1 + e)
        return a + near if t < 0 else b - near, log_slope + mp.log(2 * (b - a) * e / (1 + e) ** 2)


def curvature_of(metric: Callable[..., Any], point: Sequence[float], step: str, digits: int) -> Any:
    """R of a metric, a function of mpmath numbers that gives rows, its derivatives by central differences."""
    n = len(point)
    with mp.workdps(digits):
        h, cache = mpf(step), {}

        def g(*offsets: int) -> Array:
            if offsets not in cache:
                moved = [mpf(x) + k * h for x, k in zip(point, offsets, strict=True)]
                cache[offsets] = np.array([list(row) for row in metric(*moved)], dtype=object)
            return cache[offsets]

        def at(*steps: tuple[int, int]) -> Array:
            offsets = [0] * n
            for k, sign in steps:
                offsets[k] += sign
            return g(*offsets)

        dg = [(at((k, 1)) - at((k, -1))) / (2 * h) for k in range(n)]
        ddg = [[None] * n for _ in range(n)]
        for k in range(n):
            for m in range(n):
                if k == m:
                    ddg[k][m] = (at((k, 1)) - 2 * at() + at((k, -1))) / h**2
                else:
                    mixed = at((k, 1), (m, 1)) - at((k, 1), (m, -1)) - at((k, -1), (m, 1)) + at((k, -1), (m, -1))
                    ddg[k][m] = mixed / (4 * h**2)
        jet = reference.Jet(at(), np.stack(dg, -1), np.stack([np.stack(row, -1) for row in ddg], -2))
        return reference.curvature(reference.Jet(*(_converted(a) for a in jet))).scalar


def _converted(array: Array) -> Array:
    """Numbers of the context that the reference computes in."""
    return np.vectorize(lambda x: reference.context.mpf(mpf(x)._mpf_), otypes=[object])(array)


def mp_matrix(matrix: sympy.Matrix, symbols: Sequence[sympy.Symbol]) -> Callable[..., Any]:
    """A closed form as a function of mpmath numbers."""
    written = matrix.replace(lambda e: isinstance(e, removable), lambda e: e.args[1].at(e.args[0]))
    return sympy.lambdify(symbols, written.tolist(), [DEFINITIONS, "mpmath"])
