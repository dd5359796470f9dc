"""Statistical models: what they are made of, and the ones that come with the package."""

import importlib
from typing import TYPE_CHECKING

from infogeom.models.by_name import families, family
from infogeom.models.combine import mixture, product, reparametrise, replicate
from infogeom.models.continuous import (
    beta,
    beta_prime,
    cauchy,
    chi_squared,
    exponential,
    frechet,
    gamma,
    generalised_extreme_value,
    generalised_normal,
    gumbel,
    half_normal,
    hyperbolic_secant,
    inverse_gamma,
    inverse_gaussian,
    laplace,
    log_logistic,
    log_normal,
    logistic,
    normal,
    pareto,
    rayleigh,
    skew_normal,
    student_t,
    von_mises,
    weibull,
)
from infogeom.models.density import from_density, from_sympy_stats, location_scale
from infogeom.models.discrete import (
    bernoulli,
    beta_binomial,
    binomial,
    geometric,
    negative_binomial,
    poisson,
    skellam,
    zeta,
)
from infogeom.models.log_partition import exponential_family
from infogeom.models.model import Model, Network, Parameter, Samples
from infogeom.models.neuron import decision_boundary, decision_boundary_population, sigmoid_neuron
from infogeom.models.regression import regression

__all__ = [
    "Model", "Network", "Parameter", "Samples", "bernoulli", "beta", "beta_binomial", "beta_prime", "binomial",
    "cauchy", "chi_squared", "decision_boundary", "decision_boundary_population", "exponential",
    "exponential_family", "families", "family", "frechet", "from_density", "from_sympy_stats", "gamma",
    "generalised_extreme_value", "generalised_normal", "geometric", "gumbel", "half_normal", "hyperbolic_secant",
    "inverse_gamma", "inverse_gaussian", "laplace", "location_scale", "log_logistic", "log_normal", "logistic",
    "mixture", "negative_binomial", "normal", "pareto", "poisson", "product", "rayleigh", "regression",
    "reparametrise", "replicate", "sigmoid_neuron", "skellam", "skew_normal", "student_t", "table", "von_mises",
    "weibull", "zeta",
]  # fmt: skip

if TYPE_CHECKING:
    from infogeom.catalogue import table
else:

    def __getattr__(name: str) -> object:
        """The table of families, which needs the closed forms that are built on the models."""
        if name != "table":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return globals().setdefault(name, importlib.import_module("infogeom.catalogue").table)


def __dir__() -> list[str]:
    return sorted(__all__)
