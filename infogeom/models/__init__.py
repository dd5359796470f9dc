"""Statistical models: what they are made of, and the ones that come with the package."""

from infogeom.models.combine import mixture, product, reparametrise, replicate
from infogeom.models.continuous import normal
from infogeom.models.density import from_density
from infogeom.models.discrete import binomial
from infogeom.models.exponential import exponential_family
from infogeom.models.model import Model, Network, Parameter, Samples
from infogeom.models.neuron import decision_boundary, decision_boundary_population, sigmoid_neuron

__all__ = [
    "Model",
    "Network",
    "Parameter",
    "Samples",
    "binomial",
    "decision_boundary",
    "decision_boundary_population",
    "exponential_family",
    "from_density",
    "mixture",
    "normal",
    "product",
    "reparametrise",
    "replicate",
    "sigmoid_neuron",
]
