"""Generalised linear models of inputs X by name: their coefficients are b0 of a constant, then b1, b2, … of columns."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import sympy
from numpy.typing import ArrayLike, NDArray
from sympy import Expr, Symbol

from infogeom.arguments import finite_array
from infogeom.functions import expit, log_normal_cdf
from infogeom.models.combine import reparametrise
from infogeom.models.discrete import bernoulli, poisson
from infogeom.models.half_line import gamma
from infogeom.models.model import Model
from infogeom.models.parameter import Parameter, positive, real
from infogeom.models.regressions import regression

__all__ = ["gamma_regression", "logistic_regression", "poisson_regression", "probit_regression"]

#: Of coefficients, for inputs of size 1.
TYPICAL = (-1, 1)


class Design:
    """Inputs X, and linear predictors η = b0 + b1 x1 + … of them.

    Attributes
    ----------
    inputs : ndarray of float64, shape (N, k)
    variables : tuple of Symbol
        x1, … of the columns.
    """

    def __init__(self, X: ArrayLike) -> None:
        given = finite_array("X", X)
        if given.ndim not in (1, 2) or not given.size:
            raise ValueError(f"X must have shape (N,) or (N, k) and hold at least one input, got {given.shape}")
        self.inputs: NDArray[np.float64] = given[:, None] if given.ndim == 1 else given
        self.variables = tuple(Symbol(f"x{k + 1}", real=True) for k in range(self.inputs.shape[1]))

    def coefficients(self, letter: str = "b") -> list[Parameter]:
        """Parameters b0, b1, … of one predictor."""
        return [real(f"{letter}{k}", TYPICAL) for k in range(len(self.variables) + 1)]

    def predictor(self, letter: str = "b") -> Expr:
        """η, in the coefficients and the variables."""
        constant, *slopes = [p.symbol for p in self.coefficients(letter)]
        terms = [b * x for b, x in zip(slopes, self.variables, strict=True)]
        return sympy.Add(constant, *terms)

    def model(
        self,
        name: str,
        functions: Mapping[str, Expr],
        noise: Model,
        y: ArrayLike | None,
        weights: ArrayLike | None,
        fisher: str | None,
        letters: str = "b",
    ) -> Model:
        """Noise whose parameters are functions of the predictors of the letters, with observations y."""
        return regression(
            functions,
            noise,
            self.inputs,
            variables=self.variables,
            parameters=[p for letter in letters for p in self.coefficients(letter)],
            weights=weights,
            observations=y,
            fisher=fisher,
            name=name,
        )


def logistic_regression(
    X: ArrayLike, y: ArrayLike | None = None, *, weights: ArrayLike | None = None, fisher: str | None = None
) -> Model:
    """Trials whose success has log-odds b0 + b1 x1 + …: metric, a mean over the rows, of p (1 − p) (1, x) (1, x)ᵀ.

    Parameters
    ----------
    X : array_like, shape (N,) or (N, k)
        Finite inputs, without a column for the constant.
    y : array_like, shape (N,), optional
        Observations, 0 or 1, which the model holds, see `observe`.
    weights : array_like, shape (N,), optional
        Non-negative with a positive sum; equal when omitted.
    fisher : {"expected", "observed", "empirical"}, optional
        With observations: which information the metric is.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, the rule and the value.

    Examples
    --------
    >>> import infogeom as ig
    >>> trial = ig.models.logistic_regression([0, 1, 2, 3])
    >>> ig.evaluate_points(trial, [[-1, 1]]).metric.values[0].round(4).tolist()
    [[0.1871, 0.2396], [0.2396, 0.4953]]
    """
    design = Design(X)
    return design.model("logistic regression", {"p": expit(design.predictor())}, bernoulli(), y, weights, fisher)


def probit_regression(
    X: ArrayLike, y: ArrayLike | None = None, *, weights: ArrayLike | None = None, fisher: str | None = None
) -> Model:
    """Trials whose success has probability Φ(b0 + b1 x1 + …): metric, a mean, of φ²/(Φ (1 − Φ)) (1, x) (1, x)ᵀ.

    Arguments and errors are those of `logistic_regression`.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.probit_regression([-1, 0, 1])
    <Model probit regression: b0, b1, 3 samples>
    """
    design = Design(X)
    success = sympy.exp(log_normal_cdf(design.predictor()))
    return design.model("probit regression", {"p": success}, bernoulli(), y, weights, fisher)


def poisson_regression(
    X: ArrayLike, y: ArrayLike | None = None, *, weights: ArrayLike | None = None, fisher: str | None = None
) -> Model:
    """Counts with mean exp(b0 + b1 x1 + …): metric, a mean over the rows, of exp(η) (1, x) (1, x)ᵀ.

    Arguments and errors are those of `logistic_regression`; observations are counts.

    Examples
    --------
    >>> import infogeom as ig
    >>> counts = ig.models.poisson_regression([0, 1], [1, 3], fisher="observed")
    >>> ds = ig.evaluate_points(counts, [[0, 0]], ["metric", "score"])
    >>> ds.metric.values[0].tolist(), ds.score.values[0].tolist()
    ([[1.0, 0.5], [0.5, 0.5]], [1.0, 1.0])
    """
    design = Design(X)
    return design.model("Poisson regression", {"rate": sympy.exp(design.predictor())}, poisson(), y, weights, fisher)


def gamma_regression(
    X: ArrayLike, y: ArrayLike | None = None, *, weights: ArrayLike | None = None, fisher: str | None = None
) -> Model:
    """Gamma variables with mean μ = exp(b0 + b1 x1 + …) and, as last parameter, ``shape`` k: their rate is k/μ.

    The variance is μ²/k. Shape and coefficients are orthogonal: the metric is, a mean over the rows, of
    k (1, x) (1, x)ᵀ and ψ′(k) − 1/k. Arguments and errors are those of `logistic_regression`; observations are
    positive.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.gamma_regression([0, 1])
    <Model gamma regression: b0, b1, shape, 2 samples>
    """
    design, law, mean = Design(X), gamma(), positive("mean")
    shape, rate = law.parameters
    by_mean = reparametrise(law, {rate.symbol: shape.symbol / mean.symbol}, [shape, mean])
    return design.model("gamma regression", {"mean": sympy.exp(design.predictor())}, by_mean, y, weights, fisher)
