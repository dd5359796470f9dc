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
from flint import arb, arb_mat

from tests.oracle_balls import exact, product
from tests.oracle_fields import Field, pairs, symmetric

Array = np.ndarray[Any, np.dtype[Any]]
#: Bits to which truth is known, relative to its size.
SETTLED = 80
#: Share of the working bits that the step of a difference lies below the distance to the border.
STEP = 5
FIRST, SECOND = ("christoffel",), ("riemann", "ricci", "ricci_scalar")


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


def told_from_zero(field: Field, point: Sequence[float], more: int) -> Truth | None:
    """R where bits tell it from 0, however small beside the terms that cancel in it; None elsewhere.

    They begin with as many as a truth takes at most, and grow ``more`` times.
    """
    bits, before = int(field.most / field.growth), None
    for _ in range(more + 2):
        with flint.ctx.workprec(bits):
            R = _curved(field, point, bits, ("ricci_scalar",))["ricci_scalar"].values.item()
        with flint.ctx.workprec(2 * SETTLED):
            if before is not None and abs(R - before) < abs(R) * arb(2) ** -SETTLED:
                return Truth(np.array(R, object), abs(R).mid())
        bits, before = int(field.growth * bits), R
    return None


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
        found["determinant"] = _scalar(matrix.det(), product(*(abs(g[i, i]) for i in range(field.n))))
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
    return symmetric(n, [(roots[i] * roots[j]).mid() for i, j in pairs(n)])


def inverted(g: Array) -> Array | None:
    """Inverse matrix, None where the balls do not tell it from a singular one."""
    n = len(g)
    try:
        inverse = arb_mat(n, n, list(g.ravel())).inv()
    except ZeroDivisionError:
        return None
    return symmetric(n, [inverse[i, j] for i, j in pairs(n)])


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
