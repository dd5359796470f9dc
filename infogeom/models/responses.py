"""Models of answers that are one of a few: multinomial logit, and item response."""

from __future__ import annotations

import string
from numbers import Integral

import sympy
from numpy.typing import ArrayLike
from sympy import Expr, FiniteSet, ImmutableMatrix, Piecewise, Symbol, log

from infogeom.arguments import check_count, finite_array
from infogeom.functions import expit, log_sum_exp, softmax
from infogeom.models.discrete import bernoulli
from infogeom.models.linear_predictors import Design
from infogeom.models.log_partition import KnownHessian
from infogeom.models.model import Model
from infogeom.models.parameter import Parameter, positive, probability, real
from infogeom.models.regressions import regression

__all__ = ["item_response", "multinomial_logit"]

#: Of coefficients of further outcomes, after b.
PREDICTORS = string.ascii_lowercase[1:]


def multinomial_logit(
    X: ArrayLike,
    outcomes: int,
    y: ArrayLike | None = None,
    *,
    weights: ArrayLike | None = None,
    fisher: str | None = None,
) -> Model:
    """One of so many outcomes 0, 1, …: log-odds against outcome 0 are b0 + b1 x1 + …, c0 + c1 x1 + …, and so on.

    The metric is the mean over the rows of Cov(e_k, e_l) (1, x) (1, x)ᵀ, with p_k Σ_{j≠k} p_j for the variances, so
    that no digit is lost where an outcome is all but certain.

    Parameters
    ----------
    X : array_like, shape (N,) or (N, k)
        Finite inputs, without a column for the constant.
    outcomes : int
        From 2 to 26.
    y : array_like, shape (N,), optional
        Observations, numbers of outcomes, which the model holds, see `observe`.
    weights, fisher
        As for `logistic_regression`.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, the rule and the value.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.multinomial_logit([0, 1, 2], 3)
    <Model multinomial logit, 3 outcomes: b0, b1, c0, c1, 3 samples>
    """
    check_count("outcomes", outcomes, 2)
    if outcomes > len(PREDICTORS) + 1:
        raise ValueError(f"outcomes must be at most {len(PREDICTORS) + 1}, for which there are letters, got {outcomes}")
    design, noise = Design(X), _by_log_odds(outcomes)
    letters = PREDICTORS[: outcomes - 1]
    predictors = {p.name: design.predictor(letter) for p, letter in zip(noise.parameters, letters, strict=True)}
    name = f"multinomial logit, {outcomes} outcomes"
    return design.model(name, predictors, noise, y, weights, fisher, letters)


def _by_log_odds(outcomes: int) -> Model:
    """One of so many outcomes 0, 1, … by the log-odds of each of the others against outcome 0: natural parameters."""
    y, odds = Symbol("y", nonnegative=True), [real(f"eta{k}", (-1, 1)) for k in range(1, outcomes)]
    eta = [sympy.S.Zero] + [p.symbol for p in odds]
    psi = log_sum_exp(*eta)
    shares = [softmax(k, *eta) for k in range(outcomes)]

    def covariance(i: int, j: int) -> Expr:
        if i != j:
            return -shares[i + 1] * shares[j + 1]
        others = [share for k, share in enumerate(shares) if k != i + 1]
        return shares[i + 1] * sympy.Add(*others)

    hessian = ImmutableMatrix(outcomes - 1, outcomes - 1, covariance)
    cases = [(e, sympy.Eq(y, k)) for k, e in enumerate(eta) if k]
    log_p = Piecewise(*cases, (0, True)) - psi
    return Model("categorical", odds, log_p, y, FiniteSet(*range(outcomes)), structure=KnownHessian(psi, hessian))


def item_response(
    abilities: ArrayLike,
    kind: int,
    y: ArrayLike | None = None,
    *,
    weights: ArrayLike | None = None,
    fisher: str | None = None,
) -> Model:
    """Right answers to one item by persons of known abilities θ: the Rasch model, or one of two or three parameters.

    The probability is c + (1 − c) σ(a (θ − b)) of ``discrimination`` a, ``difficulty`` b and ``guessing`` c; with one
    parameter a = 1 and c = 0, with two c = 0. The metric is a mean over the persons.

    Parameters
    ----------
    abilities : array_like, shape (N,)
        Finite.
    kind : {1, 2, 3}
        Number of parameters: [difficulty], [discrimination, difficulty], [discrimination, difficulty, guessing].
    y : array_like, shape (N,), optional
        Answers, 0 or 1, which the model holds, see `observe`.
    weights, fisher
        As for `logistic_regression`.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, the rule and the value.

    Examples
    --------
    >>> import infogeom as ig
    >>> item = ig.models.item_response([-1, 0, 1], 2)
    >>> ig.evaluate_points(item, [[1, 0]], ["metric"]).metric.values[0].round(4).tolist()
    [[0.1311, 0.0], [0.0, 0.2144]]
    """
    if not isinstance(kind, Integral) or isinstance(kind, bool) or kind not in (1, 2, 3):
        raise ValueError(f"kind must be the number of parameters, 1, 2 or 3, got {kind!r}")
    given, ability = finite_array("abilities", abilities, ndim=1), Symbol("ability", real=True)
    if not given.size:
        raise ValueError("abilities must hold at least one, got none")
    a, b, c = positive("discrimination", (0.5, 2)), real("difficulty", (-2, 2)), probability("guessing", (0.05, 0.35))
    free: list[Parameter] = [[b], [a, b], [a, b, c]][kind - 1]
    slope = a.symbol if kind > 1 else sympy.S.One
    u = slope * (ability - b.symbol)

    # By its odds neither the probability of an answer nor that of none loses digits where it is small.
    guessed = {"odds": (c.symbol + sympy.exp(u)) / (1 - c.symbol)}
    return regression(
        guessed if kind == 3 else {"p": expit(u)},
        _by_odds() if kind == 3 else bernoulli(),
        given,
        variables=ability,
        parameters=free,
        weights=weights,
        observations=y,
        fisher=fisher,
        name=f"item response, {kind} parameter{'s' * (kind > 1)}",
    )


def _by_odds() -> Model:
    """One trial by the odds p / (1 − p) of success."""
    y, odds = Symbol("y", nonnegative=True), positive("odds")
    return Model("Bernoulli", [odds], y * log(odds.symbol) - log(1 + odds.symbol), y, FiniteSet(0, 1))
