"""Spins on a line with couplings of neighbours, one function each, by their transfer matrices.

Parameters multiply statistics: p ∝ exp(Σ_i θ_i X_i). Infinite chains are taken per site: ψ is the limit of log Z / N,
and R/N is the curvature of a chain of so many sites. Metrics are written so that no entry cancels: where spins freeze,
e^(4 beta) times smaller than its terms, differences in the textbook's formulas keep no digit.
"""

from __future__ import annotations

from typing import NamedTuple

import sympy
from sympy import Expr, ImmutableMatrix, asinh, cosh, exp, log, sinh, sqrt, tanh
from sympy.codegen.cfunctions import expm1, log1p

from infogeom.arguments import check_count
from infogeom.functions import expit, softplus
from infogeom.models.by_name import listed
from infogeom.models.log_partition import KnownHessian, natural_family
from infogeom.models.model import Model
from infogeom.models.parameter import Parameter, positive, real

__all__ = [
    "blume_capel_chain",
    "ising_chain",
    "ising_ring",
    "potts_chain",
]

SOURCE = "Baxter, Exactly Solved Models in Statistical Mechanics (1982)"


class _Bonds(NamedTuple):
    """Log of the larger eigenvalue λ of a symmetric 2 × 2 transfer matrix, in the logs A, B, D of its entries.

    Between sites in the states 1 and 2 the weights are a = e^A for 11, b = e^B for 12 and d = e^D for 22, in units
    where b = 1. With u = λ − d and v = λ − a, uv = b², the shares of bonds p_a = au/λ(u + v) and so on are ∂log λ/∂A;
    they and their derivatives are sums of positive terms, but for `DB`. Where the trace λ + λ₋ and the determinant λλ₋
    turn up together, λ² = λ (λ + λ₋) − λλ₋ does away with λ and leaves the gap λ − λ₋ = u + v.
    """

    p_a: Expr
    p_d: Expr
    AA: Expr
    BB: Expr
    DB: Expr
    DD: Expr
    #: Second derivative along A = −D.
    field: Expr
    gap: Expr
    eigenvalue: Expr


def _bonds(a: Expr, d: Expr) -> _Bonds:
    s = (a - d) / 2
    root, eta = sqrt(s**2 + 1), asinh(s)
    value, u, v, gap = (a + d) / 2 + root, exp(eta), exp(-eta), 2 * root
    below = value * gap**3
    return _Bonds(
        p_a=a * u / (value * gap),
        p_d=d * v / (value * gap),
        AA=a * (3 * u + a + (d**2 + 1) / value) / below,
        BB=4 * (4 * s**2 + (a + d) / value) / below,
        DB=2 * d * (2 * s / gap - v / value) / (value * gap**2),
        DD=d * (3 * v + d + (a**2 + 1) / value) / below,
        field=4 * (a + d) / gap**3,
        gap=gap,
        eigenvalue=value,
    )


def _symmetric(first: Expr, mixed: Expr, last: Expr) -> ImmutableMatrix:
    return ImmutableMatrix([[first, mixed], [mixed, last]])


def _fields(coupling: str = "beta", field: str = "h") -> tuple[list[Parameter], Expr, Expr]:
    """Two parameters of any sign, and their symbols."""
    parameters = [real(coupling, (0.2, 1.5)), real(field, (-1.5, 1.5))]
    beta, h = (p.symbol for p in parameters)
    return parameters, beta, h


def _of_ising(beta: Expr, h: Expr) -> tuple[Expr, Expr, Expr, Expr]:
    """X = e^(−4 beta), C = cosh h, S = sinh h and D = √(S² + x): the eigenvalues are e^beta (C ± D)."""
    x, S = exp(-4 * beta), sinh(h)
    return x, cosh(h), S, sqrt(S**2 + x)


def _ising_metric(x: Expr, C: Expr, S: Expr, D: Expr) -> ImmutableMatrix:
    coupling = 4 * x * (2 * S**2 * (C + D) + x * C) / (D**3 * (C + D) ** 2)
    return _symmetric(coupling, 2 * x * S / D**3, x * C / D**3)


@listed
def ising_chain() -> Model:
    """Infinite Ising chain per site, s = ±1, with ``beta`` on Σ s s′ of neighbours and ``h`` on Σ s, both of any sign.

    With x = e^(−4 beta), C = cosh h and D = √(sinh² h + x) the log-partition is beta + log(C + D) and R = 1 + C/D
    (Janyszek & Mrugała, Phys. Rev. A 39 (1989) 6515, whose R has the other sign).

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.ising_chain().metric().ricci_scalar()
    1 + cosh(h)/sqrt(sinh(h)**2 + exp(-4*beta))
    """
    parameters, beta, h = _fields()
    x, C, S, D = _of_ising(beta, h)
    known = KnownHessian(beta + log(C + D), _ising_metric(x, C, S, D), 1 + C / D, per="site")
    return natural_family("Ising chain", parameters, known, source=f"{SOURCE}, Sec. 2.1")


