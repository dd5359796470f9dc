"""Networks of any depth and width: exact Fisher and neural-tangent-kernel traces, through training, on the CPU."""

from infogeom.network.fitting import TrainingWarning, fit
from infogeom.network.hessian import gauss_newton_product, hessian_product, sharpness
from infogeom.network.hessian_traces import hessian_trace, hessian_trace_estimate
from infogeom.network.infinite_width import infinite_width_kernel
from infogeom.network.kronecker import ekfac, kfac, kronecker_errors, kronecker_pairs
from infogeom.network.lazy import linearised
from infogeom.network.matrix import fisher_diagonal, fisher_operator, fisher_product
from infogeom.network.mlp import MLP
from infogeom.network.mnist import fetch_mnist, load_digits, load_mnist, mnist_source
from infogeom.network.proportionality import statistics
from infogeom.network.recording import Record, stratified_sample
from infogeom.network.solving import fisher_logdet, fisher_solve, natural_gradient
from infogeom.network.spectra import fisher_spectrum, ntk, ntk_spectrum
from infogeom.network.studies import study
from infogeom.network.traces import (
    fisher_trace,
    fisher_trace_by_layer,
    ntk_blocks,
    ntk_trace,
    ntk_trace_by_layer,
    ntk_trace_estimate,
)
from infogeom.optimizers import SGD, Adam

__all__ = [
    "MLP",
    "SGD",
    "Adam",
    "Record",
    "TrainingWarning",
    "ekfac",
    "fetch_mnist",
    "fisher_diagonal",
    "fisher_logdet",
    "fisher_operator",
    "fisher_product",
    "fisher_solve",
    "fisher_spectrum",
    "fisher_trace",
    "fisher_trace_by_layer",
    "fit",
    "gauss_newton_product",
    "hessian_product",
    "hessian_trace",
    "hessian_trace_estimate",
    "infinite_width_kernel",
    "kfac",
    "kronecker_errors",
    "kronecker_pairs",
    "linearised",
    "load_digits",
    "load_mnist",
    "mnist_source",
    "natural_gradient",
    "ntk",
    "ntk_blocks",
    "ntk_spectrum",
    "ntk_trace",
    "ntk_trace_by_layer",
    "ntk_trace_estimate",
    "sharpness",
    "statistics",
    "stratified_sample",
    "study",
]


def __dir__() -> list[str]:
    return sorted(__all__)
