"""Metric, its first two derivatives and the terms of the Gauss equation, from the log-density alone.

Nothing is differentiated by differences, and nothing that `infogeom.symbolic.fisher` derives is used.  With
s_i = ∂_i ℓ, h_ij = ∂_i ∂_j ℓ and D_k f = ∂_k f + f s_k, derivative and integral change places as ∂_k E[f] = E[D_k f]:
g = E[s_i s_j], ∂_k g = E[D_k (s_i s_j)] and ∂_l ∂_k g = E[D_l D_k (s_i s_j)].

The map θ ↦ 2 √p(·|θ) into the square-integrable functions pulls back the Fisher metric; its tangent vectors are
s_i √p and their derivatives b_ij √p with b_ij = h_ij + ½ s_i s_j.  So E[b_ij s_k] = Γ_ij,k, which is the α-connection
identity Γ_ij,k = Γ^(1)_ij,k + ½ C_ijk, and E[b_ij b_kl] is what else the Gauss equation asks for.  The empirical metric
is the pullback under θ ↦ √w_n ℓ_n(θ), where D is ∂ and b is h (SCIENCE.md, section 2).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache, cached_property, partial
from itertools import product
from typing import Any, NamedTuple

import mpmath
import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import Basic, Dummy, Expr, Symbol

from infogeom.models.combine import copies_of
from infogeom.models.law import kinks_of, law_of
from infogeom.models.model import Model
from infogeom.models.observations import without_observations
from infogeom.numeric.multiprecision import in_mpmath, staged
from infogeom.numeric.quadrature import MAX_TERMS, expectations

__all__ = ["Moments", "ScoreJet"]

Array = NDArray[Any]
Real = Any
Values = Callable[..., list[Real]]

KINKS = (sympy.Abs, sympy.sign, sympy.Piecewise, sympy.Heaviside, sympy.Max, sympy.Min)
#: Number of indices of each moment, and which of them may exchange its first two with its last two.
MOMENT_RANKS = (2, 3, 4, 3, 4)
SECOND = 4
#: Samples up to which each has a quadrature of its own.
MAX_QUADRATURES = 20


def _place(kink: Expr) -> Basic:
    """What decides where a kink lies: of pieces their conditions."""
    if isinstance(kink, sympy.Piecewise):
        return sympy.Tuple(*(condition for _, condition in kink.args))
    return kink


class Moments(NamedTuple):
    """Expectations at a point.

    g[i, j], dg[i, j, k] = ∂_k g_ij, ddg[i, j, k, l] = ∂_k ∂_l g_ij, tangential[i, j, k] = E[b_ij s_k] and
    second[i, j, k, l] = E[b_ij b_kl]; where the log-density has a kink that moves, g alone.
    """

    g: Array
    dg: Array
    ddg: Array
    tangential: Array
    second: Array


class ScoreJet:
    """Moments of a model at points, by quadrature, by summation, or as the mean over the samples.

    Parameters
    ----------
    model : Model

    Raises
    ------
    NotImplementedError
        Saying which expectation would take too long.
    """

    def __init__(self, model: Model) -> None:
        self.model = model = without_observations(model)
        self.coordinates = tuple(p.symbol for p in model.parameters)
        if len(model.variables) > 1:
            raise NotImplementedError("an expectation over several variables")
        if model.fisher == "empirical" and model.variables:
            raise NotImplementedError("an expectation beside a mean over observed labels")
        self._density = model.log_density
        (self._variable,) = model.variables or (None,)
        self._support = model.supports[0].subs(dict(model.constants)) if model.supports else None
        self._check_size()

    @property
    def name(self) -> str:
        """What is done: quadrature, sum, mean over samples."""
        if self._variable is None:
            return "mean over samples"
        return "quadrature" if isinstance(self._support, sympy.Interval) else "sum"

    @property
    def embedded(self) -> bool:
        """Whether the metric is the pullback under a map of the samples alone, without an expectation in it."""
        return self._variable is None or self._location is not None

    @cached_property
    def kink(self) -> str:
        """Where derivative and integral may not change places; empty where they may."""
        if self._location is not None or self.name == "sum":
            return ""
        moving = [k for k in self._density.atoms(*KINKS) if _place(k).free_symbols & set(self.coordinates)]
        return f"log p has a kink that moves with a parameter, {moving[0]}" if moving else ""

    def __call__(self, point: Sequence[float]) -> tuple[Moments, Moments]:
        """Moments at a point, and bounds on their errors, in mpmath's working precision."""
        copies = _number(copies_of(self.model).subs(self.model.constants))
        found, errors = self._of_one([mpmath.mpf(x) for x in point])
        return _times(copies, found), _times(copies, errors)

    def _of_one(self, theta: Sequence[Real]) -> tuple[Moments, Moments]:
        """Moments of a single observation, and their errors."""
        if self._location is not None:
            return self._of_location(theta, *self._location)
        values = self._derivatives([*theta, *map(_number, self.model.constants.values())])
        if self._outcomes is None and self._variable is not None:
            return self._by_quadrature(theta, values)
        return self._by_sum(values)

    def _check_size(self) -> None:
        support, samples = self._support, self.model.samples
        outcomes = support.size if isinstance(support, sympy.Range) else len(self._outcomes or ())
        if outcomes * len(samples or [0]) > MAX_TERMS and outcomes != sympy.oo:
            raise NotImplementedError(f"a sum of more than {MAX_TERMS} terms")
        quadratures = self._variable is not None and self._outcomes is None and self._location is None
        if quadratures and samples and len(samples) > MAX_QUADRATURES:
            raise NotImplementedError(f"a quadrature for each of more than {MAX_QUADRATURES} samples")

    @cached_property
    def _outcomes(self) -> Sequence[Expr] | None:
        """Values of a variable that has finitely many."""
        if isinstance(self._support, sympy.FiniteSet):
            return list(self._support)
        finite = isinstance(self._support, sympy.Range) and self._support.size != sympy.oo
        return self._support if finite else None

    def _rows(self) -> Iterator[tuple[Real, list[Real]]]:
        """Weights and data of the samples; one row without data where there are none."""
        samples = self.model.samples
        if samples is None:
            return iter([(mpmath.mpf(1), [])])
        rows = [list(map(mpmath.mpf, row)) for row in samples.data]
        return zip(map(mpmath.mpf, samples.exact_weights), rows, strict=True)

    @property
    def _moving(self) -> tuple[Symbol, ...]:
        symbols = self.model.samples.symbols if self.model.samples else ()
        return symbols if self._variable is None else (*symbols, self._variable)

    @cached_property
    def _derivatives(self) -> Callable[[Sequence[Real]], Values]:
        """Log-density and its derivatives, at a point, as a function of data and variable."""
        order = 1 if self.kink else 3
        derivatives = _derivatives(self._density, self.coordinates, order)[1:]
        expressions = [law_of(self.model).log_density]
        expressions += [e.subs(self.model.change_of_variable) for e in derivatives]
        return staged(expressions, (*self.coordinates, *self.model.constants), self._moving)

    def _by_sum(self, values: Values) -> tuple[Moments, Moments]:
        """Mean over samples and, where there is one, over the finitely many values of the variable."""
        weights, terms, expected = [], [], self._outcomes is not None
        outcomes = [[_number(x)] for x in self._outcomes or []] or [[]]  # no variable has one outcome, without a value
        for (w, row), outcome in product(self._rows(), outcomes):
            at_row = partial(values, *row)
            try:
                log_p, *d = at_row(*outcome)
            except ZeroDivisionError:  # an outcome that cannot be has no score
                continue
            p = mpmath.exp(log_p) if expected else mpmath.mpf(1)
            if p:
                weights.append(w * p)
                terms.append(d)
        by, of = np.array(weights, dtype=object), np.array(terms, dtype=object)
        return _moments(by, of, self.n, expected=expected), _errors(by, of, self.n, _rounding(), expected=expected)

    @property
    def n(self) -> int:
        """Number of parameters."""
        return len(self.coordinates)

    def _by_quadrature(self, theta: Sequence[Real], values: Values) -> tuple[Moments, Moments]:
        """Expectation over the variable, then the mean over the samples."""
        found, errors = np.zeros((2, 1), dtype=object)
        for w, row in self._rows():
            numbers = map(_exact, [*theta, *row])  # for all but the variable
            at = dict(zip(self.coordinates + self._moving, numbers, strict=False)) | dict(self.model.constants)
            kinks = {_number(x) for x in kinks_of(self._density.subs(at), self._variable)}
            value, error = self._expectation(partial(values, *row), theta, kinks)
            found, errors = found + w * value, errors + w * error
        return _unpacked(found, self.n), _unpacked(errors, self.n)

    def _expectation(self, values: Values, theta: Sequence[Real], kinks: set[Real]) -> tuple[Array, Array]:
        """Unique components of the moments and their errors, by one quadrature with as many integrands."""
        places = _unique(self.n)
        if self.kink:  # g alone
            places = [place for place in places if place[0] == 0]
        size = len(places)

        @cache
        def row(x: Real) -> tuple[Real, Array]:
            try:
                log_p, *d = values(x)
            except ZeroDivisionError:  # where the density vanishes, and its score is infinite
                return -mpmath.inf, np.zeros(size, dtype=object)
            one, terms = np.array([mpmath.mpf(1)], dtype=object), np.array([d], dtype=object)
            moments = _moments(one, terms, self.n, expected=True)
            return log_p, np.array([moments[a][index] for a, index in places], dtype=object)

        def component(x: Real, k: int) -> Real:
            return row(x)[1][k]

        weights: list[Callable[[Real], Real]] = [lambda _: mpmath.mpf(1)]
        weights += [partial(component, k=k) for k in range(size)]
        (mass, off), *rest = expectations(lambda x: row(x)[0], weights, self._support, theta, kinks)
        found = np.array([value / mass for value, _ in rest], dtype=object)
        errors = np.array([error / mass for _, error in rest], dtype=object)
        return found, errors + abs(found) * off / mass

    @cached_property
    def _location(self) -> tuple[Expr, Symbol] | None:
        """Law of the residual y − f of a network whose labels are shifted by its output; None for any other model."""
        network = self.model.network
        if network is None or self._variable is None or self._support != sympy.S.Reals:
            return None
        residual = Dummy("r", real=True)
        law = sympy.expand_mul(self._density.subs(self._variable, network.output + residual))
        return (law, residual) if law.free_symbols <= {residual} else None

    def _of_location(self, theta: Sequence[Real], law: Expr, residual: Symbol) -> tuple[Moments, Moments]:
        """E[s sᵀ] = c ∇f ∇fᵀ with c = E[(∂_r ℓ)²]: the pullback under θ ↦ √(c w_n) f_n(θ)."""
        assert self.model.network is not None
        values, score = in_mpmath([residual], law), in_mpmath([residual], law.diff(residual))

        def one(_: Real) -> Real:
            return mpmath.mpf(1)

        def squared(r: Real) -> Real:
            return score(r) ** 2

        (mass, off), (total, error) = expectations(values, [one, squared], sympy.S.Reals, [0], [mpmath.mpf(0)])
        output = self._output(theta)
        rows = list(self._rows())
        terms = np.array([output(*row)[1:] for _, row in rows], dtype=object)
        weights = np.array([w * total / mass for w, _ in rows], dtype=object)
        relative = error / total + off / mass + _rounding()
        found = _moments(weights, terms, self.n, expected=False)
        return found, _errors(weights, terms, self.n, relative, expected=False)

    @cached_property
    def _output(self) -> Callable[[Sequence[Real]], Values]:
        """Output of the network and its derivatives."""
        assert self.model.network is not None
        assert self.model.samples is not None
        derivatives = _derivatives(self.model.network.output, self.coordinates, 3)
        return staged(derivatives, self.coordinates, self.model.samples.symbols)


