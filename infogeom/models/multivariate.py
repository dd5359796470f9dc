"""Families of distributions of vectors and matrices, one function each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from numbers import Real
from typing import Any

import sympy
from sympy import Expr, ImmutableMatrix, Interval, Symbol, log, loggamma, oo, pi

from infogeom.arguments import as_expression, as_matrix, check_count, positive_number, sequence_of
from infogeom.functions import log_bessel
from infogeom.models.log_partition import LogPartition
from infogeom.models.matrices import adjugate, leading_minors, symmetric
from infogeom.models.model import Constant, Model, Parameter, Structure, parameters_of

__all__ = [
    "Gaussian",
    "QuadraticForms",
    "Wishart",
    "dirichlet",
    "freund",
    "gaussian",
    "gaussian_chain",
    "multivariate_normal",
    "multivariate_normal_diagonal",
    "multivariate_normal_isotropic",
    "multivariate_normal_known_covariance",
    "multivariate_normal_known_mean",
    "von_mises_fisher",
    "wishart",
]

REALS, POSITIVE = sympy.S.Reals, Interval.open(0, oo)


@dataclass(frozen=True)
class QuadraticForms:
    """Sufficient statistics aᵀz and zᵀAz at a point, where z is a centred normal vector.

    Attributes
    ----------
    linear, quadratic : tuple of ImmutableMatrix
        The vectors a and the symmetric matrices A.
    covariance : ImmutableMatrix
        Of z. The identity where the family is closed under the maps that make it so: z is then the whitened vector,
        and the cumulants are numbers.
    """

    linear: tuple[ImmutableMatrix, ...]
    quadratic: tuple[ImmutableMatrix, ...]
    covariance: ImmutableMatrix


@dataclass(frozen=True)
class Gaussian(Structure):
    """A normal law by its mean and its covariance, or its precision.

    Attributes
    ----------
    mean : ImmutableMatrix, shape (d, 1)
    matrix : ImmutableMatrix, shape (d, d)
        Covariance or precision.
    is_precision : bool
    statistics : QuadraticForms, optional
        Of an exponential family.
    """

    mean: ImmutableMatrix
    matrix: ImmutableMatrix
    is_precision: bool = False
    statistics: QuadraticForms | None = None


@dataclass(frozen=True)
class Wishart(Structure):
    """Law of the sum of so many squares x xᵀ of centred normal vectors, whose number may be a parameter.

    Attributes
    ----------
    scale : ImmutableMatrix, shape (d, d)
        Covariance of the vectors.
    number : Expr
    statistics : tuple of ImmutableMatrix
        The matrices A of tr(A S).
    """

    scale: ImmutableMatrix
    number: Expr
    statistics: tuple[ImmutableMatrix, ...]


# --- Normal laws ------------------------------------------------------------------------------------------------------


def gaussian(
    mean: Sequence[Any],
    covariance: Sequence[Sequence[Any]] | ImmutableMatrix,
    parameters: Sequence[Parameter | Symbol],
    *,
    name: str = "gaussian",
) -> Model:
    """Normal law with a mean and a covariance that are functions of the parameters.

    g_ab = ∂_a μᵀ Σ⁻¹ ∂_b μ + ½ tr(Σ⁻¹ ∂_a Σ Σ⁻¹ ∂_b Σ) (Skovgaard 1984, Sec. 2).

    Parameters
    ----------
    mean : sequence of d expressions
    covariance : matrix or rows, shape (d, d)
        Symmetric; where it is positive definite the parameters lie in the domain.
    parameters : sequence of Parameter or Symbol
        In order.
    name : str

    Raises
    ------
    TypeError, ValueError
        For shapes that do not match, an asymmetric covariance, undeclared symbols, or a parameter on which nothing
        depends.

    Examples
    --------
    Two measurements of one length by instruments of different precision:

    >>> import sympy, infogeom as ig
    >>> length, sigma = sympy.Symbol("length", real=True), sympy.Symbol("sigma", positive=True)
    >>> law = ig.models.gaussian([length, length], [[sigma**2, 0], [0, 4 * sigma**2]], [length, sigma])
    >>> ig.symbolic.metric(law).matrix.tolist()
    [[5/(4*sigma**2), 0], [0, 4/sigma**2]]
    """
    mu = ImmutableMatrix(sequence_of("mean", mean, Expr, Real)).applyfunc(lambda e: as_expression("mean", e))
    Sigma = as_matrix("covariance", covariance)
    if Sigma.rows != mu.rows:
        raise ValueError(f"covariance must have shape ({mu.rows}, {mu.rows}) for the mean, got {Sigma.shape}")
    if Sigma != Sigma.T:
        raise ValueError(f"covariance must be symmetric, got {Sigma.tolist()}")
    if any(m.is_nonpositive for m in map(sympy.expand, leading_minors(Sigma))):
        raise ValueError(f"covariance must be positive definite for some parameters, got {Sigma.tolist()}")
    return _normal(name, Gaussian(mu, Sigma), parameters_of("parameters", parameters))


def multivariate_normal(d: int) -> Model:
    """Normal law of a vector with mean ``mu1`` … and covariance ``sigma11``, ``sigma12``, …, upper triangle by rows.

    For d = 2 that is R = −9/2. Skovgaard, A Riemannian geometry of the multivariate normal model, Scand. J. Statist. 11
    (1984) 211–223.

    Parameters
    ----------
    d : int
        Dimension, at least 1.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.multivariate_normal(2)
    <Model multivariate normal: mu1, mu2, sigma11, sigma12, sigma22>
    >>> ig.models.multivariate_normal(2).metric().matrix[0, 0]
    sigma22/(sigma11*sigma22 - sigma12**2)
    """
    check_count("d", d)
    mean, covariance, entries = _mean(d), *_covariance(d)
    forms = QuadraticForms(_units(d), _squares(d, entries), _identity(d))
    structure = Gaussian(_vector(mean), covariance, statistics=forms)
    return _normal(
        "multivariate normal", structure, [*mean, *entries.values()], latex=NORMAL, source="Skovgaard (1984), Sec. 2"
    )


def multivariate_normal_known_mean(d: int) -> Model:
    """Centred normal law of a vector with covariance ``sigma11``, ``sigma12``, …, upper triangle by rows.

    The symmetric space of positive matrices, R = −d (d − 1) (d + 2) / 4.

    Parameters
    ----------
    d : int
        Dimension, at least 1.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.multivariate_normal_known_mean(2)
    <Model multivariate normal, known mean: sigma11, sigma12, sigma22>
    >>> ig.models.multivariate_normal_known_mean(1).metric().matrix
    Matrix([[1/(2*sigma11**2)]])
    """
    check_count("d", d)
    covariance, entries = _covariance(d)
    forms = QuadraticForms((), _squares(d, entries), _identity(d))
    structure = Gaussian(sympy.zeros(d, 1).as_immutable(), covariance, statistics=forms)
    return _normal(
        "multivariate normal, known mean",
        structure,
        list(entries.values()),
        latex=NORMAL.replace(r"\mu", "0"),
        source="Atkinson & Mitchell, Sankhyā A 43 (1981) 345–365, Sec. 6",
    )


def multivariate_normal_known_covariance(covariance: Sequence[Sequence[Any]]) -> Model:
    """Normal law of a vector with mean ``mu1`` … and a given covariance: flat, g = Σ⁻¹.

    Parameters
    ----------
    covariance : array_like, shape (d, d)
        Numbers, symmetric positive definite; floats are read as the decimal fractions that they print as.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.multivariate_normal_known_covariance([[2, 1], [1, 1]]).metric().matrix.tolist()
    [[1, -1], [-1, 2]]
    """
    Sigma = as_matrix("covariance", covariance)
    if Sigma.free_symbols:
        raise TypeError(f"covariance must be a matrix of numbers, got {covariance!r}")
    if Sigma != Sigma.T or not all(m.is_positive for m in leading_minors(Sigma)):
        raise ValueError(f"covariance must be symmetric and positive definite, got {covariance!r}")
    mean = _mean(Sigma.rows)
    structure = Gaussian(_vector(mean), Sigma)
    return _normal("multivariate normal, known covariance", structure, mean, latex=NORMAL, source="Rao (1945)")


def multivariate_normal_diagonal(d: int) -> Model:
    """Independent normal laws with means ``mu1`` … and standard deviations ``sigma1`` …: R = −d.

    Parameters
    ----------
    d : int
        Dimension, at least 1.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.multivariate_normal_diagonal(2).metric().matrix.tolist()
    [[sigma1**(-2), 0, 0, 0], [0, sigma2**(-2), 0, 0], [0, 0, 2/sigma1**2, 0], [0, 0, 0, 2/sigma2**2]]
    """
    check_count("d", d)
    mean, deviations = _mean(d), [_positive(f"sigma{k + 1}", (0.5, 2.0)) for k in range(d)]
    covariance = ImmutableMatrix(sympy.diag(*(p.symbol**2 for p in deviations)))
    squares = tuple(e * e.T for e in _units(d))
    structure = Gaussian(_vector(mean), covariance, statistics=QuadraticForms(_units(d), squares, _identity(d)))
    return _normal(
        "multivariate normal, diagonal",
        structure,
        [*mean, *deviations],
        latex=NORMAL,
        source="Amari & Nagaoka (2000), Sec. 2.5",
    )


def multivariate_normal_isotropic(d: int) -> Model:
    """Normal law of a vector with mean ``mu1`` … and covariance σ² times the identity, ``sigma``.

    Hyperbolic space of d + 1 dimensions, R = −(d + 1) / 2.

    Parameters
    ----------
    d : int
        Dimension, at least 1.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.multivariate_normal_isotropic(2).metric().matrix.tolist()
    [[sigma**(-2), 0, 0], [0, sigma**(-2), 0], [0, 0, 4/sigma**2]]
    """
    check_count("d", d)
    mean, sigma = _mean(d), _positive("sigma", (0.5, 2.0))
    forms = QuadraticForms(_units(d), (_identity(d),), _identity(d))
    structure = Gaussian(_vector(mean), sigma.symbol**2 * _identity(d), statistics=forms)
    return _normal(
        "multivariate normal, isotropic",
        structure,
        [*mean, sigma],
        latex=NORMAL.replace(r"\Sigma", r"\sigma^2 1"),
        source="Atkinson & Mitchell (1981), Sec. 5",
    )


def gaussian_chain(d: int) -> Model:
    """Centred normal law on a chain: each component depends on its neighbours alone, the precision is tridiagonal.

    Parameters ``tau11``, ``tau12``, ``tau22``, ``tau23``, …: the entries of the precision.

    Parameters
    ----------
    d : int
        Length, at least 2.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.gaussian_chain(2).at(tau11=1, tau12=0, tau22=1).pdf([[0, 0], [1, 1]]).round(4)
    array([0.1592, 0.0585])
    """
    check_count("d", d, 2)
    precision, entries = _positive_matrix("tau", d, 1)
    inverse, _ = adjugate(precision)
    # On a chain correlations are products of those of neighbours, and z is x in units of its standard deviations.
    near = [inverse[k, k + 1] / sympy.sqrt(inverse[k, k] * inverse[k + 1, k + 1]) for k in range(d - 1)]
    correlations = symmetric({(i, j): sympy.Mul(*near[i:j]) for i in range(d) for j in range(i, d)}, d)
    forms = QuadraticForms((), _squares(d, entries), correlations)
    structure = Gaussian(sympy.zeros(d, 1).as_immutable(), precision, is_precision=True, statistics=forms)
    return _normal(
        "gaussian chain",
        structure,
        list(entries.values()),
        latex=r"x \sim \mathcal{N}(0, T^{-1}), \quad T_{ij} = 0 \text{ for } |i - j| > 1",
        source="Lauritzen, Graphical Models (1996), Ch. 5",
    )


NORMAL = r"x \sim \mathcal{N}(\mu, \Sigma)"


def _normal(
    name: str, structure: Gaussian, parameters: Sequence[Parameter], latex: str = "", source: str = ""
) -> Model:
    d = structure.mean.rows
    x = sympy.symbols(f"x1:{d + 1}", real=True)
    taken = {s for e in (*structure.mean, *structure.matrix) for s in e.free_symbols} & {*x}
    if taken:
        raise ValueError(f"model {name!r}: the names x1 … x{d} are those of the variables, got parameter {taken.pop()}")
    away = ImmutableMatrix(x) - structure.mean
    if structure.is_precision:
        determinant, form = leading_minors(structure.matrix)[-1], (away.T * structure.matrix * away)[0]
        logarithm = log(determinant)
    else:
        inverse, determinant = adjugate(structure.matrix)
        logarithm, form = -log(determinant), (away.T * inverse * away)[0] / determinant
    known = {p.symbol: p.domain for p in parameters}
    return Model(
        name,
        parameters,
        (logarithm - d * log(2 * pi) - form) / 2,
        x,
        (REALS,) * d,
        constraints=[m for m in leading_minors(structure.matrix) if not _is_positive(m, known)],
        structure=structure,
        latex=latex,
        source=source,
    )


def _is_positive(e: Expr, domains: Mapping[Symbol, sympy.Set]) -> bool:
    """Whether an expression is seen to be positive: by its assumptions, or as a parameter by its domain."""
    return bool(e.is_positive) or domains.get(e) == POSITIVE


def _mean(d: int) -> list[Parameter]:
    return [Parameter(Symbol(f"mu{k + 1}", real=True), REALS, (-1.5, 1.5)) for k in range(d)]


def _positive(name: str, typical: tuple[float, float]) -> Parameter:
    return Parameter(Symbol(name, positive=True), POSITIVE, typical)


def _covariance(d: int) -> tuple[ImmutableMatrix, dict[tuple[int, int], Parameter]]:
    return _positive_matrix("sigma", d, d)


def _positive_matrix(name: str, d: int, band: int) -> tuple[ImmutableMatrix, dict[tuple[int, int], Parameter]]:
    """Symmetric matrix of parameters up to so many places off its diagonal, which dominates in the typical range."""
    most, comma = 0.8 / min(2 * band, max(1, d - 1)), "_" if d > 9 else ""
    entries = {}
    for i, j in combinations_with_replacement(range(d), 2):
        if i == j:
            entries[i, j] = _positive(f"{name}{i + 1}{comma}{j + 1}", (1.0, 2.5))
        elif j - i <= band:
            entries[i, j] = Parameter(Symbol(f"{name}{i + 1}{comma}{j + 1}", real=True), REALS, (-most, most))
    return symmetric({at: p.symbol for at, p in entries.items()}, d), entries


def _vector(parameters: Sequence[Parameter]) -> ImmutableMatrix:
    return ImmutableMatrix([p.symbol for p in parameters])


def _identity(d: int) -> ImmutableMatrix:
    return ImmutableMatrix(sympy.eye(d))


def _units(d: int) -> tuple[ImmutableMatrix, ...]:
    return tuple(_identity(d)[:, k] for k in range(d))


def _squares(d: int, entries: Mapping[tuple[int, int], Parameter]) -> tuple[ImmutableMatrix, ...]:
    """Matrices A with zᵀAz = z_i z_j."""
    one = sympy.Integer(1)
    return tuple(symmetric({(i, j): one if i == j else one / 2}, d) for i, j in entries)


# --- Other laws -------------------------------------------------------------------------------------------------------


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
    known = {} if dof is None else {Constant("nu", positive=True): positive_number("dof", dof)}
    number = next(iter(known), Symbol("nu", positive=True))
    if known and not known[number] > d - 1:
        raise ValueError(f"dof must be more than d − 1 = {d - 1}, got {dof!r}")
    scale, entries = _covariance(d)
    S = symmetric({(i, j): Symbol(f"s{i + 1}_{j + 1}", real=True, positive=i == j or None) for i, j in entries}, d)
    inverse, determinant = adjugate(scale)
    half, volume = number / 2, leading_minors(S)[-1]
    log_density = (
        (number - d - 1) / 2 * log(volume)
        - sum(inverse[i, j] * S[i, j] for i in range(d) for j in range(d)) / (2 * determinant)
        - half * log(determinant)
        - half * d * log(2)
        - sympy.Rational(d * (d - 1), 4) * log(pi)
        - sympy.Add(*(loggamma(half - sympy.Rational(k, 2)) for k in range(d)))
    )
    free = [] if dof is not None else [Parameter(number, Interval.open(d - 1, oo), (d + 1.0, d + 6.0))]
    parameters = [*free, *entries.values()]
    variables, support = _of_positive_matrix(S)
    return Model(
        "wishart",
        parameters,
        log_density,
        variables,
        support,
        constants=known,
        constraints=[m for m in leading_minors(scale) if not m.is_positive],
        structure=Wishart(scale, number, _squares(d, entries)),
        latex=r"S \sim \mathcal{W}(\Sigma, \nu)",
        source="Muirhead, Aspects of Multivariate Statistical Theory (1982), Th. 3.2.1",
    )


def _of_positive_matrix(S: ImmutableMatrix) -> tuple[tuple[Symbol, ...], tuple[sympy.Set, ...] | None]:
    """Entries of a positive matrix, diagonal first, and where they lie; None where that is no product of intervals."""
    d = S.rows
    off = [S[i, j] for i in range(d) for j in range(i + 1, d)]
    supports = (POSITIVE,) * d
    if d == 2:
        edge = sympy.sqrt(S[0, 0] * S[1, 1])
        supports += (Interval.open(-edge, edge),)
    return (*S.diagonal(), *off), supports if d < 3 else None


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
    alpha = [_positive(f"alpha{k + 1}", (0.7, 4.0)) for k in range(d)]
    x = [Symbol(f"x{k + 1}", positive=True) for k in range(d - 1)]
    shares = [*x, 1 - sympy.Add(*x)]
    total = sympy.Add(*(p.symbol for p in alpha))
    psi = sympy.Add(*(loggamma(p.symbol) for p in alpha)) - loggamma(total)
    return Model(
        "dirichlet",
        alpha,
        sympy.Add(*((p.symbol - 1) * log(share) for p, share in zip(alpha, shares, strict=True))) - psi,
        tuple(x),
        tuple(Interval.open(0, 1 - sympy.Add(*x[:k])) for k in range(d - 1)),
        structure=LogPartition(psi),
        latex=r"p(x) = \frac{\Gamma(\sum_i \alpha_i)}{\prod_i \Gamma(\alpha_i)} \prod_i x_i^{\alpha_i - 1}",
        source="Kotz, Balakrishnan & Johnson, Continuous Multivariate Distributions (2000), Ch. 49",
    )


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
    eta = [Parameter(Symbol(f"eta{k + 1}", real=True), REALS, (0.3, 2.0)) for k in range(d)]
    angles = sympy.symbols(f"phi1:{d}", real=True)
    sines = [sympy.Mul(*map(sympy.sin, angles[:k])) for k in range(d)]
    x = [sine * sympy.cos(angle) for sine, angle in zip(sines, angles, strict=False)] + [sines[-1]]
    kappa, order = sympy.sqrt(sympy.Add(*(p.symbol**2 for p in eta))), sympy.Rational(d, 2) - 1
    psi = log_bessel(order, kappa) - order * log(kappa)
    jacobian = sympy.Add(*((d - 2 - k) * log(sympy.sin(angle)) for k, angle in enumerate(angles[:-1])))
    return Model(
        "von Mises-Fisher",
        eta,
        sympy.Add(*(p.symbol * e for p, e in zip(eta, x, strict=True))) - psi - log(2 * pi) * d / 2 + jacobian,
        angles,
        (*(Interval.open(0, pi),) * (d - 2), Interval.open(-pi, pi)),
        structure=LogPartition(psi),
        latex=r"p(x) = \frac{\kappa^{d/2 - 1}}{(2\pi)^{d/2} I_{d/2 - 1}(\kappa)} e^{\eta \cdot x}, "
        r"\quad \kappa = |\eta|",
        source="Mardia & Jupp, Directional Statistics (2000), Sec. 9.3",
    )


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
    alpha1, alpha2, beta1, beta2 = (_positive(name, (0.4, 2.5)) for name in ("alpha1", "alpha2", "beta1", "beta2"))
    a1, a2, b1, b2 = (p.symbol for p in (alpha1, alpha2, beta1, beta2))
    u, v = sympy.symbols("u v", positive=True)
    k = Symbol("k", integer=True, nonnegative=True)
    first, second = log(a1) + log(b2) - b2 * v, log(a2) + log(b1) - b1 * v
    return Model(
        "freund",
        [alpha1, alpha2, beta1, beta2],
        k * first + (1 - k) * second - (a1 + a2) * u,
        (u, v, k),
        (POSITIVE, POSITIVE, sympy.FiniteSet(0, 1)),
        latex=r"p(x, y) = \alpha_1 \beta_2 e^{-\beta_2 y - (\alpha_1 + \alpha_2 - \beta_2) x} \text{ for } x < y, \quad"
        r"\alpha_2 \beta_1 e^{-\beta_1 x - (\alpha_1 + \alpha_2 - \beta_1) y} \text{ for } y < x",
        source="Freund (1961); Arwini & Dodson, Information Geometry (2008), Sec. 4.2",
    )
