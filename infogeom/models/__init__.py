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
    categorical,
    geometric,
    log_linear,
    multinomial,
    negative_binomial,
    negative_multinomial,
    poisson,
    skellam,
    zeta,
)
from infogeom.models.log_partition import exponential_family
from infogeom.models.model import Model, Network, Parameter, Samples
from infogeom.models.multivariate import (
    dirichlet,
    freund,
    gaussian,
    gaussian_chain,
    multivariate_normal,
    multivariate_normal_diagonal,
    multivariate_normal_isotropic,
    multivariate_normal_known_covariance,
    multivariate_normal_known_mean,
    von_mises_fisher,
    wishart,
)
from infogeom.models.neuron import decision_boundary, decision_boundary_population, sigmoid_neuron
from infogeom.models.regression import regression

__all__ = [
    "Model", "Network", "Parameter", "Samples", "bernoulli", "beta", "beta_binomial", "beta_prime", "binomial",
    "categorical", "cauchy", "chi_squared", "decision_boundary", "decision_boundary_population", "dirichlet",
    "exponential", "exponential_family", "families", "family", "frechet", "freund", "from_density",
    "from_sympy_stats", "gamma", "gaussian", "gaussian_chain", "generalised_extreme_value", "generalised_normal",
    "geometric", "gumbel", "half_normal", "hyperbolic_secant", "inverse_gamma", "inverse_gaussian", "laplace",
    "location_scale", "log_linear", "log_logistic", "log_normal", "logistic", "mixture", "multinomial",
    "multivariate_normal", "multivariate_normal_diagonal", "multivariate_normal_isotropic",
    "multivariate_normal_known_covariance", "multivariate_normal_known_mean", "negative_binomial",
    "negative_multinomial", "normal", "pareto", "poisson", "product", "rayleigh", "regression", "reparametrise",
    "replicate", "sigmoid_neuron", "skellam", "skew_normal", "student_t", "table", "von_mises", "von_mises_fisher",
    "weibull", "wishart", "zeta",
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
