"""Exponential families over finitely many states, in natural parameters: everything is a sum over the states."""

from __future__ import annotations

from itertools import combinations, combinations_with_replacement

import numpy as np
import sympy
from sympy import Expr

from infogeom.models.structures import STATES_WRITTEN_OUT, States
from infogeom.symbolic.cumulants import Cumulants
from infogeom.symbolic.expectation import OpenExpectationError
from infogeom.symbolic.forms import Form, WeightedStates
from infogeom.symbolic.matrix_entries import symmetric_of
from infogeom.symbolic.structures.rules import Derived, Rules, rules_for

__all__ = ["StateRules"]


@rules_for(States)
class StateRules(Rules[States]):
    """Sums over few states written out, over many taken by numbers."""

    def matrix(self) -> Derived:
        """Σ_s<s' w_s w_s' (t_s − t_s')(t_s − t_s')ᵀ / Z² with p_s = w_s/Z: nothing cancels on the diagonal."""
        states = self.structure.statistics
        if len(states) > STATES_WRITTEN_OUT:
            raise OpenExpectationError(
                f"model {self.model.name!r}: a sum over {len(states)} states is written out up to "
                f"{STATES_WRITTEN_OUT} of them; infogeom.grid.evaluate takes it by numbers"
            )
        w = self._weights()
        Z = sympy.Add(*w)

        def entry(i: int, j: int) -> Expr:
            terms = []
            for a, b in combinations(range(len(states)), 2):
                step = (states[a][i] - states[b][i]) * (states[a][j] - states[b][j])
                terms.append(step * w[a] * w[b])
            return sympy.Add(*terms) / Z**2

        return Derived(self._checked(symmetric_of(len(self.coordinates), entry)))

    def cumulants(self) -> Cumulants:
        """Σ_s p_s c_s c_s c_s for statistics t_s of 0 and 1 in the states s, centred: c is p(t = 0) or −p(t = 1)."""
        states, w, n = self.structure.statistics, self._weights(), len(self.coordinates)
        Z = sympy.Add(*w)
        with_t, without = [], []
        for i in range(n):
            held = [v for v, t in zip(w, states, strict=True) if t[i]]
            rest = [v for v, t in zip(w, states, strict=True) if not t[i]]
            with_t.append(sympy.Add(*held))
            without.append(sympy.Add(*rest))

        def mean(*at: int) -> Expr:
            terms = []
            for v, t in zip(w, states, strict=True):
                centred = [without[i] if t[i] else -with_t[i] for i in at]
                terms.append(v * sympy.Mul(*centred))
            return sympy.Add(*terms) / Z ** (len(at) + 1)

        triples = {at: mean(*at) for at in combinations_with_replacement(range(n), 3)}
        return Cumulants(symmetric_of(n, mean), triples)

    def open_form(self, reason: OpenExpectationError) -> tuple[Form, str]:
        """The states themselves."""
        return WeightedStates(np.array(self.structure.statistics, dtype=float)), "sum"

    def _weights(self) -> list[Expr]:
        """exp(θ·t_s) for every state."""
        weights = []
        for state in self.structure.statistics:
            terms = [c * t for c, t in zip(self.coordinates, state, strict=True)]
            weights.append(sympy.exp(sympy.Add(*terms)))
        return weights
