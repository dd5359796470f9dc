"""Metrics as functions of points in ball arithmetic: closed forms, sums, integrals, and what is made of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import flint
import numpy as np
import sympy
from flint import arb

from tests.oracle_balls import Program, exact

Array = np.ndarray[Any, np.dtype[Any]]


class Field:
    """The matrix of a closed form, averaged over its data, and the observables of a network."""

    #: Bits to begin with, for what takes no derivative and for what does; by how much they grow, and to what at most.
    bits, jet_bits, growth, most = 256, 768, 2.0, 2**14
    #: Whether radii say all of the error.
    proven = True

    def __init__(self, metric: Any) -> None:
        self.n, self.domains = len(metric.coordinates), metric.domains
        upper = [metric.matrix[i, j] for i, j in pairs(self.n)]
        samples, self.observables = metric.samples, tuple(metric.observables)
        own = samples.symbols if samples else ()
        self.program = Program((*metric.coordinates, *own), upper)
        self.observed = Program((*metric.coordinates, *own), [*metric.observables.values()])
        rows = samples.data if samples else np.empty((1, 0))
        weights = samples.weights if samples else np.ones(1)
        equal = (weights == weights[0]).all()
        self.rows = [[exact(v) for v in row] for row in rows]
        self.weights = [exact(1.0 if equal else w) for w in weights]

    def _mean(self, program: Program, x: Sequence[arb]) -> list[arb]:
        rows = [program(*x, *row) for row in self.rows]
        total = sum(self.weights, arb(0))
        return [
            sum(w * v for w, v in zip(self.weights, column, strict=True)) / total for column in zip(*rows, strict=True)
        ]

    def g(self, x: Sequence[arb]) -> Array:
        """Matrix at a point."""
        return symmetric(self.n, self._mean(self.program, x))

    def observe(self, x: Sequence[arb]) -> dict[str, arb]:
        """Observables at a point."""
        return dict(zip(self.observables, self._mean(self.observed, x), strict=True))

    def prepare(self, x: Sequence[float], bits: int) -> None:
        """Get ready for points beside x, at a precision."""

    def _follow(self, part: Field) -> None:
        """Take the precisions that a part needs."""
        self.bits, self.jet_bits, self.growth, self.most = part.bits, part.jet_bits, part.growth, part.most
        self.proven = part.proven


class SummedField(Field):
    """E[s sᵀ] of a law over integers by plain sums; the scores are derivatives of the log-density."""

    bits, jet_bits, growth, most = 256, 512, 1.5, 2500
    proven = False

    def __init__(self, model: Any) -> None:
        self.n, self.domains = len(model.parameters), [p.domain for p in model.parameters]
        self.observables = ()
        law, symbols = model.log_density.subs(model.constants), [p.symbol for p in model.parameters]
        self.program = Program((model.variable, *symbols), [law, *(law.diff(s) for s in symbols)])
        self.support, self.outcomes = model.support.subs(model.constants), []

    def prepare(self, x: Sequence[float], bits: int) -> None:
        """Choose the outcomes: all until the terms are negligible for good."""
        at, floor = [exact(v) for v in x], bits + 64
        self.outcomes, top, below = [], arb(-(10**18)), 0
        with flint.ctx.workprec(64):
            if isinstance(self.support, (sympy.Range, sympy.FiniteSet)) and self.support.is_finite_set:
                self.outcomes = [int(k) for k in self.support]
                return
            for k in self.support:
                height = self.program(arb(int(k)), *at)[0]
                top = max(top, height.mid())
                below = below + 1 if height < top - floor else 0
                if below > 40:
                    return
                self.outcomes.append(int(k))

    def g(self, x: Sequence[arb]) -> Array:
        """Sum over the outcomes."""
        entries = [arb(0)] * (self.n * (self.n + 1) // 2)
        for k in self.outcomes:
            height, *score = self.program(arb(k), *x)
            p = height.exp()
            entries = [e + p * score[i] * score[j] for e, (i, j) in zip(entries, pairs(self.n), strict=True)]
        return symmetric(self.n, entries)


class IntegratedField(SummedField):
    """E[s sᵀ] of a law on the line by the trapezoidal rule over τ, x = centre + scale · sinh(½π sinh τ).

    The rule depends on no parameter, so that differences of its sums are sums of differences; its error, which falls
    like exp(−c / step), is that of the digits it is asked for.
    """

    bits, jet_bits, growth, most = 192, 400, 1.5, 1800

    def __init__(self, model: Any, centre: Callable[..., float], scale: Callable[..., float]) -> None:
        super().__init__(model)
        self.centre, self.scale = centre, scale

    def prepare(self, x: Sequence[float], bits: int) -> None:
        """Choose nodes where the density is not negligible, and their weights."""
        at, (c, s) = [exact(v) for v in x], (exact(f(*x)) for f in (self.centre, self.scale))
        step, found, reach = arb(1) / (bits // 4), [], bits
        for k in range(-reach, reach + 1):
            tau = k * step
            t = arb.pi() / 2 * tau.sinh()
            node = c + s * t.sinh()
            weight = s * t.cosh() * arb.pi() / 2 * tau.cosh() * step
            with flint.ctx.workprec(64):
                height = self.program(node, *at)[0] + weight.log()
            if height.is_finite():  # far out log p is beyond what balls hold
                found.append((height.mid(), node, weight))
        top = max(height for height, *_ in found)
        self.outcomes = [(node, weight) for height, node, weight in found if height > top - 0.7 * bits - 64]

    def g(self, x: Sequence[arb]) -> Array:
        """Sum over the nodes."""
        entries = [arb(0)] * (self.n * (self.n + 1) // 2)
        for node, weight in self.outcomes:
            height, *score = self.program(node, *x)
            p = height.exp() * weight
            entries = [e + p * score[i] * score[j] for e, (i, j) in zip(entries, pairs(self.n), strict=True)]
        return symmetric(self.n, entries)


class Block(Field):
    """Independent observations: metrics one after another."""

    def __init__(self, parts: Sequence[Field]) -> None:
        self.parts, self.n, self.observables = parts, sum(part.n for part in parts), ()
        self.domains = [d for part in parts for d in part.domains]
        self._follow(max(parts, key=lambda part: not part.proven))

    def _shared(self, x: Sequence[Any]) -> list[tuple[Field, Sequence[Any]]]:
        ends = list(itertools.accumulate((part.n for part in self.parts), initial=0))
        return [(part, x[a:b]) for part, a, b in zip(self.parts, ends[:-1], ends[1:], strict=True)]

    def prepare(self, x: Sequence[float], bits: int) -> None:
        for part, own in self._shared(x):
            part.prepare(own, bits)

    def g(self, x: Sequence[arb]) -> Array:
        found, at = np.full((self.n, self.n), arb(0), object), 0
        for part, own in self._shared(x):
            found[at : at + part.n, at : at + part.n] = part.g(own)
            at += part.n
        return found


class Scaled(Field):
    """Copies: so many times the metric of one."""

    def __init__(self, one: Field, number: int) -> None:
        self.one, self.number, self.n, self.domains = one, number, one.n, one.domains
        self.observables = ()
        self._follow(one)

    def prepare(self, x: Sequence[float], bits: int) -> None:
        self.one.prepare(x, bits)

    def g(self, x: Sequence[arb]) -> Array:
        return self.number * self.one.g(x)


class Pulled(Field):
    """Other coordinates: JᵀgJ; of a regression its mean over the inputs."""

    def __init__(self, inner: Field, model: Any) -> None:
        symbols = [p.symbol for p in model.parameters]
        self.inner, self.n, self.observables = inner, len(symbols), ()
        self.domains = [p.domain for p in model.parameters]
        self._follow(inner)
        own = model.samples and not model.structure.model.samples
        columns, rows = (model.samples.symbols, model.samples.data) if own else ((), np.empty((1, 0)))
        self.rows = [[exact(v) for v in row] for row in rows]
        weights = model.samples.weights if own else np.ones(1)
        self.weights = [exact(1.0 if (weights == weights[0]).all() else w) for w in weights]
        old = sympy.Matrix(model.structure.old)
        self.old = Program((*symbols, *columns), list(old))
        self.jacobian = Program((*symbols, *columns), list(old.jacobian(symbols)))

    def prepare(self, x: Sequence[float], bits: int) -> None:
        at = self.old(*(exact(v) for v in x), *self.rows[0])
        self.inner.prepare([float(v) for v in at], bits)

    def g(self, x: Sequence[arb]) -> Array:
        total = np.full((self.n, self.n), arb(0), object)
        for weight, row in zip(self.weights, self.rows, strict=True):
            J = np.array(self.jacobian(*x, *row), object).reshape(-1, self.n)
            total = total + weight * (J.T @ self.inner.g(self.old(*x, *row)) @ J)
        found = total / sum(self.weights, arb(0))
        return symmetric(self.n, [found[i, j] for i, j in pairs(self.n)])


def pairs(n: int) -> list[tuple[int, int]]:
    return list(itertools.combinations_with_replacement(range(n), 2))


def symmetric(n: int, upper: Sequence[arb]) -> Array:
    found = np.empty((n, n), object)
    for (i, j), e in zip(pairs(n), upper, strict=True):
        found[i, j] = found[j, i] = e
    return found
