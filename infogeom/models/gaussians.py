"""Families of normal laws of a vector, one function each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations_with_replacement
from numbers import Real
from typing import Any

import sympy
from sympy import Expr, ImmutableMatrix, Symbol, log, pi

from infogeom.arguments import as_expression, as_matrix, check_count, sequence_of
from infogeom.models.by_name import listed
from infogeom.models.entries import entries_of_matrix
from infogeom.models.matrices import (
    Entries,
    adjugate,
    largest_block,
    leading_minors,
    positive_matrix,
    squares,
    symmetric,
)
from infogeom.models.model import Model
from infogeom.models.normal_law import NormalLaw, normal_law
from infogeom.models.parameter import POSITIVE, REALS, Parameter, parameters_of, positive, real
from infogeom.models.structures import Gaussian, QuadraticForms

__all__ = [
    "gaussian",
    "gaussian_chain",
    "multivariate_normal",
    "multivariate_normal_diagonal",
    "multivariate_normal_isotropic",
    "multivariate_normal_known_covariance",
    "multivariate_normal_known_mean",
]

#: Components that depend on each other up to which the metric of a user's law is written out.
MOST_DEPENDENT = 3
#: As many of them where each entry of the covariance is a number or a parameter.
MOST_PLAIN = 5
#: Components in all.
MOST_COMPONENTS_WRITTEN_OUT = 12
#: The law in LaTeX.
NORMAL = r"x \sim \mathcal{N}(\mu, \Sigma)"


def gaussian(
    mean: Sequence[Any],
    covariance: Sequence[Sequence[Any]] | ImmutableMatrix,
    parameters: Sequence[Parameter | Symbol],
    *,
    name: str = "gaussian",
) -> Model:
    """Normal law with a mean and a covariance that are functions of the parameters.

    g_ab = ∂_a μᵀ Σ⁻¹ ∂_b μ + ½ tr(Σ⁻¹ ∂_a Σ Σ⁻¹ ∂_b Σ) (Skovgaard 1984, Sec. 2). The metric is written out for at most
    12 components of which at most 3 depend on each other, directly or through others, or 5 where each entry of the
    covariance is a number or a parameter. Of any other it is found by numbers, to hundreds of components.

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
    entries = sequence_of("mean", mean, Expr, Real)
    mu = ImmutableMatrix(entries).applyfunc(lambda e: as_expression("mean", e))
    Sigma = as_matrix("covariance", covariance)
    if Sigma.rows != mu.rows:
        raise ValueError(f"covariance must have shape ({mu.rows}, {mu.rows}) for the mean, got {Sigma.shape}")
    if Sigma != Sigma.T:
        raise ValueError(f"covariance must be symmetric, got {Sigma.tolist()}")
    declared = parameters_of("parameters", parameters)
    if any(e.is_nonpositive for e in Sigma.diagonal()):
        raise ValueError(f"covariance must be positive definite for some parameters, got {Sigma.tolist()}")
    if not _closes(Sigma):
        law = NormalLaw(entries_of_matrix(mu), entries_of_matrix(Sigma, symmetric=True))
        return normal_law(name, law, declared)
    if any(m.is_nonpositive for m in map(sympy.expand, leading_minors(Sigma))):
        raise ValueError(f"covariance must be positive definite for some parameters, got {Sigma.tolist()}")
    return _normal(name, Gaussian(mu, Sigma), declared)


def _closes(covariance: ImmutableMatrix) -> bool:
    """Whether the metric is written out: few components depend on each other, or somewhat more by plain entries."""
    plain = all(e.is_Symbol or e.is_number for e in covariance)
    most = MOST_PLAIN if plain else MOST_DEPENDENT
    return covariance.rows <= MOST_COMPONENTS_WRITTEN_OUT and largest_block(covariance) <= most


@listed
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
    mean = _mean(d)
    covariance, entries = _covariance(d)
    forms = QuadraticForms(_units(d), squares(d, entries), _identity(d))
    structure = Gaussian(_vector(mean), covariance, statistics=forms)
    return _normal(
        "multivariate normal", structure, [*mean, *entries.values()], latex=NORMAL, source="Skovgaard (1984), Sec. 2"
    )


@listed
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
    forms = QuadraticForms((), squares(d, entries), _identity(d))
    structure = Gaussian(_zero(d), covariance, statistics=forms)
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


