"""Statistical models: what they are made of, and the ones that come with the package."""

from infogeom.methods import table
from infogeom.models import (
    binary,
    chains,
    copulas,
    count_tails,
    counts,
    discrete,
    gaussians,
    half_line,
    interval,
    lifetimes,
    line,
    linear_predictors,
    responses,
    vectors,
    zeros,
)
from infogeom.models.autoregressions import autoregression
from infogeom.models.binary import *
from infogeom.models.by_name import families, family
from infogeom.models.censoring import censored
from infogeom.models.chains import *
from infogeom.models.combine import product, reparametrise, replicate
from infogeom.models.copulas import *
from infogeom.models.count_tails import *
from infogeom.models.counts import *
from infogeom.models.density import from_density, from_sympy_stats, location_scale
from infogeom.models.discrete import *
from infogeom.models.gases import bose_gas, fermi_gas
from infogeom.models.gaussians import *
from infogeom.models.half_line import *
from infogeom.models.interval import *
from infogeom.models.latent import factor_model, random_intercept
from infogeom.models.lattices import ising_cylinder, ising_torus, potts_torus
from infogeom.models.lifetimes import *
from infogeom.models.line import *
from infogeom.models.linear_predictors import *
from infogeom.models.log_partition import exponential_family
from infogeom.models.mean_field import curie_weiss, mean_field_potts
from infogeom.models.mixtures import mixture
from infogeom.models.model import Model, Network
from infogeom.models.neuron import decision_boundary, decision_boundary_population, sigmoid_neuron
from infogeom.models.observations import observe
from infogeom.models.parameter import Parameter
from infogeom.models.processes import gaussian_process
from infogeom.models.regressions import regression
from infogeom.models.responses import *
from infogeom.models.samples import Samples
from infogeom.models.spherical import spherical_model
from infogeom.models.state_tables import from_energies, from_states
from infogeom.models.truncation import truncated, truncated_normal
from infogeom.models.vectors import *
from infogeom.models.zeros import *

__all__ = [
    "Model", "Network", "Parameter", "Samples", "autoregression", "bose_gas", "censored", "curie_weiss",
    "decision_boundary", "decision_boundary_population", "exponential_family", "factor_model", "families", "family",
    "fermi_gas", "from_density", "from_energies", "from_states", "from_sympy_stats", "gaussian_process",
    "ising_cylinder", "ising_torus", "location_scale", "mean_field_potts", "mixture", "observe", "potts_torus",
    "product", "random_intercept", "regression", "reparametrise", "replicate", "sigmoid_neuron", "spherical_model",
    "table",
    "truncated",
    "truncated_normal",
]  # fmt: skip
# A family is named in its own file alone.
__all__ += line.__all__
__all__ += half_line.__all__
__all__ += lifetimes.__all__
__all__ += interval.__all__
__all__ += discrete.__all__
__all__ += zeros.__all__
__all__ += count_tails.__all__
__all__ += counts.__all__
__all__ += binary.__all__
__all__ += gaussians.__all__
__all__ += vectors.__all__
__all__ += chains.__all__
__all__ += copulas.__all__
__all__ += linear_predictors.__all__
__all__ += responses.__all__
__all__.sort()


def __dir__() -> list[str]:
    return sorted(__all__)
