"""Normal laws of what is not observed beside what is: random shifts of groups, and common factors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import sympy
from numpy.random import Generator
from numpy.typing import NDArray
from sympy import Expr, Symbol, log, pi

from infogeom.arguments import check_count, sequence_of
from infogeom.models.entries import Entries, entries_of_places
from infogeom.models.model import Model, Number, Structure
from infogeom.models.normal_law import NormalLaw, normal_law
from infogeom.models.parameter import REALS, positive, real

__all__ = ["RandomIntercept", "factor_model", "random_intercept"]


@dataclass(frozen=True)
class RandomIntercept(Structure):
    """Groups of normal observations that share a random shift.

    Attributes
    ----------
    sizes : tuple of int
    mu, tau, sigma : Symbol
    """

    sizes: tuple[int, ...]
    mu: Symbol
    tau: Symbol
    sigma: Symbol

    def draw(self, model: Model, number: Number, n: int, rng: Generator) -> NDArray[np.float64]:
        """A shift for each group, and noise."""
        mu, tau, sigma = map(number, (self.mu, self.tau, self.sigma))
        group = np.repeat(np.arange(len(self.sizes)), self.sizes)
        shift = rng.normal(mu, tau, (n, len(self.sizes)))
        return np.asarray(shift[:, group] + rng.normal(0, sigma, (n, len(group))))


def random_intercept(groups: Sequence[int]) -> Model:
    """Groups of observations x_ij = μ + τ b_i + σ e_ij, where b and e are independent standard normal.

    Parameters ``mu``, ``tau``, ``sigma``.

    Parameters
    ----------
    groups : sequence of int
        Sizes of the groups, not all 1.

    Raises
    ------
    TypeError, ValueError
        For sizes that are not positive, and groups of one observation alone, of which σ² + τ² is all that shows.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.random_intercept([2, 2, 3]).metric().matrix[0, 0]
    3/(sigma**2 + 3*tau**2) + 4/(sigma**2 + 2*tau**2)
    """
    sizes = sequence_of("groups", groups, int, np.integer)
    for size in sizes:
        check_count("groups", size)
    if max(sizes, default=1) == 1:
        raise ValueError(f"groups must hold one of two observations or more, got sizes {sizes}")
    sizes = [int(size) for size in sizes]
    mu, tau, sigma = real("mu", (-1.5, 1.5)), positive("tau", (0.5, 2.0)), positive("sigma", (0.5, 2.0))
    structure = RandomIntercept(tuple(sizes), mu.symbol, tau.symbol, sigma.symbol)
    x = sympy.symbols(f"x1:{sum(sizes) + 1}", real=True)
    terms, first = [], 0
    for size in sizes:
        terms.append(_of_group([v - mu.symbol for v in x[first : first + size]], tau.symbol**2, sigma.symbol**2))
        first += size
    return Model(
        "random intercept",
        [mu, tau, sigma],
        sympy.Add(*terms),
        x,
        (REALS,) * len(x),
        structure=structure,
        latex=r"x_{ij} = \mu + \tau b_i + \sigma e_{ij}",
        source="Searle, Casella & McCulloch, Variance Components (1992), Ch. 3",
    )


def _of_group(away: Sequence[Expr], between: Expr, within: Expr) -> Expr:
    """Log-density of a group: the sum of its deviations has variance n (σ² + n τ²), what is left σ² I."""
    n, total = len(away), sympy.Add(*away)
    squares = sympy.Add(*(y**2 for y in away))
    whole = within + n * between
    form = (squares - total**2 / n) / within + total**2 / (n * whole)
    return -(n * log(2 * pi) + (n - 1) * log(within) + log(whole) + form) / 2


def factor_model(d: int, factors: int) -> Model:
    """Normal observations of common factors, x = Λ f + e with covariance Λ Λᵀ + diag(ψ): a centred law.

    Parameters ``loading11``, ``loading21``, …, the lower triangle of Λ by columns, which fixes the rotation of the
    factors, then the variances ``psi1`` ….

    Parameters
    ----------
    d : int
        Number of observations.
    factors : int
        At least 1; not more than the covariance tells: d (d + 1) / 2 numbers.

    Raises
    ------
    TypeError, ValueError
        For numbers out of range.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.factor_model(4, 1).parameters[0].name
    'loading11'
    """
    check_count("d", d, 2)
    check_count("factors", factors)
    number = d * factors - factors * (factors - 1) // 2 + d
    if factors >= d or number > d * (d + 1) // 2:
        raise ValueError(f"factors must leave the covariance of {d} observations to tell them, got {factors}")
    comma = "_" if d > 9 else ""
    loadings, entries = [], {}
    for k in range(factors):
        for i in range(k, d):
            parameter = real(f"loading{i + 1}{comma}{k + 1}", (0.4, 1.2) if i == k else (-0.8, 0.8))
            loadings.append(parameter)
            entries[i, k] = parameter.symbol
    variances = [positive(f"psi{i + 1}", (0.5, 1.5)) for i in range(d)]
    found = {}
    for i in range(d):
        for j in range(i, d):
            products = [entries[i, k] * entries[j, k] for k in range(min(i, factors - 1) + 1)]
            found[i, j] = sympy.Add(*products, variances[i].symbol if i == j else 0)
    covariance = entries_of_places(found, (d, d), symmetric=True)
    law = NormalLaw(Entries((d, 1), ()), covariance, is_positive=True)
    return normal_law(
        f"factor model of {d} observations, {factors} factors",
        law,
        [*loadings, *variances],
        latex=r"x \sim \mathcal{N}(0, \Lambda \Lambda^\top + \mathrm{diag}\, \psi)",
        source="Anderson & Rubin, Proc. 3rd Berkeley Symp. 5 (1956) 111–150",
    )
