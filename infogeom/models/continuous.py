"""Families of continuous distributions, one function each."""

from __future__ import annotations

import sympy
from sympy import Interval, log, oo

from infogeom.models.model import Model, Parameter

__all__ = ["normal"]


def normal() -> Model:
    """Normal law with mean ``mu`` and standard deviation ``sigma``.

    Metric diag(1, 2)/σ² (Eq. 3.1.5), the hyperbolic plane: R = −1.
    """
    x, mu = sympy.symbols("x mu", real=True)
    sigma = sympy.Symbol("sigma", positive=True)
    parameters = Parameter(mu, sympy.S.Reals, (-3, 3)), Parameter(sigma, Interval.open(0, oo), (0.3, 3))
    log_density = -log(sigma) - log(2 * sympy.pi) / 2 - (x - mu) ** 2 / (2 * sigma**2)
    return Model("normal", parameters, log_density, x, sympy.S.Reals)
