"""Truth about any metric at a point: definitions in balls of hundreds of bits, derivatives by differences of g.

Nothing of the package is used but what defines a metric: the closed form's matrix, or the log-density.  They are read
by a small interpreter of SymPy expressions over FLINT's balls, so that whatever cancels shows in a radius, and the
precision rises until it does not.  Derivatives of g are central differences with steps far below the distance to the
border of the domain; two precisions, with other steps, have to agree on them.

>>> import infogeom as ig
>>> found = truth(Field(ig.symbolic.metric(ig.models.normal())), [0.5, 2.0], ("christoffel", "ricci_scalar"))
>>> float(found["ricci_scalar"].values[()]), float(found["christoffel"].values[0, 0, 1])
(-1.0, -0.5)
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import flint
import numpy as np
import sympy
from flint import acb, arb, arb_mat, arb_series, fmpq
from sympy import Expr, Symbol

from infogeom import functions
from infogeom.removable import removable

Array = np.ndarray[Any, np.dtype[Any]]
#: Bits to which truth is known, relative to its size.
SETTLED = 80
#: Share of the working bits that the step of a difference lies below the distance to the border.
STEP = 5
FIRST, SECOND = ("christoffel",), ("riemann", "ricci", "ricci_scalar")


# --- Expressions over balls -------------------------------------------------------------------------------------------


def integer(m: arb) -> int:
    return int(m.unique_fmpz())


def polygamma(order: arb, x: arb) -> arb:
    m = integer(order)
    return x.digamma() if m == 0 else acb(x).polygamma(acb(m)).real


def polygamma_excess(order: arb, x: arb) -> arb:
    m = integer(order)
    leading = x.log() if m == 0 else arb((-1) ** (m + 1)) * arb(m - 1).fac() / x**m
    return polygamma(order, x) - leading


def log_zeta(order: arb, s: arb) -> arb:
    """Derivative of log ζ; at large s of log1p(ζ − 1), a sum over few n."""
    m = integer(order)
    if s > 8 * flint.ctx.prec:
        return arb(-1) ** m * arb(2).log() ** m * arb(2) ** -s * (1 + arb(0, 2) * (arb(2) / 3) ** s)
    with flint.ctx.workprec(flint.ctx.prec + int(float(s)) + 30):
        found = arb_series([s, 1], m + 1).zeta().log() if m else [s.zeta().log()]
        return found[m] * arb(m).fac()


def bessel_ratio(nu: arb, x: arb) -> arb:
    return x.bessel_i(nu + 1, scaled=True) / x.bessel_i(nu, scaled=True)


def bessel_ratio_slope(nu: arb, x: arb) -> arb:
    ratio = bessel_ratio(nu, x)
    return 1 - ratio**2 - (2 * nu + 1) * ratio / x


def bessel_ratio_curve(nu: arb, x: arb) -> arb:
    ratio, slope = bessel_ratio(nu, x), bessel_ratio_slope(nu, x)
    return -2 * ratio * slope - (2 * nu + 1) * (slope / x - ratio / x**2)


def softplus(u: arb) -> arb:
    return u + (-u).exp().log1p() if u > 0 else u.exp().log1p()


def expit(u: arb) -> arb:
    return 1 / (1 + (-u).exp())


def log_sum_exp(*a: arb) -> arb:
    top = max(x.mid() for x in a)
    return top + sum((x - top).exp() for x in a).log()


def softmax(k: arb, *a: arb) -> arb:
    return 1 / sum((x - a[integer(k)]).exp() for x in a)


def normal_cdf(x: arb) -> arb:
    return (-x / arb(2).sqrt()).erfc() / 2


def inverse_mills(x: arb) -> arb:
    return (2 / arb.pi()).sqrt() * (-(x**2) / 2).exp() / (-x / arb(2).sqrt()).erfc()


#: What the functions of expressions are, each by its definition.
DEFINITIONS: dict[type, Callable[..., arb]] = {
    **{getattr(sympy, name): getattr(arb, name) for name in ("exp", "log", "sin", "cos", "tan", "cot", "sec", "csc")},
    **{getattr(sympy, name): getattr(arb, name) for name in ("sinh", "cosh", "tanh", "coth", "sech", "csch")},
    **{getattr(sympy, name): getattr(arb, name) for name in ("asin", "acos", "atan", "asinh", "acosh", "atanh")},
    **{getattr(sympy, name): getattr(arb, name) for name in ("gamma", "erf", "erfc")},
    sympy.loggamma: arb.lgamma,
    sympy.factorial: lambda n: (n + 1).gamma(),
    sympy.Abs: abs,
    sympy.sign: arb.sgn,
    sympy.polygamma: polygamma,
    sympy.zeta: lambda s, a=1: s.zeta(a),
    sympy.besseli: lambda nu, x: x.bessel_i(nu),
    functions.polygamma_excess: polygamma_excess,
    functions.log_zeta: log_zeta,
    functions.digamma_difference: lambda x, a: (x + a).digamma() - x.digamma(),
    functions.lgamma_difference: lambda x, a: (x + a).lgamma() - x.lgamma(),
    functions.bessel_ratio: bessel_ratio,
    functions.bessel_ratio_slope: bessel_ratio_slope,
    functions.bessel_ratio_curve: bessel_ratio_curve,
    functions.log_bessel: lambda nu, x: x.bessel_i(nu, scaled=True).log() + x,
    functions.log_normal_cdf: lambda x: normal_cdf(x).log(),
    functions.inverse_mills: inverse_mills,
    functions.log_sum_exp: log_sum_exp,
    functions.softmax: softmax,
    functions.softplus: softplus,
    functions.expit: expit,
}
CONSTANTS: dict[Any, Callable[[], arb]] = {
    sympy.pi: arb.pi,
    sympy.E: arb.const_e,
    sympy.EulerGamma: arb.const_euler,
    sympy.Catalan: arb.const_catalan,
}


class Program:
    """Expressions as steps over balls, each subexpression once; floats are the decimals that they print as."""

    def __init__(self, symbols: Sequence[Symbol], expressions: Sequence[Expr]) -> None:
        self.places: dict[Expr, int] = {s: k for k, s in enumerate(symbols)}
        self.steps: list[tuple[Callable[..., arb], tuple[int, ...]]] = []
        self.inputs = len(symbols)
        self.results = [self._place(sympy.sympify(e)) for e in expressions]

    def __call__(self, *values: arb) -> list[arb]:
        held = list(values)
        for function, arguments in self.steps:
            held.append(function(*(held[a] for a in arguments)))
        return [held[k] for k in self.results]

    def _place(self, e: Expr) -> int:
        if e not in self.places:
            if isinstance(e, removable):
                e = e.formula
            function, parts = self._step(e)
            arguments = tuple(self._place(part) for part in parts)
            self.steps.append((function, arguments))
            self.places[e] = self.inputs + len(self.steps) - 1
        return self.places[e]

    def _step(self, e: Expr) -> tuple[Callable[..., arb], Sequence[Expr]]:
        if e in CONSTANTS:
            return CONSTANTS[e], ()
        if isinstance(e, sympy.Float):
            e = sympy.Rational(str(e))
        if e.is_Rational:
            fraction = fmpq(int(e.p), int(e.q))
            return lambda: arb(fraction), ()
        if isinstance(e, sympy.Add):
            return lambda *a: sum(a[1:], a[0]), e.args
        if isinstance(e, sympy.Mul):
            return _product, e.args
        if isinstance(e, sympy.Pow):
            return self._power(e)
        if isinstance(e, sympy.Piecewise):
            return self._pieces(e)
        return DEFINITIONS[type(e)], e.args

    @staticmethod
    def _pieces(e: Expr) -> tuple[Callable[..., arb], Sequence[Expr]]:
        """The first piece whose condition holds: an equality, or always."""
        sides = [(c.lhs - c.rhs if isinstance(c, sympy.Eq) else sympy.Integer(0)) for _, c in e.args]

        def chosen(*values: arb) -> arb:
            pieces, apart = values[: len(sides)], values[len(sides) :]
            return next(piece for piece, distance in zip(pieces, apart, strict=True) if distance.is_zero())

        if not all(isinstance(c, sympy.Eq) or c == True for _, c in e.args):  # noqa: E712
            raise TypeError(f"pieces are told apart by equalities, got {e}")
        return chosen, (*(piece for piece, _ in e.args), *sides)

    @staticmethod
    def _power(e: Expr) -> tuple[Callable[..., arb], Sequence[Expr]]:
        if e.exp.is_Integer:
            exponent = int(e.exp)
            return lambda base: base**exponent, (e.base,)
        if e.exp == sympy.Rational(1, 2):
            return arb.sqrt, (e.base,)
        return lambda base, exponent: base**exponent, e.args


def _product(*factors: arb) -> arb:
    found = factors[0]
    for factor in factors[1:]:
        found = found * factor
    return found


# --- A metric as a function of points ---------------------------------------------------------------------------------


class Field:
    """The matrix of a closed form, averaged over its data, and the observables of a network."""

    #: Bits to begin with, for what takes no derivative and for what does; by how much they grow, and to what at most.
    bits, jet_bits, growth, most = 256, 768, 2.0, 2**14
    #: Whether radii say all of the error.
    proven = True

    def __init__(self, metric: Any) -> None:
        self.n, self.domains = len(metric.coordinates), metric.domains
        upper = [metric.matrix[i, j] for i, j in _pairs(self.n)]
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
            entries = [e + p * score[i] * score[j] for e, (i, j) in zip(entries, _pairs(self.n), strict=True)]
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
            entries = [e + p * score[i] * score[j] for e, (i, j) in zip(entries, _pairs(self.n), strict=True)]
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
        own = model.samples and not model.origin.model.samples
        columns, rows = (model.samples.symbols, model.samples.data) if own else ((), np.empty((1, 0)))
        self.rows = [[exact(v) for v in row] for row in rows]
        weights = model.samples.weights if own else np.ones(1)
        self.weights = [exact(1.0 if (weights == weights[0]).all() else w) for w in weights]
        old = sympy.Matrix(model.origin.old)
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
        return symmetric(self.n, [found[i, j] for i, j in _pairs(self.n)])


def exact(x: float) -> arb:
    """The number that a float64 is."""
    return arb(fmpq(*float(x).as_integer_ratio()))


def _pairs(n: int) -> list[tuple[int, int]]:
    return list(itertools.combinations_with_replacement(range(n), 2))


def symmetric(n: int, upper: Sequence[arb]) -> Array:
    found = np.empty((n, n), object)
    for (i, j), e in zip(_pairs(n), upper, strict=True):
        found[i, j] = found[j, i] = e
    return found


# --- Tensors ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Truth:
    """Components of a quantity as balls, what terms cancel in them at most, and units of their own where they have any.

    A positive definite g has the units √(g_ii g_jj).
    """

    values: Array
    terms: arb
    units: Array | None = None

    def measure(self, errors: Array) -> arb:
        """Largest error, in units of the quantity."""
        measured = np.asarray(errors if self.units is None else errors / self.units, object)
        return max((abs(e).upper() for e in measured.ravel()), default=arb(0))

    @property
    def largest(self) -> arb:
        """Largest component."""
        return max((abs(v).mid() for v in self.values.ravel()), default=arb(0))

    @property
    def vanishes(self) -> bool:
        """Whether all of it is 0 but for what its terms leave."""
        return bool(self.largest <= self.terms * arb(2) ** -(2 * SETTLED))

    @property
    def size(self) -> arb:
        """What measured errors are compared with."""
        if self.units is not None:
            return arb(1)
        return self.terms if self.vanishes else self.largest

    @property
    def settled(self) -> bool:
        """Whether every component is known well enough."""
        return bool(self.measure(_each(arb.rad, self.values)) <= self.size * arb(2) ** -SETTLED)


def _each(function: Callable[[arb], arb], a: Array) -> Array:
    found = np.empty(a.shape, object)
    for index, v in np.ndenumerate(a):
        found[index] = function(v)
    return found


def truth(field: Field, point: Sequence[float], quantities: Sequence[str]) -> dict[str, Truth]:
    """Quantities at a point; those that 16,384 bits do not settle are left out.

    ``metric``, ``inverse_metric``, ``determinant``, ``fisher_trace``, ``christoffel``, ``riemann``, ``ricci``,
    ``ricci_scalar``, and the observables of a network.
    """
    plain = [q for q in quantities if q not in FIRST + SECOND]
    curved = [q for q in quantities if q in FIRST + SECOND]
    found = _settled(field, lambda bits, left: _plain(field, point, bits, left), field.bits, plain, field.proven)
    return found | _settled(field, lambda bits, left: _curved(field, point, bits, left), field.jet_bits, curved, False)


def _settled(
    field: Field, take: Callable[[int, Sequence[str]], dict[str, Truth]], bits: int, quantities: list[str], proven: bool
) -> dict[str, Truth]:
    """Each quantity at the least precision that settles it and, unless that is proof, agrees with the one before."""
    found: dict[str, Truth] = {}
    before: dict[str, Truth] = {}
    while bits <= field.most and (left := [q for q in quantities if q not in found]):
        with flint.ctx.workprec(bits):
            now = take(bits, left)
            found |= {q: t for q, t in now.items() if t.settled and (proven or (q in before and _agree(before[q], t)))}
        before, bits = now, int(field.growth * bits)
    return found


def _agree(one: Truth, other: Truth) -> bool:
    return bool(other.measure(other.values - one.values) <= other.size * arb(2) ** -SETTLED)


def _plain(field: Field, point: Sequence[float], bits: int, quantities: Sequence[str]) -> dict[str, Truth]:
    field.prepare(point, bits)
    x = [exact(v) for v in point]
    g = field.g(x)
    found = {"metric": Truth(g, _most(g), _units(g)), "fisher_trace": _scalar(sum(g[i, i] for i in range(field.n)))}
    if {"inverse_metric", "determinant"} & {*quantities}:
        matrix = arb_mat(field.n, field.n, list(g.ravel()))
        found["determinant"] = _scalar(matrix.det(), _product(*(abs(g[i, i]) for i in range(field.n))))
        inverse = inverted(g)
        if inverse is not None:
            found["inverse_metric"] = Truth(inverse, _most(inverse))
    if field.observables:
        found |= {name: _scalar(v) for name, v in field.observe(x).items()}
    return {q: found[q] for q in quantities if q in found}


def _units(g: Array) -> Array | None:
    """√(g_ii g_jj) of a positive definite matrix, None for others."""
    n = len(g)
    minors = [arb_mat(k, k, list(g[:k, :k].ravel())).det() for k in range(1, n + 1)]
    if not all(minor > 0 for minor in minors):
        return None
    roots = [g[i, i].mid().sqrt() for i in range(n)]
    return symmetric(n, [(roots[i] * roots[j]).mid() for i, j in _pairs(n)])


def inverted(g: Array) -> Array | None:
    """Inverse matrix, None where the balls do not tell it from a singular one."""
    n = len(g)
    try:
        inverse = arb_mat(n, n, list(g.ravel())).inv()
    except ZeroDivisionError:
        return None
    return symmetric(n, [inverse[i, j] for i, j in _pairs(n)])


def _scalar(value: arb, terms: arb | None = None) -> Truth:
    return Truth(np.array(value, object), abs(value).mid() if terms is None else terms.mid())


def _most(a: Array) -> arb:
    return max(abs(v).mid() for v in a.ravel())


def jet(field: Field, point: Sequence[float], bits: int, order: int) -> tuple[Array, Array, Array]:
    """g, ∂_k g_ij at [i, j, k] and ∂_k ∂_l g_ij at [i, j, k, l] by central differences."""
    n, x = field.n, [exact(v) for v in point]
    field.prepare(point, bits)
    h = [reach(v, d) * arb(2) ** -(bits // STEP) for v, d in zip(point, field.domains, strict=True)]
    held: dict[tuple[int, ...], Array] = {}

    def at(*steps: tuple[int, int]) -> Array:
        offsets = [0] * n
        for k, sign in steps:
            offsets[k] += sign
        key = tuple(offsets)
        if key not in held:
            held[key] = field.g([v + o * step for v, o, step in zip(x, key, h, strict=True)])
        return held[key]

    dg, ddg = np.empty((n, n, n), object), np.empty((n, n, n, n), object)
    for k in range(n):
        dg[..., k] = (at((k, 1)) - at((k, -1))) / (2 * h[k])
        ddg[..., k, k] = (at((k, 1)) - 2 * at() + at((k, -1))) / h[k] ** 2
    for k, m in itertools.combinations(range(n) if order > 1 else (), 2):
        mixed = at((k, 1), (m, 1)) - at((k, 1), (m, -1)) - at((k, -1), (m, 1)) + at((k, -1), (m, -1))
        ddg[..., k, m] = ddg[..., m, k] = mixed / (4 * h[k] * h[m])
    return at(), dg, ddg


def reach(x: float, domain: sympy.Interval) -> arb:
    """Distance to the border of a domain, or to 0, in powers of two; of about 1 at most."""
    ends = [exact(float(e)) for e in (domain.start, domain.end) if e.is_finite]
    distances = [abs(exact(x) - e) for e in (arb(0), *ends)]
    least = min((d for d in distances if d > 0), default=arb(1))
    return arb(2) ** (min(0, int(np.floor(np.log2(float(least))))) if float(least) > 0 else 0)


def _curved(field: Field, point: Sequence[float], bits: int, quantities: Sequence[str]) -> dict[str, Truth]:
    order = 2 if {*SECOND} & {*quantities} else 1
    g, dg, ddg = jet(field, point, bits, order)
    inverse = inverted(g)
    if inverse is None:
        nothing = Truth(np.array(arb.nan(), object), arb(0))
        return dict.fromkeys(quantities, nothing)
    found = tensors(inverse, dg, ddg, order)
    with flint.ctx.workprec(64):  # sizes alone, of what is added and subtracted
        sizes = tensors(*(absolute(a) for a in (inverse, dg, ddg)), order, signs=(1, 1, 1))
    return {q: Truth(found[q], _most(sizes[q])) for q in quantities}


def absolute(a: Array) -> Array:
    return _each(lambda v: None if v is None else abs(v).mid(), a)


def tensors(
    inverse: Array, dg: Array, ddg: Array, order: int, signs: tuple[int, int, int] = (-1, -1, -1)
) -> dict[str, Array]:
    """Γ^i_jk, R^i_jkl, R_jl = R^i_jil and R; with other signs the sizes of what is added and subtracted in them."""
    a, b, c = signs
    # Γ_m,jk = ½ (∂_j g_mk + ∂_k g_mj − ∂_m g_jk)
    lowered = (dg.transpose(0, 2, 1) + dg + a * dg.transpose(2, 0, 1)) / 2
    gamma = np.tensordot(inverse, lowered, (1, 0))
    if order < 2:
        return {"christoffel": gamma}
    # R_ijkl = ½ (∂_j ∂_k g_il + ∂_i ∂_l g_jk − ∂_i ∂_k g_jl − ∂_j ∂_l g_ik) + Γ_m,jk Γ^m_il − Γ_m,jl Γ^m_ik
    plus = ddg.transpose(0, 2, 3, 1) + ddg.transpose(2, 0, 1, 3)
    minus = ddg.transpose(2, 0, 3, 1) + ddg.transpose(0, 2, 1, 3)
    products = np.tensordot(lowered, gamma, (0, 0))  # [j, k, i, l] = Γ_m,jk Γ^m_il
    first, second = products.transpose(2, 0, 1, 3), products.transpose(2, 0, 3, 1)
    riemann = np.tensordot(inverse, (plus + b * minus) / 2 + (first + c * second), (1, 0))
    ricci = sum(riemann[i, :, i, :] for i in range(len(inverse)))
    scalar = np.array((inverse * ricci).sum(), object)
    return {"christoffel": gamma, "riemann": riemann, "ricci": ricci, "ricci_scalar": scalar}