def _exact(x: Real) -> sympy.Float:
    return sympy.Float(x, 60)


def _number(x: Expr) -> Real:
    return mpmath.mpf(sympy.Float(x.evalf(60), 60)._mpf_)


def _derivatives(e: Expr, x: Sequence[Symbol], order: int) -> list[Expr]:
    """Expression and all its derivatives up to an order, the last index running fastest."""
    tensor, out = [e], [e]
    for _ in range(order):
        tensor = [component.diff(c) for component in tensor for c in x]
        out += tensor
    return out


def _moments(w: Array, derivatives: Array, n: int, *, expected: bool) -> Moments:
    """Weighted sums over rows of derivatives (s_i, h_ij, t_ijk)."""
    rows = len(w)
    s, rest = derivatives[:, :n], derivatives[:, n:]
    product_ = np.einsum("ni,nj->nij", s, s)
    g = np.einsum("n,nij->ij", w, product_)
    if not rest.shape[1]:
        others = [np.zeros((n,) * rank, dtype=object) for rank in MOMENT_RANKS[1:]]
        return Moments(g, *others)
    # ∂_k (s_i s_j) and ∂_l ∂_k (s_i s_j), index by index as the product rule has them.
    h, t = rest[:, : n * n].reshape(rows, n, n), rest[:, n * n :].reshape(rows, n, n, n)
    once = np.einsum("nik,nj->nijk", h, s)
    once = once + once.transpose(0, 2, 1, 3)
    twice = np.einsum("nikl,nj->nijkl", t, s) + np.einsum("nik,njl->nijkl", h, h)
    twice = twice + twice.transpose(0, 2, 1, 3, 4)
    # Under an expectation the density moves too: D f = ∂f + f s, once and twice, and b has a half more.
    b = h
    if expected:
        twice = twice + np.einsum("nijl,nk->nijkl", once, s) + np.einsum("nijk,nl->nijkl", once, s)
        twice = twice + np.einsum("nij,nkl->nijkl", product_, h + product_)
        once = once + np.einsum("nij,nk->nijk", product_, s)
        b = h + product_ / 2
    dg, ddg = np.einsum("n,nijk->ijk", w, once), np.einsum("n,nijkl->ijkl", w, twice)
    return Moments(g, dg, ddg, np.einsum("n,nij,nk->ijk", w, b, s), np.einsum("n,nij,nkl->ijkl", w, b, b))


