"""Moments of the Fisher metric of one law of several variables, at many points at once, and bounds on their errors.

Continuous variables are integrated over by rules of more and more nodes, each variable's inside that of the one before.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from sympy import Symbol

from infogeom.kernels.curvature.loops import TINY
from infogeom.kernels.expectations.at_nodes import special_functions
from infogeom.kernels.expectations.joint_rule import JointRule, Places
from infogeom.kernels.expectations.law_moments import AT_ONCE, Expectation, Found
from infogeom.kernels.expectations.moments import doubled
from infogeom.kernels.expectations.nodes import Batch, Sample
from infogeom.models.law import Law

__all__ = ["JointExpectation", "expectation_of"]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
#: Intervals of the last rule, for each variable, by how many of them are continuous.
MOST_INTERVALS_EACH: dict[int, int] = {1: 2**13, 2: 512, 3: 128}
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

    def _columns(self, x: Array) -> Array:
        return np.moveaxis(x, -1, 0)

    def __call__(self, theta: Array) -> Found:
        """Moments at points, given with the data of a sample behind them."""
        found = self._nothing(theta)
        together = POINTS_TOGETHER if self.rule.continuous else max(1, AT_ONCE // self.rule.outcomes)
        for rows in np.split(np.arange(len(theta)), range(together, len(theta), together)):
            if self.rule.continuous:
                self._integrate_jointly(rows, found)
            else:
                nodes = self.rule.counted(theta[rows])
                now = self._means(self._sums(theta[rows], nodes))
                some, sample = rows[now.whole], sample_of_nodes(nodes, lost=True).of(now.whole)
                found.take(some, now.of(now.whole), found.left[some], sample)
        return found

    def _integrate_jointly(self, rows: Integers, found: Found) -> None:
        """Moments at some points by rules of more and more nodes, each point its own."""
        places, each = self.rule.places(found.theta[rows]), self.rule.outcomes
        for k, row in enumerate(rows):
            self._settle(int(row), places.of(slice(k * each, (k + 1) * each)), found)

    def _settle(self, row: int, places: Places, found: Found) -> None:
        """Moments at one point."""
        theta, c = found.theta[row : row + 1], self.rule.continuous
        intervals, most = self.rule.coarse, MOST_INTERVALS_EACH[c]
        before, last, taken = None, None, None
        while intervals <= most and self.rule.outcomes * intervals**c <= MOST_NODES_OF_RULES:
            nodes = self.rule.at(theta, places, intervals)
            now = self._means(self._sums(theta, nodes))
            if before is not None:
                last = doubled(now.gram, before.gram, self.n, last)
            if last and now.whole[0]:
                taken = now, last.left, nodes
                if last.settled[0]:
                    break
            before, intervals = now, 2 * intervals
        if taken:
            means, left, nodes = taken
            found.take(np.array([row]), means, left, sample_of_nodes(nodes, lost=False))


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


@lru_cache(maxsize=64)
def expectation_of(law: Law, coordinates: tuple[Symbol, ...], samples: tuple[Symbol, ...]) -> Expectation:
    """Moments of a law, of one variable or of several, kept."""
    kind = Expectation if len(law.variables) == 1 else JointExpectation
    return kind(law, coordinates, samples)
