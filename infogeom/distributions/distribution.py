"""A model at one point of its domain: a probability distribution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogeom.arguments import by_name, check_count, finite_array, point_inside
from infogeom.distributions.density import Array, Density
from infogeom.distributions.sampling import draws
from infogeom.models.model import Model
from infogeom.symbolic import numeric_metric

__all__ = ["Distribution"]


@dataclass(frozen=True, eq=False, repr=False)
class Distribution:
    """A model with a number for each of its parameters, as ``model.at(...)`` gives it.

    Observations of one variable are arrays of any shape, those of several have them along the last axis. Of outcomes
    that are counted the density is the probability.

    Parameters
    ----------
    model : Model
    values : mapping of str to float
        Every parameter by its name; kept in the model's order.

    Raises
    ------
    TypeError, ValueError
        For names that are not those of the parameters, and a point outside the domain.

    Examples
    --------
    >>> import infogeom as ig
    >>> law = ig.models.exponential().at(rate=2)
    >>> law
    <exponential: rate = 2>
    >>> law.pdf([-1, 0.5]).round(4)
    array([0.    , 0.7358])
    >>> law.score([0.5, 1])
    array([[ 0. ],
           [-0.5]])
    >>> law.sample(2, seed=1).round(4)
    array([0.5365, 0.1542])
    """

    model: Model
    values: Mapping[str, float]

    def __post_init__(self) -> None:
        if not isinstance(self.model, Model):
            raise TypeError(f"model must be a Model, got {self.model!r}")
        if not isinstance(self.values, Mapping):
            raise TypeError(f"values must be a mapping of names to numbers, got {self.values!r}")
        conditions = [c.subs(self.model.constants) for c in self.model.constraints]
        domains = {p.symbol: p.domain for p in self.model.parameters}
        point = point_inside("at", by_name("at", self.values), domains, conditions)
        named = {symbol.name: value for symbol, value in point.items()}
        object.__setattr__(self, "values", MappingProxyType(named))

    def __reduce__(self) -> tuple[Any, ...]:
        return Distribution, (self.model, dict(self.values))

    def __repr__(self) -> str:
        at = ", ".join(f"{name} = {value:g}" for name, value in self.values.items())
        return f"<{self.model.name}: {at}>"

    @cached_property
    def _density(self) -> Density:
        return Density(self.model, {p.symbol: self.values[p.name] for p in self.model.parameters})

    @property
    def metric(self) -> Array:
        """Fisher metric g_ij there, shape (n, n)."""
        return numeric_metric(self.model).at(**self.values)

    def logpdf(self, x: ArrayLike) -> Array:
        """Logarithm of the density, −∞ outside the support.

        To 1e-8 of itself, or of 1; in 50 digits, which takes longer, at observations where float64 overflows or loses
        more.
        """
        return self._density.log_in_full(self._columns(x))

    def pdf(self, x: ArrayLike) -> Array:
        """Density, 0 outside the support."""
        return np.asarray(np.exp(self.logpdf(x)))

    def score(self, x: ArrayLike) -> Array:
        """Scores ∂_i log p(x) along a last axis of the parameters.

        Raises
        ------
        ValueError
            For an observation outside the support, where there is none.
        """
        columns = self._columns(x)
        outside = ~self._density.inside(columns)
        if outside.any():
            at = tuple(map(int, np.argwhere(outside)[0]))
            got = [float(column[at]) for column in columns]
            raise ValueError(f"x must lie in the support, got {got} at index {at}")
        return self._density.scores(columns)

    def sample(self, n: int, seed: int = 0) -> Array:
        """``n`` independent observations, shape (n,), or (n, d) of d variables.

        By SciPy's sampler where the law is one of SciPy's, else by inversion of the distribution function.  Those of a
        table of states are the values of its statistics, each drawn by the weight of its row.  What
        rounding would put on an open end of the support, or beyond float64, becomes the next number inside.

        Raises
        ------
        TypeError, ValueError
            For n or seed below 0, and a law that has no sampler.
        ArithmeticError
            Where the sampler fails: counts beyond 64 bits, or a mass that is not found to be 1.
        """
        check_count("n", n, 0)
        check_count("seed", seed, 0)
        found = draws(self._density, n, np.random.default_rng(seed))
        return found[:, 0] if len(self._density.symbols) == 1 else found

    def _columns(self, x: ArrayLike) -> list[NDArray[np.float64]]:
        """Observations, an array for each variable."""
        values, d = finite_array("x", x), len(self._density.symbols)
        if d == 1:
            return [values]
        if not values.ndim or values.shape[-1] != d:
            raise ValueError(f"x must have {d} variables along its last axis, got shape {values.shape}")
        return [values[..., k] for k in range(d)]
