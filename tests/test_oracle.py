"""Every quantity of everything is right to what it says, by an oracle; and has the same bits however asked for."""

from __future__ import annotations

from functools import cache
from typing import Any

import numba
import numpy as np
import pytest
import sympy
import xarray as xr

import infogeom as ig
from infogeom.quantities import QUANTITIES
from tests import reference
from tests.law_reference import Definition
from tests.oracle import Field, truth
from tests.oracle_balls import Program, exact
from tests.oracle_cases import Case, roll_call
from tests.oracle_report import CURVED, LEFT, NAN_LEFT, OBSERVED, PLAIN, READ_OFF, Truths, faults, quantities_of, table

pytestmark = pytest.mark.filterwarnings("ignore::infogeom.StatusWarning")
CASES = {case.name: case for case in roll_call()}
EXPECTED = [name for name, case in CASES.items() if case.kind != "closed"]
CLOSED = [name for name, case in CASES.items() if case.kind == "closed"]
#: Points of the slow run: of closed forms, of what needs their derivatives, of sums and quadratures.
MANY, SOME, FEW = 5000, 300, 30
#: Closed forms of each kind for the quick run: laws that cancel, joint conditions, coordinates, networks, others.
SAMPLE = ("beta", "exponential on (0, 1)", "multivariate_normal_known_mean:2", "beta by mean and precision",
          "network cross-entropy expected 3", "log-linear Poisson", "Schwarzschild", "decimals in sinh",
          "null coordinates")  # fmt: skip
f = np.vectorize(float, otypes=[float])
Array = np.ndarray[Any, np.dtype[np.float64]]


def found(case: Case, count: int, quantities: tuple[str, ...], *, together: bool = False, seed: int = 0) -> str:
    """Table of what is wrong."""
    points = case.points(count, seed)
    names = quantities_of(case, quantities)
    wrong = faults(case, points, names, Truths(case, points), together=together) if names else []
    return table([fault for fault in wrong if fault.kind not in (NAN_LEFT, LEFT)])


# --- The oracle itself ------------------------------------------------------------------------------------------------