def _errors(w: Array, derivatives: Array, n: int, relative: Real, *, expected: bool) -> Moments:
    """Errors of the sums when each term is off by a fraction of its magnitude."""
    return _times(relative, _moments(w, abs(derivatives), n, expected=expected))


def _times(factor: Real, moments: Moments) -> Moments:
    return Moments(*(factor * tensor for tensor in moments))


def _rounding() -> Real:
    """What the terms lose of mpmath's working precision: five digits are generous."""
    return mpmath.mpf(10) ** (5 - mpmath.mp.dps)


def _unique(n: int) -> list[tuple[int, tuple[int, ...]]]:
    """Which moment and which index, for one of each set of equal components."""
    found = set()
    for which, rank in enumerate(MOMENT_RANKS):
        found |= {_canonical(which, index) for index in product(range(n), repeat=rank)}
    return sorted(found)


def _canonical(which: int, index: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
    first, last = sorted(index[:2]), sorted(index[2:])
    if which == SECOND and last < first:
        first, last = last, first
    return which, (*first, *last)


def _unpacked(components: Array, n: int) -> Moments:
    """Full tensors from their unique components; zeros where there are none."""
    at = {place: k for k, place in enumerate(_unique(n))}
    tensors = []
    for which, rank in enumerate(MOMENT_RANKS):
        tensor = np.zeros((n,) * rank, dtype=object)
        for index in product(range(n), repeat=rank):
            k = at[_canonical(which, index)]
            tensor[index] = components[k] if k < len(components) else 0
        tensors.append(tensor)
    return Moments(*tensors)
