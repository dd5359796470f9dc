"""Gibbs models over tables: what they are, what is known of them, and what they refuse."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product
from typing import Any

import hypothesis
import numpy as np
import pandas as pd
import pytest
import sympy
from hypothesis import strategies as st

import infogeom as ig
from infogeom.models import Model

fields = st.floats(0.01, 0.6)


def curvature(model: Model, *point: float) -> float:
    return ig.evaluate_points(model, [point], ["ricci_scalar"]).ricci_scalar.item()


def test_a_table_of_two_levels_has_the_fisher_information_of_a_coin() -> None:
    p = 3 / (3 + math.e**2)
    g = ig.models.from_energies([0, 2], [3, math.e**0]).at(beta=-1).metric
    assert g.item() == pytest.approx(4 * p * (1 - p), rel=1e-15)


@hypothesis.given(fields, fields)
def test_potts_of_two_states_is_curie_weiss(beta: float, h: float) -> None:
    """Σ n_a² = (n² + M²)/2 and n_0 = (n + M)/2: half of the parameters, and the same R."""
    potts, ising = ig.models.mean_field_potts(2, 40), ig.models.curie_weiss(40)
    R = ig.evaluate_points(ising, [[beta, h]], ["ricci_scalar"])
    assert curvature(potts, 2 * beta, 2 * h) == pytest.approx(R.ricci_scalar.item(), rel=1e-9)


def test_occupations_are_all_states() -> None:
    for q, n in [(3, 7), (4, 5), (5, 4)]:
        table = ig.models.mean_field_potts(q, n).structure
        assert sum(table.multiplicity) == q**n
        assert len({tuple(row) for row in table.statistics.tolist()}) == len(table.statistics)


def test_curie_weiss_is_flat_in_no_limit_it_should_not_be() -> None:
    """N R of the whole system: −1 above the transition and in a field, 0 below it (SCIENCE 6)."""
    law = ig.models.curie_weiss(4000)
    assert curvature(law, 0.5, 0.0) == pytest.approx(-1, abs=0.01)
    assert curvature(law, 1.5, 0.3) == pytest.approx(-1, abs=0.01)
    assert 0 < curvature(law, 1.5, 0.0) < 0.01


def test_curvature_of_curie_weiss_at_the_transition_is_universal() -> None:
    """The corrections are of N^(−½): two sizes with four times as many spins cancel them."""
    small, large = (curvature(ig.models.curie_weiss(n), 1.0, 0.0) for n in (10**4, 4 * 10**4))
    assert 2 * large - small == pytest.approx(-0.2472197, abs=2e-5)


def test_the_metric_of_curie_weiss_degenerates() -> None:
    """Relative to its diagonal, det g → 0 below the transition, where M² is a number and E is M²."""
    determinants = []
    for n in (50, 200, 800):
        g = ig.models.curie_weiss(n).at(beta=1.5, h=0.2).metric
        determinants.append(np.linalg.det(g) / g[0, 0] / g[1, 1])
    assert determinants[0] > 3 * determinants[1] > 9 * determinants[2]


@pytest.mark.parametrize("n", [4001, 10**5])
def test_logarithms_of_many_spins_are_those_of_the_binomials(n: int) -> None:
    table = ig.models.curie_weiss(n).structure
    middle = table.statistics[:, 1].tolist().index(n % 2)
    for k in (0, 1, n // 3, middle + 17):
        exact = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
        exact -= math.lgamma(n + 1) - math.lgamma(middle + 1) - math.lgamma(n - middle + 1)
        assert table.logarithms[:, k].sum() == pytest.approx(exact, rel=1e-9, abs=1e-9)


@pytest.mark.slow
@hypothesis.given(fields, fields)
def test_curvature_is_the_same_with_the_field_itself(beta: float, field: float) -> None:
    law = ig.models.curie_weiss(30)
    b, h = (p.symbol for p in law.parameters)
    H = sympy.Symbol("H", real=True)
    physical = ig.models.reparametrise(law, {b: b, h: b * H}, [b, H])
    assert curvature(physical, beta, field) == pytest.approx(curvature(law, beta, beta * field), rel=1e-8)


def test_the_least_integer_has_a_negative_energy() -> None:
    levels = ig.models.from_energies(np.array([-(2**63), 0])).structure
    assert levels.statistics.ravel().tolist() == [0, 2**63]


@pytest.mark.parametrize(
    "named",
    [
        {"h": [1, -1, 2], "beta": [5, 6, 8], "other": [0, 0, 0]},
        [{"h": 1, "beta": 5}, {"h": -1, "beta": 6}, {"h": 2, "beta": 8}],
        pd.DataFrame({"h": [1, -1, 2], "beta": [5, 6, 8]}),
    ],
    ids=["mapping", "rows", "DataFrame"],
)
def test_columns_that_have_names_are_read_by_them(named: Any) -> None:
    found, plain = (ig.models.from_states(table, ["beta", "h"]) for table in (named, [[5, 1], [6, -1], [8, 2]]))
    assert repr(found.structure) == repr(plain.structure)


def test_copies_and_products_of_tables_add() -> None:
    law = ig.models.curie_weiss(12)
    levels = ig.models.from_energies([0, 1, 5])
    both = ig.models.product(law, ig.models.reparametrise(levels, {"beta": sympy.Symbol("gamma", real=True)}))
    one, many = curvature(law, 0.4, 0.2), curvature(ig.models.replicate(law, 5), 0.4, 0.2)
    assert 5 * many == pytest.approx(one, rel=1e-9)
    assert curvature(both, 0.4, 0.2, 0.7) == pytest.approx(one, rel=1e-9)


def test_a_grid_says_by_what_and_of_what() -> None:
    found = ig.models.curie_weiss(20).evaluate({"beta": [0.5], "h": 0.1}, ["metric"])
    assert found.attrs["expectation"] == "sum"
    assert found.attrs["model"] == "Curie–Weiss, 20 spins"
    assert "per" not in found.attrs
    assert ig.symbolic.numeric_metric(ig.models.ising_cylinder(4)).attributes["per"] == "site"


def test_a_table_has_no_closed_form_and_says_where_numbers_are() -> None:
    with pytest.raises(
        ig.symbolic.ExpectationError, match=r"21 values of the statistics has no closed form; infogeom\.grid"
    ):
        ig.metric(ig.models.curie_weiss(20))


def test_natural_parameters_stay_so_in_copies_and_products_and_not_in_other_coordinates() -> None:
    law, b = ig.models.curie_weiss(12), sympy.Symbol("b", positive=True)
    levels = ig.models.from_energies([0, 1, 5])
    moved = ig.models.reparametrise(levels, {"beta": sympy.log(b)})
    models = [ig.models.replicate(law, 5), ig.models.product(law, moved), moved]
    told = [ig.symbolic.numeric_metric(model).form.natural for model in models]
    assert told == [True, False, False]


@pytest.mark.parametrize("name", ["ising_torus:3", "potts_torus:3,3", "ising_cylinder:3", "spherical_model:2"])
def test_a_lattice_by_name_has_a_metric_all_over_its_typical_range(name: str) -> None:
    model = ig.models.family(name)
    corners = np.array(list(product(*(p.typical for p in model.parameters))))
    ds = ig.evaluate_points(model, corners, ["metric"])
    assert (ds.status <= 1).all()
    assert (np.linalg.eigvalsh(ds.metric.values) > 0).all()


def test_models_of_other_tables_have_other_digests() -> None:
    one, same, other = (ig.models.from_states([[0], [1]], ["x"], m) for m in ([1, 2], [1, 2], [1, 3]))
    assert one.digest == same.digest != other.digest


# --- Samples ----------------------------------------------------------------------------------------------------------


def test_samples_of_a_table_come_with_the_probabilities_of_its_rows() -> None:
    law, N = ig.models.curie_weiss(6), 20_000
    found = law.at(beta=0.5, h=0.2).sample(N, seed=3)
    assert found.shape == (N, 2)
    M = np.arange(-6, 7, 2)
    weights = np.array([math.comb(6, k) for k in range(7)]) * np.exp(0.5 * M**2 / 12 + 0.2 * M)
    expected = N * weights / weights.sum()
    drawn = (found[:, 1, None] == M).sum(axis=0)
    assert drawn.sum() == N
    assert (found[:, 0] == found[:, 1] ** 2 / 12).all()
    assert ((drawn - expected) ** 2 / expected).sum() < 22.5  # one time in a thousand more, with 6 degrees of freedom


def test_samples_are_those_of_the_same_point_in_other_coordinates() -> None:
    law = ig.models.curie_weiss(30)
    b, h = (p.symbol for p in law.parameters)
    H = sympy.Symbol("H", real=True)
    physical = ig.models.reparametrise(law, {b: b, h: b * H}, [b, H])
    assert (physical.at(beta=0.5, H=0.4).sample(9, seed=1) == law.at(beta=0.5, h=0.2).sample(9, seed=1)).all()


def test_a_frozen_system_is_in_its_ground_state() -> None:
    levels = ig.models.from_energies([-2.5, 0, 1], [1, 0, 10**400])
    assert (levels.at(beta=1e4).sample(50) == 2.5).all()
    assert (levels.at(beta=-1e4).sample(50) == -1).all()


def test_lattices_have_no_sampler_and_say_so() -> None:
    with pytest.raises(TypeError, match=r"4 × 4' has no sampler: of the Ising model .* no table of states is kept"):
        ig.models.ising_torus(4).at(beta=0.3, h=0.1).sample(3)


BAD: list[tuple[Callable[[], Model], type[Exception], str]] = [
    (lambda: ig.models.from_states([[1, 2]], ["a"]), ValueError, r"statistics must have shape \(S, 1\).*got \(1, 2\)"),
    (lambda: ig.models.from_states([[1, 2], [1]], ["a", "b"]), ValueError, "statistics must have rows of one length"),
    (lambda: ig.models.from_states([], ["a"]), ValueError, "statistics must have shape"),
    (lambda: ig.models.from_states({"b": [1, 2]}, ["a"]), ValueError, r"statistics must hold \['a'\] by name, got"),
    (lambda: ig.models.from_states([[1], [np.nan]], ["a"]), ValueError, r"statistics must be finite, got nan at index"),
    (lambda: ig.models.from_states([["x"]], ["a"]), TypeError, "statistics must hold real numbers"),
    (
        lambda: ig.models.from_states([[1], [2]], ["a"], [1, -1]),
        ValueError,
        "multiplicity must not be negative, got -1",
    ),
    (lambda: ig.models.from_states([[1], [2]], ["a"], [1, np.inf]), ValueError, "multiplicity must be finite, got inf"),
    (lambda: ig.models.from_states([[1], [2]], ["a"], [0, 0]), ValueError, "multiplicity must not be 0 in every row"),
    (lambda: ig.models.from_states([[1], [2]], ["a"], [1]), ValueError, r"multiplicity must have shape \(2,\)"),
    (lambda: ig.models.from_states([[1], [2]], [3]), TypeError, "parameters"),
    (
        lambda: ig.models.from_states(np.zeros((10**7 + 1, 1), np.int8), ["a"]),
        ValueError,
        r"at most 10000000 rows.*10 MB",
    ),
    (
        lambda: ig.models.from_energies([[1, 2]]),
        ValueError,
        r"energies must have shape \(S,\) and not be empty, got \(1, 2\)",
    ),
    (lambda: ig.models.curie_weiss(2), ValueError, "n must be at least 3, got 2"),
    (lambda: ig.models.curie_weiss(10**6 + 1), ValueError, "n must be at most 1000000"),
    (lambda: ig.models.curie_weiss(4.0), TypeError, "n must be an int, got 4.0"),  # type: ignore[arg-type]
    (lambda: ig.models.mean_field_potts(1, 5), ValueError, "q must be at least 2"),
    (lambda: ig.models.mean_field_potts(9, 100), ValueError, r"at most 1000000 occupations, got q = 9, n = 100"),
    (lambda: ig.models.ising_torus(2), ValueError, "length must be at least 3, got 2"),
    (lambda: ig.models.ising_torus(4, 2), ValueError, "width must be at least 3, got 2"),
    (lambda: ig.models.ising_torus(257, 3), ValueError, "length must be at most 256, got 257"),
    (lambda: ig.models.potts_torus(2, 3, 10**9), ValueError, "width must be at most 256, got 1000000000"),
    (lambda: ig.models.from_energies([]), ValueError, r"energies must have shape \(S,\) and not be empty, got \(0,\)"),
    (lambda: ig.models.ising_cylinder(19), ValueError, "width must be at most 18, got 19"),
    (lambda: ig.models.potts_torus(1, 4), ValueError, "q must be at least 2, got 1"),
]


@pytest.mark.parametrize(("make", "error", "told"), BAD)
def test_bad_input_is_named(make: Callable[[], Model], error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        make()