@listed
def ising_ring(n: int) -> Model:
    """Ring of ``n`` Ising spins as a whole, with ``beta`` > 0 on Σ s s′ of neighbours and ``h`` on Σ s.

    log Z = log(λ₊ⁿ + λ₋ⁿ) by both eigenvalues of the transfer matrix; the metric divided by n tends to that of
    `ising_chain`.

    Parameters
    ----------
    n : int
        Sites, at least 3.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.ising_ring(8).metric().at(beta=0.4, h=0).round(4)
    array([[ 6.9624,  0.    ],
           [ 0.    , 17.7889]])
    """
    check_count("n", n, 3)
    parameters = [positive("beta", (0.2, 1.5)), real("h", (-1.5, 1.5))]
    beta, h = (p.symbol for p in parameters)
    x, C, S, D = _of_ising(beta, h)
    gap = -expm1(-4 * beta)  # 1 − x

    # log Z = n log λ₊ + log(1 + e^(nr)) with r = log(λ₋/λ₊), whose derivatives hold those of log λ₊ again.
    r = -log1p(2 * D * (C + D) / gap)
    share = expit(n * r)
    slopes = (4 * x * (1 / gap + 1 / (D * (C + D))), -2 * S / D)
    chain = _ising_metric(x, C, S, D)

    def entry(i: int, j: int) -> Expr:
        return n * tanh(-n * r / 2) * chain[i, j] + n**2 * share * expit(-n * r) * slopes[i] * slopes[j]

    metric = _symmetric(entry(0, 0) - 16 * n * share * x / gap**2, entry(0, 1), entry(1, 1))
    psi = n * (beta + log(C + D)) + softplus(n * r)
    return natural_family(f"Ising ring, {n} sites", parameters, KnownHessian(psi, metric), source=f"{SOURCE}, Sec. 2.1")


@listed
def potts_chain(q: int) -> Model:
    """Infinite chain of Potts spins of ``q`` states, per site: ``beta`` on equal neighbours, ``h`` on sites in state 0.

    The other q − 1 states count as one, in the symmetric sector of the transfer matrix. With two states it is an Ising
    chain: Σ s s′ is twice the equal neighbours but for a constant.

    Parameters
    ----------
    q : int
        States, at least 2.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.potts_chain(3).metric().at(beta=0, h=0).round(6)
    array([[0.222222, 0.      ],
           [0.      , 0.222222]])
    """
    check_count("q", q, 2)
    parameters, beta, h = _fields()
    half = h / 2 + log(sympy.Integer(q - 1)) / 2
    a = exp(beta + h - half)
    d = exp(beta - half) + (q - 2) * exp(-half)
    bonds = _bonds(a, d)

    # Of bonds between the other states e^beta / (e^beta + q − 2) are between equal ones.
    equal, unequal = sympy.Integer(1), sympy.Integer(0)
    if q > 2:
        equal, unequal = expit(beta - log(q - 2)), expit(log(q - 2) - beta)
    coupling = bonds.p_d * equal * unequal + bonds.BB + 2 * unequal * bonds.DB + unequal**2 * bonds.DD
    mixed = 2 * exp(beta - half) * expm1(h) / bonds.gap**3
    metric = _symmetric(coupling, mixed, bonds.field / 4)
    known = KnownHessian(half + log(bonds.eigenvalue), metric, per="site")
    return natural_family(f"Potts chain of {q} states", parameters, known, source=f"{SOURCE}, Ch. 12")


@listed
def blume_capel_chain() -> Model:
    """Infinite chain of spins s = −1, 0, 1 per site, with ``beta`` on Σ s s′ of neighbours and ``delta`` on Σ s².

    Both are of any sign; in the literature delta is −β times the crystal field. Even states of the transfer matrix
    hold its largest eigenvalue. (Blume, Phys. Rev. 141 (1966) 517; Capel, Physica 32 (1966) 966.)

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.blume_capel_chain().metric().at(beta=0, delta=0).round(6)
    array([[0.444444, 0.      ],
           [0.      , 0.222222]])
    """
    parameters, beta, delta = _fields("beta", "delta")
    bonds = _bonds(sqrt(2) * cosh(beta) * exp(delta / 2), exp(-delta / 2) / sqrt(2))
    slope = tanh(beta)
    coupling = bonds.p_a / cosh(beta) ** 2 + slope**2 * bonds.AA
    mixed = 2 * sqrt(2) * exp(delta / 2) * sinh(beta) / bonds.gap**3
    psi = delta / 2 + log(sqrt(2) * bonds.eigenvalue)
    known = KnownHessian(psi, _symmetric(coupling, mixed, bonds.field / 4), per="site")
    return natural_family("Blume-Capel chain", parameters, known, source="Blume (1966); Capel (1966)")