def test_the_oracle_agrees_with_the_reference_on_every_tensor() -> None:
    u, v = sympy.symbols("u v", positive=True)
    metric = ig.symbolic.Metric([u, v], [[1 + u * v**2, sympy.sin(u) / 5], [sympy.sin(u) / 5, 2 + sympy.exp(u - v)]])
    c = reference.context
    known = reference.curvature(
        reference.jet(lambda u, v: [[1 + u * v**2, c.sin(u) / 5], [c.sin(u) / 5, 2 + c.exp(u - v)]], (0.75, 0.25))
    )
    mine = truth(Field(metric), [0.75, 0.25], ("inverse_metric", *CURVED))
    for name in ("inverse_metric", *CURVED):
        theirs = getattr(known, {"inverse_metric": "inverse", "ricci_scalar": "scalar"}.get(name, name))
        np.testing.assert_allclose(f(mine[name].values), f(np.array(theirs, object)), rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("name", ["gumbel", "student_t(5)", "negative_binomial"])
def test_the_oracle_agrees_with_the_definition_of_a_law(name: str) -> None:
    case = CASES[name]
    point = [sum(p.typical) / 2 for p in case.subject.parameters]
    score, _, _ = Definition(case.subject)(point)
    np.testing.assert_allclose(
        f(truth(case.field, point, ("metric",))["metric"].values), f(score), rtol=1e-12, atol=1e-20
    )


def test_what_vanishes_is_measured_against_what_cancels() -> None:
    R = truth(CASES["Schwarzschild"].field, [0.0, 3.0, 1.0, 0.5], ("ricci_scalar",))["ricci_scalar"]
    assert R.vanishes
    assert 1e-2 < float(R.size) < 1e2


def test_a_wrong_value_a_narrow_bound_and_a_false_status_are_told() -> None:
    case = CASES["normal"]
    points = np.array([[0.5, 2.0]])
    right = ig.grid.evaluate_points(case.subject, points, ("ricci_scalar",))

    def kinds(**changes: Any) -> set[str]:
        changed = right.assign({name: right[name] * 0 + value for name, value in changes.items()})
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("tests.oracle_report.evaluated", lambda *_: changed)
            return {x.kind for x in faults(case, points, ["ricci_scalar"], Truths(case, points), together=False)}

    assert kinds() == set()
    assert kinds(ricci_scalar=-1 + 1e-8) == {"beyond rtol", "bound too small"}
    assert kinds(ricci_scalar=-1 + 1e-8, ricci_scalar_error=1e-8, status=5) == {LEFT}
    assert kinds(ricci_scalar=np.nan) == {"nan or inf without status"}
    assert kinds(status=2) == {"status 2 at a regular point"}


def test_points_reach_the_ends_of_every_domain() -> None:
    for name in ("beta", "binomial:2", "multivariate_normal_known_mean:2", "Schwarzschild"):
        case = CASES[name]
        points, (_, domains, _, constraints) = case.points(200), case.declared
        for x, domain in zip(points.T, domains, strict=True):
            ends = [float(e) for e in (domain.start, domain.end) if e.is_finite]
            assert all(np.abs(x - e).min() < 1e-6 for e in ends)
            assert len(ends) == 2 or np.abs(x).max() > 1e4
        border = Program([p.symbol for p in getattr(case.subject, "parameters", ())], [*constraints])
        for condition in range(len(constraints)):
            a, b = points[:, 0] * points[:, 2], f([border(*map(exact, x))[condition] for x in points])
            assert (b > 0).all()
            assert (b / a).min() < 1e-10


# --- A sample ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SAMPLE)
def test_metric_inverse_and_determinant_are_right_at_points_anywhere(name: str) -> None:
    assert not found(CASES[name], 40, PLAIN, together=True)


@pytest.mark.parametrize("name", [name for name in SAMPLE if name != "beta by mean and precision"])
def test_tensors_are_right_at_points_anywhere(name: str) -> None:
    assert not found(CASES[name], 12, ("christoffel", "riemann", "ricci_scalar"), together=True)


@pytest.mark.parametrize("name", ["skellam", "beta_binomial(40)"])
def test_sums_are_right_to_their_bounds(name: str) -> None:
    assert not found(CASES[name], 2, ("metric", "ricci_scalar"), together=True)


@pytest.mark.parametrize("name", ["nothing in disguise", "Celsius beside Fahrenheit"])
def test_what_is_singular_everywhere_is_singular_at_every_point(name: str) -> None:
    assert not found(CASES[name], 5, ("inverse_metric", "ricci_scalar", "metric_rank", "null_directions"))


# --- All of it --------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", CLOSED)
def test_what_takes_no_derivative_is_right(name: str) -> None:
    assert not found(CASES[name], MANY, (*PLAIN, "fisher_trace", *OBSERVED), seed=1)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", CLOSED)
def test_what_takes_derivatives_is_right(name: str) -> None:
    assert not found(CASES[name], SOME, (*CURVED, *READ_OFF), seed=2)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", CLOSED)
def test_all_quantities_at_once_are_right(name: str) -> None:
    assert not found(CASES[name], SOME, (*PLAIN, "fisher_trace", *CURVED, *OBSERVED), together=True, seed=3)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", EXPECTED)
def test_sums_and_quadratures_are_right(name: str) -> None:
    assert not found(CASES[name], FEW, (*PLAIN, "fisher_trace", *CURVED, *READ_OFF), seed=4)


# --- The same bits ----------------------------------------------------------------------------------------------------


@cache
def axes_of(name: str, long: int, short: int) -> dict[str, Any]:
    """Increasing values of every parameter over all decades; of those after the second, numbers."""
    case = CASES[name]
    names, points = case.declared[0], case.points(3 * long, 5)
    lengths = [short, long] if len(names) > 1 else [long]
    axes = {p: np.unique(x)[: n * 2 : 2] for p, x, n in zip(names, points.T, lengths, strict=False)}
    return axes | {p: float(x[0]) for p, x in zip(names[2:], points.T[2:], strict=True)}


def same(one: xr.Dataset, other: xr.Dataset) -> bool:
    """Whether all variables have the same bits, nan's counted equal."""
    return all(np.array_equal(one[v].values, other[v].values, equal_nan=True) for v in one.data_vars)


def listed(whole: xr.Dataset, axes: dict[str, Any]) -> tuple[xr.Dataset, Array]:
    """The points of a grid one after the other, and their coordinates, a row each."""
    free = [p for p, v in axes.items() if np.ndim(v)]
    flat = whole.stack(point=free).transpose("point", ...)
    columns = [flat[p].values if p in free else np.full(flat.sizes["point"], v) for p, v in axes.items()]
    return flat, np.column_stack(columns)


def assert_within_bounds(name: str, quantity: str, long: int, short: int) -> None:
    """A grid, which shares work along its axes, and its points by themselves are no further apart than both may err."""
    axes, subject = axes_of(name, long, short), CASES[name].subject
    quantities = [q for q in (quantity, f"{quantity}_error") if q in QUANTITIES]
    flat, points = listed(ig.grid.evaluate(subject, axes, quantities), axes)
    many = ig.grid.evaluate_points(subject, points, quantities)
    known = (flat.status.values <= 1) & (many.status.values <= 1)
    one, other = flat[quantity].values[known], many[quantity].values[known]
    bound = sum(ds[q].values[known] for ds in (flat, many) for q in quantities[1:])
    assert (np.abs(one - other) <= bound).all()


def assert_same_bits(name: str, quantities: tuple[str, ...], long: int, short: int, patch: pytest.MonkeyPatch) -> None:
    axes, subject = axes_of(name, long, short), CASES[name].subject
    whole = ig.grid.evaluate(subject, axes, quantities)
    for chunks in (1, 7):
        assert same(whole, ig.grid.evaluate(subject, axes, quantities, chunks=chunks).compute(scheduler="sync")), chunks
    for threads in (1, 2):
        patch.setattr(numba.config, "NUMBA_NUM_THREADS", threads)
        assert same(whole, ig.grid.evaluate(subject, axes, quantities)), threads
    _, points = listed(whole, axes)
    many = ig.grid.evaluate_points(subject, points, quantities)
    for k in np.random.default_rng(0).choice(len(points), min(12, len(points)), replace=False):
        if many.status[k] != 3:  # one point outside is refused
            assert same(many.isel(point=[k]), ig.grid.evaluate_points(subject, points[[k]], quantities)), points[k]


@pytest.mark.parametrize(
    ("name", "quantities"),
    [("network cross-entropy expected 3", ("metric", "ricci_scalar")), ("gumbel", ("inverse_metric",)),
     ("frechet", ("christoffel",))],
)  # fmt: skip
def test_bits_do_not_depend_on_chunks_threads_or_company(
    name: str, quantities: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_same_bits(name, quantities, 33, 3, monkeypatch)
    assert_within_bounds(name, quantities[-1], 33, 3)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", CASES)
def test_bits_of_nothing_depend_on_chunks_threads_or_company(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    long, short = (33, 5) if CASES[name].kind == "closed" else (5, 2)
    for quantity in (*PLAIN, *CURVED, "metric_rank"):
        assert_same_bits(name, (quantity,), long, short, monkeypatch)
        assert_within_bounds(name, quantity, long, short)
