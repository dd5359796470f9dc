"""Moments of the Fisher metric of one law of several variables, at many points at once, and bounds on their errors.

Continuous variables are integrated over by rules of more and more nodes, each variable's inside that of the one before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sympy import Symbol

from infogeom.kernels.curvature.loops import TINY
from infogeom.kernels.expectations.joint_rule import JointRule, Places
from infogeom.kernels.expectations.law_moments import (
    AT_ONCE,
    Expectation,
    Found,
    special_functions,
)
from infogeom.kernels.expectations.nodes import Batch, Sample
from infogeom.models.law import Law

__all__ = ["JointExpectation", "expectation_of"]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
#: Intervals of the last rule, for each variable, by how many of them are continuous.
MOST_INTERVALS_EACH: dict[int, int] = {1: 2**13, 2: 512, 3: 128}
#: Change of moments, relative to their own size, at which a rule has settled.
CHANGE_SETTLED = 1e-13
#: How much more may be left to change than there seems to be.
CONVERGENCE_MARGIN = 16
#: Nodes of a product of rules, of all joint outcomes together, at most.
MOST_NODES_OF_RULES = 2**22
#: Nodes at which the errors of a point's derivatives are looked at.
LOOKED_AT_JOINTLY = 256
#: Points whose places are looked for together.
POINTS_TOGETHER = 16


class JointExpectation(Expectation):
    """Moments of the Fisher metric of one law of several variables.

    Nodes have a further axis, last, of the variables. The others are as of one variable.
    """

    rule: JointRule

    def _rule_of(self, law: Law, arguments: Sequence[Symbol]) -> JointRule:
        return JointRule(law, arguments, special_functions())

    def _rounded(self, law: Law) -> Sequence[Symbol]:
        return law.variables if self.rule.continuous else ()

    def _at_nodes(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Of columns as one of nodes, whose last axis these are."""

        def at(x: Array, *arguments: Array) -> Any:
            columns = np.ascontiguousarray(np.moveaxis(x, -1, 0))
            return function(*columns, *arguments)

        return at

    def __call__(self, theta: Array) -> Found:
        """Moments at points, given with the data of a sample behind them."""
        found = self._nothing(theta)
        together = POINTS_TOGETHER if self.rule.continuous else max(1, AT_ONCE // self.rule.outcomes)
        for rows in np.split(np.arange(len(theta)), range(together, len(theta), together)):
            if self.rule.continuous:
                self._integrate_jointly(rows, found)
            else:
                nodes = self.rule.counted(theta[rows])
                now = self._moments(self._sums(theta[rows], nodes))
                found.known[rows], found.deficit[rows] = now.whole, now.deficit
                for whole, value in zip(found.moments, now.values, strict=True):
                    whole[rows] = value
                found.samples.append((rows[now.whole], sample_of_nodes(nodes, lost=True).of(now.whole)))
        return found

    def _integrate_jointly(self, rows: Integers, found: Found) -> None:
        """Moments at some points by rules of more and more nodes, each point its own."""
        places, each = self.rule.places(found.theta[rows]), self.rule.outcomes
        for k, row in enumerate(rows):
            self._settle(int(row), places.of(slice(k * each, (k + 1) * each)), found)

    def _settle(self, row: int, places: Places, found: Found) -> None:
        """Moments at one point: what the last step changed, and how much less than the step before, bounds the rest."""
        theta, c = found.theta[row : row + 1], self.rule.continuous
        intervals, most = self.rule.coarse, MOST_INTERVALS_EACH[c]
        before, changes, settled = None, None, False
        while intervals <= most and self.rule.outcomes * intervals**c <= MOST_NODES_OF_RULES and not settled:
            nodes = self.rule.at(theta, places, intervals)
            now = self._moments(self._sums(theta, nodes))
            if before is not None:
                change = [np.abs(a - b) for a, b in zip(now.values, before.values, strict=True)]
                left, changes = _left(change, changes), change
            if before is not None and now.whole[0]:
                settled = _relative(left, now.values[0][0]) <= CHANGE_SETTLED
                found.known[row], found.deficit[row] = True, now.deficit[0]
                for whole, off, value, bound in zip(found.moments, found.change, now.values, left, strict=True):
                    whole[row], off[row] = value[0], bound[0]
                last = nodes
            before, intervals = now, 2 * intervals
        if found.known[row]:
            found.samples.append((np.array([row]), sample_of_nodes(last, lost=False)))


def _left(change: Sequence[Array], changes: Sequence[Array] | None) -> list[Array]:
    """What is left to change, if moments go on to converge exponentially, at the rate of the last two steps.

    Each step adds twice as many nodes as the one before, so that it changes moments by the square of the share.
    """
    if changes is None:
        return list(change)
    left = []
    for now, before in zip(change, changes, strict=True):
        share = CONVERGENCE_MARGIN * (float(now.max()) / max(float(before.max()), TINY)) ** 2
        left.append(np.full_like(now, now.max() * share) if share < 1 else now)
    return left


def _relative(change: Sequence[Array], g: Array) -> float:
    """Largest change of moments in units of the coordinates, in which g has a unit diagonal."""
    root = np.sqrt(np.maximum(np.diag(g), TINY))
    largest = 0.0
    for tensor in change:
        scaled = tensor[0]
        for axis in range(scaled.ndim):
            scaled = scaled / root.reshape((-1,) + (1,) * (scaled.ndim - 1 - axis))
        largest = max(largest, float(scaled.max()))
    return largest


def sample_of_nodes(nodes: Batch, *, lost: bool) -> Sample:
    """Some of the nodes, evenly in the order of their weights, each with the weight of those that it stands for.

    ``lost`` says that nodes without weight are outcomes whose probability is below float64.
    """
    m, number = nodes.w.shape
    order = np.argsort(-nodes.w, axis=1)
    w = np.take_along_axis(nodes.w, order, axis=1)
    stride = -(-number // LOOKED_AT_JOINTLY)
    starts = np.arange(0, number, stride)
    chosen = order[:, np.minimum(starts + stride // 2, number - 1)]
    x, weight = np.take_along_axis(nodes.x, chosen[..., None], axis=1), np.add.reduceat(w, starts, axis=1)
    beyond = np.zeros(weight.shape, dtype=bool)
    if lost:
        beyond = weight == 0
        weight = np.where(beyond, stride * TINY, weight)
    return Sample(x, weight, beyond, weight > 0, np.zeros((m, len(starts))))


def expectation_of(law: Law, coordinates: Sequence[Symbol], samples: Sequence[Symbol]) -> Expectation:
    """Moments of a law, of one variable or of several."""
    kind = Expectation if len(law.variables) == 1 else JointExpectation
    return kind(law, coordinates, samples)
