"""Every family that comes with the package, at the arguments it is tested with."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

import infogeom as ig
from infogeom.models import Model

#: How each is made. A new family of one variable is one line here.
FAMILIES: dict[str, Callable[[], Model]] = {
    **{
        name: getattr(ig.models, name)
        for name in (
            *("normal", "log_normal", "half_normal", "exponential", "gamma", "inverse_gamma", "chi_squared", "weibull"),
            *(
                "rayleigh",
                "gumbel",
                "frechet",
                "generalised_extreme_value",
                "logistic",
                "log_logistic",
                "laplace",
                "generalised_normal",
            ),
            *("student_t", "cauchy", "hyperbolic_secant", "pareto", "beta", "beta_prime", "inverse_gaussian"),
            *("von_mises", "skew_normal", "bernoulli", "geometric", "poisson", "negative_binomial", "skellam", "zeta"),
        )
    },
    "student_t(5)": lambda: ig.models.student_t(5),
    "pareto(3)": lambda: ig.models.pareto(3),
    "binomial(7)": lambda: ig.models.binomial(7),
    "negative_binomial(3)": lambda: ig.models.negative_binomial(3),
    "beta_binomial(2)": lambda: ig.models.beta_binomial(2),
    "beta_binomial(40)": lambda: ig.models.beta_binomial(40),
}
#: Expectations of these do not close.
NUMERIC = frozenset({"skew_normal", "negative_binomial", "skellam", "beta_binomial(40)"})
#: −E[∂∂ℓ] is not E[s sᵀ]: the density has a kink at its location.
KINKED = frozenset({"laplace", "generalised_normal"})
#: The reference cannot sum over a power law.
UNSUMMABLE = frozenset({"zeta"})


@cache
def family(name: str) -> Model:
    """A family, made once."""
    return FAMILIES[name]()


def typical_points(name: str, count: int, seed: int = 0) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Random points of the typical ranges that a family declares."""
    rng = np.random.default_rng(seed)
    return np.array([[rng.uniform(*p.typical) for p in family(name).parameters] for _ in range(count)])
