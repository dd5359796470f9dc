"""Every family that comes with the package, at the arguments it is tested with."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache, partial
from typing import Any

import numpy as np
import pytest

import infogeom as ig
from infogeom.models import Model

#: How each is made. A new family of one variable is one line here.
FAMILIES: dict[str, Callable[[], Model]] = {
    "normal": ig.models.normal,
    "log_normal": ig.models.log_normal,
    "half_normal": ig.models.half_normal,
    "exponential": ig.models.exponential,
    "gamma": ig.models.gamma,
    "inverse_gamma": ig.models.inverse_gamma,
    "chi_squared": ig.models.chi_squared,
    "weibull": ig.models.weibull,
    "rayleigh": ig.models.rayleigh,
    "gumbel": ig.models.gumbel,
    "frechet": ig.models.frechet,
    "generalised_extreme_value": ig.models.generalised_extreme_value,
    "logistic": ig.models.logistic,
    "log_logistic": ig.models.log_logistic,
    "laplace": ig.models.laplace,
    "generalised_normal": ig.models.generalised_normal,
    "student_t": ig.models.student_t,
    "cauchy": ig.models.cauchy,
    "hyperbolic_secant": ig.models.hyperbolic_secant,
    "pareto": ig.models.pareto,
    "beta": ig.models.beta,
    "beta_prime": ig.models.beta_prime,
    "inverse_gaussian": ig.models.inverse_gaussian,
    "von_mises": ig.models.von_mises,
    "skew_normal": ig.models.skew_normal,
    "lomax": ig.models.lomax,
    "generalised_gamma": ig.models.generalised_gamma,
    "burr": ig.models.burr,
    "nakagami": ig.models.nakagami,
    "maxwell": ig.models.maxwell,
    "exponentiated_exponential": ig.models.exponentiated_exponential,
    "kumaraswamy": ig.models.kumaraswamy,
    "generalised_pareto": ig.models.generalised_pareto,
    "rice": ig.models.rice,
    "bernoulli": ig.models.bernoulli,
    "geometric": ig.models.geometric,
    "poisson": ig.models.poisson,
    "negative_binomial": ig.models.negative_binomial,
    "skellam": ig.models.skellam,
    "zeta": ig.models.zeta,
    "zero_truncated_poisson": ig.models.zero_truncated_poisson,
    "hurdle_poisson": ig.models.hurdle_poisson,
    "zero_inflated_poisson": ig.models.zero_inflated_poisson,
    "log_series": ig.models.log_series,
    "yule_simon": ig.models.yule_simon,
    "discrete_weibull": ig.models.discrete_weibull,
    "conway_maxwell_poisson": ig.models.conway_maxwell_poisson,
    "student_t(5)": partial(ig.models.student_t, 5),
    "pareto(3)": partial(ig.models.pareto, 3),
    "binomial(7)": partial(ig.models.binomial, 7),
    "negative_binomial(3)": partial(ig.models.negative_binomial, 3),
    "beta_binomial(2)": partial(ig.models.beta_binomial, 2),
    "beta_binomial(40)": partial(ig.models.beta_binomial, 40),
}
#: Expectations of these do not close.
NUMERIC = frozenset(
    {"rice", "skew_normal", "negative_binomial", "skellam", "beta_binomial(40)", "yule_simon", "discrete_weibull"}
)
#: −E[∂∂ℓ] is not E[s sᵀ]: the density has a kink at its location.
KINKED = frozenset({"laplace", "generalised_normal"})
#: The reference cannot sum over a power law.
UNSUMMABLE = frozenset({"zeta", "yule_simon"})

#: One of a kind is tested by default, the others are slow.
ALIKE = frozenset(
    {"lomax", "generalised_gamma", "burr", "nakagami", "maxwell", "kumaraswamy", "rice", "exponentiated_exponential"}
    | {"log_series", "hurdle_poisson", "zero_inflated_poisson", "discrete_weibull", "yule_simon"}
)
#: Take as long as all the others.
LONGEST = frozenset({"generalised_extreme_value", "generalised_normal", "student_t"})


def each(names: Iterable[str]) -> list[Any]:
    """Names as parameters of a test, those of which others are alike or that take long being slow."""
    slow = ALIKE | LONGEST
    return [pytest.param(name, marks=pytest.mark.slow) if name in slow else name for name in names]


@cache
def family(name: str) -> Model:
    """A family, made once."""
    return FAMILIES[name]()


def typical_points(name: str, count: int, seed: int = 0) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Random points of the typical ranges that a family declares."""
    ranges = np.array([p.typical for p in family(name).parameters])
    return np.random.default_rng(seed).uniform(*ranges.T, (count, len(ranges)))
