"""Families of laws of vectors and matrices that are not normal, one function each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations, combinations_with_replacement, product

import sympy
from sympy import Expr, ImmutableMatrix, Interval, Symbol, log, loggamma, oo, pi

from infogeom.arguments import check_count, positive_number
from infogeom.functions import log_bessel
from infogeom.models.by_name import listed
from infogeom.models.log_partition import LogPartition
from infogeom.models.matrices import Entries, adjugate, leading_minors, positive_matrix, squares, symmetric
from infogeom.models.model import Model
from infogeom.models.parameter import POSITIVE, Constant, Parameter, positive, real
from infogeom.models.structures import Wishart

__all__ = [
    "dirichlet",
    "freund",
    "von_mises_fisher",
    "wishart",
]


@listed
def dirichlet(d: int) -> Model:
    """Dirichlet law of ``d`` shares of a whole, with parameters ``alpha1`` …: g_ij = ψ′(α_i) δ_ij − ψ′(Σα).

    Parameters
    ----------
    d : int
        At least 2.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.dirichlet(3).at(alpha1=1, alpha2=1, alpha3=2).pdf([[0.2, 0.3]]).round(4)
    array([3.])
    """
    check_count("d", d, 2)
    alpha = [positive(f"alpha{k + 1}", (0.7, 4.0)) for k in range(d)]
    x = [Symbol(f"x{k + 1}", positive=True) for k in range(d - 1)]
    left = [1 - _sum(x[:k]) for k in range(d)]  # of the whole, by those before
    shares = [*x, left[-1]]
    total = _sum(p.symbol for p in alpha)
    psi = _sum(loggamma(p.symbol) for p in alpha) - loggamma(total)
    powers = _sum((p.symbol - 1) * log(share) for p, share in zip(alpha, shares, strict=True))
    return Model(
        "dirichlet",
        alpha,
        powers - psi,
        tuple(x),
        tuple(Interval.open(0, most) for most in left[:-1]),
        structure=LogPartition(psi),
        latex=r"p(x) = \frac{\Gamma(\sum_i \alpha_i)}{\prod_i \Gamma(\alpha_i)} \prod_i x_i^{\alpha_i - 1}",
        source="Kotz, Balakrishnan & Johnson, Continuous Multivariate Distributions (2000), Ch. 49",
    )


@listed
def von_mises_fisher(d: int) -> Model:
    """Von Mises–Fisher law of a direction in ``d`` dimensions; natural parameters ``eta1`` …, η = κ times the centre.

    The density is written by the angles of x = (cos φ1, sin φ1 cos φ2, …), with its Jacobian.

    Parameters
    ----------
    d : int
        At least 2.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.von_mises_fisher(2).at(eta1=1, eta2=0).pdf([0, 1]).round(4)
    array([0.3417, 0.2158])
    """
    check_count("d", d, 2)
    eta = [real(f"eta{k + 1}", (0.3, 2.0)) for k in range(d)]
    angles = sympy.symbols(f"phi1:{d}", real=True)
    x, jacobian = _on_sphere(angles)
    kappa = sympy.sqrt(_sum(p.symbol**2 for p in eta))
    order = sympy.Rational(d, 2) - 1
    psi = log_bessel(order, kappa) - order * log(kappa)
    exponent = _sum(p.symbol * e for p, e in zip(eta, x, strict=True))
    return Model(
        "von Mises-Fisher",
        eta,
        exponent - psi - log(2 * pi) * d / 2 + jacobian,
        angles,
        (Interval.open(0, pi),) * (d - 2) + (Interval.open(-pi, pi),),
        structure=LogPartition(psi),
        latex=r"p(x) = \frac{\kappa^{d/2 - 1}}{(2\pi)^{d/2} I_{d/2 - 1}(\kappa)} e^{\eta \cdot x}, "
        r"\quad \kappa = |\eta|",
        source="Mardia & Jupp, Directional Statistics (2000), Sec. 9.3",
    )


def _on_sphere(angles: Sequence[Symbol]) -> tuple[list[Expr], Expr]:
    """The direction (cos φ1, sin φ1 cos φ2, …), and the logarithm of the area that belongs to dφ."""
    x, jacobian, sine = [], sympy.Integer(0), sympy.Integer(1)
    for k, angle in enumerate(angles):
        x.append(sine * sympy.cos(angle))
        sine *= sympy.sin(angle)
        jacobian += (len(angles) - 1 - k) * log(sympy.sin(angle))
    return [*x, sine], jacobian


@listed
def freund() -> Model:
    """Lives x and y of two parts, with rates ``alpha1``, ``alpha2`` until one fails and ``beta1``, ``beta2`` after it.

    The density of Freund's bivariate exponential law,

        α1 β2 exp(−β2 y − (α1 + α2 − β2) x) for x < y,    α2 β1 exp(−β1 x − (α1 + α2 − β1) y) for y < x,

    is written by the first failure u = min(x, y), the time v = |x − y| to the second, and whether the first part is
    the one that fails first, k = 1 where x < y. Freund, A bivariate extension of the exponential distribution,
    J. Amer. Statist. Assoc. 56 (1961) 971–977.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.freund().metric().matrix.is_diagonal()
    True
    """
    parameters = [positive(name, (0.4, 2.5)) for name in ("alpha1", "alpha2", "beta1", "beta2")]
    a1, a2, b1, b2 = (p.symbol for p in parameters)
    u, v = sympy.symbols("u v", positive=True)
    k = Symbol("k", integer=True, nonnegative=True)
    first = log(a1) + log(b2) - b2 * v
    second = log(a2) + log(b1) - b1 * v
    return Model(
        "freund",
        parameters,
        k * first + (1 - k) * second - (a1 + a2) * u,
        (u, v, k),
        (POSITIVE, POSITIVE, sympy.FiniteSet(0, 1)),
        latex=r"p(x, y) = \alpha_1 \beta_2 e^{-\beta_2 y - (\alpha_1 + \alpha_2 - \beta_2) x} \text{ for } x < y, \quad"
        r"\alpha_2 \beta_1 e^{-\beta_1 x - (\alpha_1 + \alpha_2 - \beta_1) y} \text{ for } y < x",
        source="Freund (1961); Arwini & Dodson, Information Geometry (2008), Sec. 4.2",
    )


@listed
def wishart(d: int, dof: int | float | Expr | None = None) -> Model:
    """Wishart law of a random matrix, with scale matrix ``sigma11``, ``sigma12``, …, upper triangle by rows.

    Parameters
    ----------
    d : int
        Dimension, at least 1.
    dof : number, optional
        Degrees of freedom, more than d − 1; when omitted a parameter ``nu`` that comes first.

    Raises
    ------
    TypeError, ValueError
        For a dimension or degrees of freedom out of range.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.wishart(1).at(nu=2, sigma11=1).pdf([1, 2]).round(4)
    array([0.3033, 0.1839])
    """
    check_count("d", d)
    scale, entries = positive_matrix("sigma", d, d)
    parameters = list(entries.values())
    constraints = [m for m in leading_minors(scale) if not m.is_positive]
    known: dict[Symbol, Expr] = {}
    if dof is None:
        number = Symbol("nu", positive=True)
        parameters.insert(0, Parameter(number, Interval.open(d - 1, oo), (d + 1.0, d + 6.0)))
    else:
        number = Constant("nu", positive=True)
        known[number] = positive_number("dof", dof)
        if not known[number] > d - 1:
            raise ValueError(f"dof must be more than d − 1 = {d - 1}, got {dof!r}")
        constraints += [number - (d - 1)] if d > 1 else []

    # The matrix itself, of which the density is a function: its diagonal first, which is positive by itself.
    S = _random_matrix(d)
    variables = tuple(S.diagonal()) + tuple(S[i, j] for i, j in combinations(range(d), 2))

    return Model(
        "wishart",
        parameters,
        _log_wishart(S, scale, number),
        variables,
        _support_of(S),
        constants=known,
        constraints=constraints,
        structure=Wishart(scale, number, squares(d, entries)),
        latex=r"S \sim \mathcal{W}(\Sigma, \nu)",
        source="Muirhead, Aspects of Multivariate Statistical Theory (1982), Th. 3.2.1",
    )


def _random_matrix(d: int) -> ImmutableMatrix:
    entries: Entries = {}
    for i, j in combinations_with_replacement(range(d), 2):
        entries[i, j] = Symbol(f"s{i + 1}_{j + 1}", real=True, positive=i == j or None)
    return symmetric(entries, d)


def _support_of(S: ImmutableMatrix) -> tuple[sympy.Set, ...] | None:
    """Where the entries of a positive matrix lie, diagonal first; None where that is no product of intervals."""
    if S.rows == 1:
        return (POSITIVE,)
    if S.rows == 2:
        edge = sympy.sqrt(S[0, 0] * S[1, 1])
        return (POSITIVE, POSITIVE, Interval.open(-edge, edge))
    return None


def _log_wishart(S: ImmutableMatrix, scale: ImmutableMatrix, number: Expr) -> Expr:
    """½ ((ν − d − 1) log det S − tr(Σ⁻¹ S) − ν log det Σ − ν d log 2) − log Γ_d(ν/2)."""
    d = S.rows
    inverse, determinant = adjugate(scale)
    half = number / 2
    trace = sum(inverse[i, j] * S[i, j] for i, j in product(range(d), repeat=2))
    gammas = _sum(loggamma(half - sympy.Rational(k, 2)) for k in range(d))
    return (
        (number - d - 1) / 2 * log(leading_minors(S)[-1])
        - trace / (2 * determinant)
        - half * log(determinant)
        - half * d * log(2)
        - sympy.Rational(d * (d - 1), 4) * log(pi)
        - gammas
    )


def _sum(terms: Iterable[Expr]) -> Expr:
    return sympy.Add(*terms)
