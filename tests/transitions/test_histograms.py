"""The order of transitions whose order is known, and what a histogram is."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest

import infogeom as ig
from infogeom.transitions import order
from infogeom.transitions.histograms import states_of

CRITICAL = float(np.log1p(np.sqrt(2)) / 2)


def potts(q: int, *sizes: int) -> list[ig.models.Model]:
    return [ig.models.mean_field_potts(q, n) for n in sizes]


def curie_weiss(*sizes: int) -> list[ig.models.Model]:
    return [ig.models.curie_weiss(n) for n in sizes]


def tori(*sizes: int) -> list[ig.models.Model]:
    return [ig.models.ising_torus(L) for L in sizes]


@pytest.mark.parametrize(
    ("models", "at"),
    [
        (potts(3, 120, 240), {"beta": (2, 3.5), "h": 0}),
        (potts(4, 60, 120), {"beta": (2, 5), "h": 0}),
        (curie_weiss(50, 100, 300), {"beta": 1.3, "h": (-0.5, 0.5)}),
        (tori(3, 4, 5, 6), {"beta": 0.6, "h": (-0.5, 0.5)}),
    ],
    ids=["Potts, 3 states", "Potts, 4 states", "Curie–Weiss below its transition", "Ising below its transition"],
)
def test_transitions_of_first_order_are_told(models: list[ig.models.Model], at: dict[str, Any]) -> None:
    found = order(models, at)
    assert found.order == "first"
    assert found.narrowing < -0.78  # on the way to −1; in β critical points go as N^−½, in h Curie–Weiss as N^−¾


@pytest.mark.parametrize(
    ("models", "at"),
    [
        (potts(2, 60, 120, 240), {"beta": (1, 4), "h": 0}),
        (curie_weiss(30, 100, 300), {"beta": (0.8, 2), "h": 0}),
        (curie_weiss(30, 100, 300), {"beta": 1, "h": (-0.5, 0.5)}),
        (tori(3, 4, 5, 6), {"beta": (0.1, 0.7), "h": 0}),
        (tori(3, 4, 5, 6), {"beta": CRITICAL, "h": (-0.5, 0.5)}),
    ],
    ids=["Potts, 2 states", "Curie–Weiss", "Curie–Weiss in h", "Ising", "Ising in h: two peaks all the same"],
)
def test_transitions_of_second_order_are_told(models: list[ig.models.Model], at: dict[str, Any]) -> None:
    assert order(models, at).order == "second"


def test_the_critical_magnetisation_of_the_ising_model_has_two_peaks_whose_barrier_stays() -> None:
    found = order(tori(5, 6), {"beta": CRITICAL, "h": (-0.5, 0.5)})
    assert found.sizes[-1].barrier > 2
    assert found.order == "second"


def test_cumulants_are_those_of_the_metric() -> None:
    model = ig.models.mean_field_potts(3, 30)
    (size,) = order(model, {"beta": (2, 4), "h": 0.01}).sizes
    step = 1e-3
    points = [[size.location + d, 0.01] for d in (-step, 0.0, step)]
    g = ig.evaluate_points(model, points, ["metric"]).metric.sel(i="beta", j="beta").values
    fourth = (g[0] - 2 * g[1] + g[2]) / step**2
    assert g[0] < g[1] > g[2]
    assert size.kurtosis == pytest.approx(fourth / g[1] ** 2, rel=1e-4)
    assert size.width == pytest.approx(math.sqrt(-g[1] / fourth), rel=1e-4)


def test_two_levels_have_the_barrier_of_their_smoothed_histogram() -> None:
    # Two values 200 apart and a floor between: ln of what is smoothed off the ends over the floor.
    values = np.arange(-100, 101)
    weights = np.where(abs(values) == 100, 1e9, 1.0)
    (size,) = order(ig.models.from_states(values[:, None], ["h"], weights), {"h": (-0.1, 0.1)}).sizes
    deviation = math.sqrt((2e9 * 100**2 + (values[1:-1] ** 2).sum()) / (2e9 + 199))
    floor = deviation / 10 * math.sqrt(2 * math.pi)
    assert size.barrier == pytest.approx(math.log(1e9 / floor), rel=1e-3)
    assert size.gap == pytest.approx(1, abs=0.01)
    assert size.kurtosis == pytest.approx(-2, abs=1e-4)
    assert size.location == pytest.approx(0, abs=1e-9)


def test_states_of_tables_and_tori_agree() -> None:
    statistics, logarithms = states_of(ig.models.ising_torus(3).structure)
    counts = np.exp(logarithms)
    table = ig.models.from_states(statistics, ["beta", "h"], np.rint(counts).astype(int))
    again, others = states_of(table.structure)
    ranked = np.lexsort(statistics.T[::-1])
    np.testing.assert_array_equal(statistics[ranked], again)
    np.testing.assert_allclose(logarithms[ranked], others, atol=1e-12)
    assert counts.sum() == pytest.approx(2**9)


def test_one_size_says_that_it_suggests_no_more() -> None:
    found = order(curie_weiss(100), {"beta": 1.5, "h": (-0.5, 0.5)})
    assert "one size alone suggests it and no more" in str(found)
    assert "statistic of h" in str(found)


@pytest.mark.parametrize(
    ("models", "at", "message"),
    [
        ([], {"beta": 1, "h": (-1, 1)}, "models must hold at least one, got none"),
        (curie_weiss(30), {"beta": 1, "h": 0}, r"at must give one parameter as \(low, high\)"),
        (curie_weiss(30), {"beta": (0, 1), "h": (0, 1)}, r"at must give one parameter as \(low, high\)"),
        (curie_weiss(30), {"beta": (1, 0), "h": 0}, r"at must give one parameter as \(low, high\)"),
        (curie_weiss(30), {"beta": (0, 1)}, r"at must name \['beta', 'h'\]; missing \['h'\]"),
        (curie_weiss(30), {"beta": (0, 0.2), "h": 0}, r"at\['beta'\] must hold the transition"),
        (curie_weiss(30, 20), {"beta": 1, "h": (-1, 1)}, "models must be of increasing size"),
        (
            [*curie_weiss(30), ig.models.from_states(np.eye(3), ["beta", "h", "k"])],
            {"beta": 1, "h": (-1, 1)},
            r"models must have the same parameters, got \['beta', 'h'\] and \['beta', 'h', 'k'\]",
        ),
    ],
)
def test_what_is_no_transition_is_refused(models: Any, at: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        order(models, at)


def test_models_without_states_are_refused() -> None:
    with pytest.raises(TypeError, match="models must have a table of states"):
        order(ig.models.normal(), {"mu": (-1, 1), "sigma": 1})


@pytest.mark.parametrize("model", [ig.models.ising_cylinder(4), ig.models.ising_chain()])
def test_an_infinite_lattice_has_no_table_of_states(model: ig.models.Model) -> None:
    with pytest.raises(TypeError, match=f"models must have a table of states, got {re.escape(str(model))}; "):
        order(model, {"beta": (0.1, 1), "h": 0})