@listed
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
    mean = _mean(d)
    deviations = [positive(f"sigma{k + 1}", (0.5, 2.0)) for k in range(d)]
    variances = [p.symbol**2 for p in deviations]
    covariance = ImmutableMatrix(sympy.diag(*variances))
    of_components = tuple(e * e.T for e in _units(d))
    forms = QuadraticForms(_units(d), of_components, _identity(d))
    structure = Gaussian(_vector(mean), covariance, statistics=forms)
    return _normal(
        "multivariate normal, diagonal",
        structure,
        [*mean, *deviations],
        latex=NORMAL,
        source="Amari & Nagaoka (2000), Sec. 2.5",
    )


@listed
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
    mean, sigma = _mean(d), positive("sigma", (0.5, 2.0))
    forms = QuadraticForms(_units(d), (_identity(d),), _identity(d))
    structure = Gaussian(_vector(mean), sigma.symbol**2 * _identity(d), statistics=forms)
    return _normal(
        "multivariate normal, isotropic",
        structure,
        [*mean, sigma],
        latex=NORMAL.replace(r"\Sigma", r"\sigma^2 1"),
        source="Atkinson & Mitchell (1981), Sec. 5",
    )


@listed
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
    precision, entries = positive_matrix("tau", d, 1)
    inverse, _ = adjugate(precision)

    # On a chain correlations are products of those of neighbours, and z is x in units of its standard deviations.
    near = [inverse[k, k + 1] / sympy.sqrt(inverse[k, k] * inverse[k + 1, k + 1]) for k in range(d - 1)]
    correlations: Entries = {}
    for i, j in combinations_with_replacement(range(d), 2):
        correlations[i, j] = sympy.Mul(*near[i:j])

    forms = QuadraticForms((), squares(d, entries), symmetric(correlations, d))
    structure = Gaussian(_zero(d), precision, is_precision=True, statistics=forms)
    return _normal(
        "gaussian chain",
        structure,
        list(entries.values()),
        latex=r"x \sim \mathcal{N}(0, T^{-1}), \quad T_{ij} = 0 \text{ for } |i - j| > 1",
        source="Lauritzen, Graphical Models (1996), Ch. 5",
    )


def _normal(
    name: str, structure: Gaussian, parameters: Sequence[Parameter], latex: str = "", source: str = ""
) -> Model:
    """Model of a vector x1 … with a normal law."""
    d = structure.mean.rows
    x = sympy.symbols(f"x1:{d + 1}", real=True)
    taken = (structure.mean.free_symbols | structure.matrix.free_symbols) & set(x)
    if taken:
        raise ValueError(f"model {name!r}: the names x1 … x{d} are those of the variables, got parameter {taken.pop()}")

    # The constraints: what is not positive by its symbols alone.
    domains = {p.symbol: p.domain for p in parameters}
    constraints = [m for m in leading_minors(structure.matrix) if not _is_positive(m, domains)]

    return Model(
        name,
        parameters,
        _log_density(structure, ImmutableMatrix(x) - structure.mean),
        x,
        (REALS,) * d,
        constraints=constraints,
        structure=structure,
        latex=latex,
        source=source,
    )


def _log_density(structure: Gaussian, away: ImmutableMatrix) -> Expr:
    """½ (log det Σ⁻¹ − d log 2π − yᵀ Σ⁻¹ y) at a vector y away from the mean, inverses being left unexpanded."""
    if structure.is_precision:
        logarithm = log(leading_minors(structure.matrix)[-1])
        form = (away.T * structure.matrix * away)[0]
    else:
        inverse, determinant = adjugate(structure.matrix)
        logarithm = -log(determinant)
        form = (away.T * inverse * away)[0] / determinant
    return (logarithm - away.rows * log(2 * pi) - form) / 2


def _is_positive(e: Expr, domains: Mapping[Symbol, sympy.Set]) -> bool:
    """Whether an expression is seen to be positive: by its assumptions, or as a parameter by its domain."""
    return bool(e.is_positive) or domains.get(e) == POSITIVE


def _mean(d: int) -> list[Parameter]:
    return [real(f"mu{k + 1}", (-1.5, 1.5)) for k in range(d)]


def _covariance(d: int) -> tuple[ImmutableMatrix, dict[tuple[int, int], Parameter]]:
    return positive_matrix("sigma", d, d)


def _vector(parameters: Sequence[Parameter]) -> ImmutableMatrix:
    return ImmutableMatrix([p.symbol for p in parameters])


def _zero(d: int) -> ImmutableMatrix:
    return ImmutableMatrix(sympy.zeros(d, 1))


def _identity(d: int) -> ImmutableMatrix:
    return ImmutableMatrix(sympy.eye(d))


def _units(d: int) -> tuple[ImmutableMatrix, ...]:
    return tuple(_identity(d)[:, k] for k in range(d))
