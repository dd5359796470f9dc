"""Gibbs models exp(θ·X) / Z without a formula for Z."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import sympy
from numpy.random import Generator
from numpy.typing import NDArray
from sympy import Symbol

from infogeom.models.model import Model, Number, Structure
from infogeom.models.parameter import Parameter

__all__ = ["Gibbs", "gibbs_model"]


class Gibbs(Structure, ABC):
    """A family exp(θ·X) / Z in natural parameters, of which the cumulants of X are found at a point.

    Attributes
    ----------
    expectation : str
        By what: "sum" over states, "transfer" matrices, "pfaffian".
    size : int
        Number of statistics.
    """

    expectation: ClassVar[str]
    size: int = 2

    @property
    @abstractmethod
    def told(self) -> str:
        """What the family is, for messages."""

    def draw(self, model: Model, number: Number, n: int, rng: Generator) -> NDArray[np.float64] | None:
        """No observations: only cumulants are known."""
        raise TypeError(
            f"model {model.name!r} has no sampler: of {self.told} no table of states is kept; from_states takes one"
        )


def gibbs_model(
    name: str, parameters: Sequence[Parameter], structure: Gibbs, *, latex: str = "", source: str = ""
) -> Model:
    """Model of a family, whose log-partition function has a name and no formula."""
    symbols = [p.symbol for p in parameters]
    statistics = tuple(Symbol(f"X_{p.name}", real=True) for p in parameters)
    terms = [theta * X for theta, X in zip(symbols, statistics, strict=True)]
    psi = sympy.Function("psi", real=True)(*symbols)
    density = sympy.Add(*terms) - psi
    return Model(name, parameters, density, statistics, None, structure=structure, latex=latex, source=source)
