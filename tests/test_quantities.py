"""What every quantity meets on arrival, and one that arrives by the README's recipe."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import sympy
import xarray as xr

import infogeom as ig
from infogeom.kernels.status import Status
from infogeom.quantities import QUANTITIES, Quantity

u, v = sympy.symbols("u v", real=True)
#: Singular on the line u = 0, and everywhere; every entry is finite.
SINGULAR = {
    "at a point": ig.symbolic.Metric([u, v], [[u**2, 0], [0, 1 + v**2]]),
    "everywhere": ig.symbolic.Metric([u, v], [[1 + u**2, 0], [0, 0]]),
}
OF_METRICS = [q for q in QUANTITIES.values() if not q.observed]
where_singular = pytest.mark.parametrize("where", SINGULAR)


def network() -> ig.models.Model:
    x, y = ig.models.decision_boundary(5, seed=0)
    return ig.models.sigmoid_neuron(x, y, ig.losses.CrossEntropy())


def with_observations() -> ig.models.Model:
    names = dict(zip(("shape", "rate"), sympy.symbols("theta1 theta2", positive=True), strict=True))
    return ig.models.observe(ig.models.reparametrise(ig.models.gamma(), names), [0.5, 2.0])


def at_a_singular_point(q: Quantity, where: str) -> xr.Dataset:
    with pytest.warns(ig.StatusWarning, match="1 singular"):
        return ig.grid.evaluate_points(SINGULAR[where], [[0.0, 2.0]], (q.base, q.name))


@pytest.mark.parametrize("q", OF_METRICS, ids=lambda q: q.name)
def test_no_parameter_is_called_like_a_quantity(q: Quantity) -> None:
    with pytest.raises(ValueError, match=f"'{q.name}' is reserved"):
        ig.models.Parameter(sympy.Symbol(q.name, real=True))


@where_singular
@pytest.mark.parametrize("q", [q for q in OF_METRICS if not q.singular], ids=lambda q: q.name)
def test_a_quantity_is_nan_where_the_metric_is_singular(q: Quantity, where: str) -> None:
    ds = at_a_singular_point(q, where)
    assert ds.status.item() == Status.SINGULAR
    assert np.isnan(ds[q.name]).all()


@where_singular
@pytest.mark.parametrize("q", [q for q in OF_METRICS if q.singular], ids=lambda q: q.name)
def test_what_needs_no_regular_metric_has_a_value_where_it_is_singular(q: Quantity, where: str) -> None:
    assert np.isfinite(at_a_singular_point(q, where)[q.name]).all()


@pytest.mark.parametrize("q", QUANTITIES.values(), ids=lambda q: q.name)
def test_a_quantity_is_labelled_and_has_its_indices_and_its_kind(q: Quantity) -> None:
    axes = {"theta1": [0.5, 1.0], "theta2": 2.0}
    model = network()
    if q.observed and q.source not in model.observables:
        model = with_observations()
    variable = ig.grid.evaluate(model, axes, (q.base, q.name))[q.name]
    assert variable.dims == ("theta1", *"ijkl"[: q.rank])
    assert variable.attrs["long_name"] == q.label
    assert np.issubdtype(variable.dtype, np.integer) == q.integer


def test_only_networks_reserve_the_names_of_their_observables() -> None:
    loss = sympy.Symbol("loss", positive=True)
    assert ig.symbolic.Metric([loss], [[1 / loss**2]]).names == ("loss",)
    with pytest.raises(ValueError, match="'loss' is reserved"):
        ig.symbolic.Metric([loss], [[1 / loss**2]], observables={"loss": loss})


@pytest.mark.parametrize("quantity", ["loss", "loss_error"])
def test_a_loss_and_its_bound_ask_nothing_of_the_metric(quantity: str) -> None:
    x, y = ig.models.decision_boundary(5, seed=0)
    singular = ig.models.sigmoid_neuron(x[:, [0, 0]], y, ig.losses.CrossEntropy())
    assert ig.grid.evaluate_points(singular, [[0.5, 2.0]], [quantity]).status.item() == Status.OK


# --- A new quantity ---------------------------------------------------------------------------------------------------

#: Before anything reads them, rows are added to the quantities, and values with their bounds to what `geometry` yields.
RECIPE = r"""
import json
import sys
import warnings
from types import MappingProxyType

import numpy as np

from infogeom import quantities
from infogeom.kernels.curvature import geometry as module

curved = quantities.Quantity("curved", "$2R + 4$", order=2)
half = quantities.Quantity("half_trace", "half", takes_inverse=False, singular=True)
square = quantities.Quantity("square", "$R^2$", order=2, read_off="ricci_scalar", read=lambda R: R**2)
sign = quantities.Quantity("determinant_sign", "$s$", singular=True, read_off="determinant", read=np.sign)
log_loss = quantities.Quantity(
    "log_loss", "$l$", order=-1, takes_inverse=False, singular=True, read_off="loss", read=np.log
)
rows = {q.name: q for new in (curved, half) for q in (new, new.errors())}
rows |= {q.name: q for q in (square, sign, log_loss)}
quantities.QUANTITIES, geometry = MappingProxyType({**quantities.QUANTITIES, **rows}), module.geometry


def with_both(g, dg, ddg, wanted, *rest, **more):
    more_wanted = {"ricci_scalar"} if "curved" in wanted else set()
    for name, value in geometry(g, dg, ddg, {*wanted, "fisher_trace", *more_wanted}, *rest, **more):
        yield name, value
        if name.startswith("fisher_trace"):
            yield name.replace("fisher_trace", "half_trace"), value * 0.5
        if name == "ricci_scalar":
            yield "curved", value * 2.0 + 4.0
        if name == "ricci_scalar_error":
            yield "curved_error", value * 2.0


module.geometry = with_both

import sympy

import infogeom as ig

u, v = sympy.symbols("u v", real=True)
warnings.simplefilter("ignore", ig.StatusWarning)
METRICS = {
    "at a point": ig.symbolic.Metric([u, v], [[u**2, 0], [0, 1 + u**2 * v**2]]),
    "everywhere": ig.symbolic.Metric([u, v], [[1 + u**2, 0], [0, 0]]),
}


def told(where, *point, **options):
    names = ["curved", "half_trace", "ricci_scalar", "curved_error", "half_trace_error", "square"]
    ds = ig.grid.evaluate_points(METRICS[where], [point], names, **options)
    labels = {name: ds[name].attrs["long_name"] for name in names}
    return {name: ds[name].item() for name in [*names, "ricci_scalar_error", "status"]} | {"labels": labels}


def refused(work):
    try:
        work()
    except ValueError as error:
        return str(error)


def signs(matrix, *points):
    found = ig.evaluate_points(ig.Metric([u, v], matrix), points, ["determinant", "determinant_sign"])
    return [found.determinant.values.tolist(), found.determinant_sign.values.tolist()]


def loss():
    network = ig.models.sigmoid_neuron([[1.0, 2.0], [0.5, -1.0]], [1, 0], ig.losses.CrossEntropy())
    found = ig.evaluate_points(network, [[0.5, 0.5]], ["loss", "log_loss"])
    return [found.loss.item(), found.log_loss.item()]


of_states = ig.grid.evaluate_points(ig.models.log_linear(4), [[0.1] * 10], ["half_trace", "fisher_trace"])
found = {
    "signs everywhere": signs([[u**2, u * v], [u * v, v**2]], [0.1, 0.3], [0.7, 0.3]),
    "signs at points": signs([[1, u], [u, u**2 + (v - 1) ** 2]], [0.1, 1.0], [0.3, 1.0], [0.7, 1.0], [0.7, 3.0]),
    "loss": loss(),
    "at a point": told("at a point", 0.0, 2.0),
    "everywhere": told("everywhere", 0.0, 2.0),
    "regular": told("at a point", 1.0, 2.0),
    "refined": told("at a point", 1.0, 2.0, rtol=1e-15),
    "parameter": refused(lambda: ig.models.Parameter(sympy.Symbol("curved", real=True))),
    "states": (of_states.half_trace / of_states.fisher_trace).item(),
    "many": refused(lambda: ig.grid.evaluate_points(ig.models.log_linear(5), [[0.1] * 15], ["curved"])),
}
json.dump(found, sys.stdout)
"""


@pytest.fixture(scope="module")
def arrived() -> dict[str, Any]:
    """What is told of two quantities that came by the recipe: one of curvature, one that a singular metric has."""
    done = subprocess.run([sys.executable, "-c", RECIPE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_new_quantity_is_evaluated_with_its_bound_and_its_label(arrived: dict[str, Any]) -> None:
    told = arrived["regular"]
    assert told["status"] == Status.OK
    assert told["curved"] == 2 * told["ricci_scalar"] + 4
    assert told["curved_error"] == 2 * told["ricci_scalar_error"] > 0
    assert told["labels"]["curved"] == "$2R + 4$"


@pytest.mark.parametrize(("how", "status"), [("regular", Status.OK), ("refined", Status.REFINED)])
def test_a_new_quantity_that_is_read_off_another_is_its_row_alone(
    arrived: dict[str, Any], how: str, status: int
) -> None:
    assert arrived[how]["status"] == status
    assert arrived[how]["square"] == arrived[how]["ricci_scalar"] ** 2 > 0
    assert np.isnan(arrived["at a point"]["square"])


@pytest.mark.parametrize("where", ["everywhere", "at points"])
def test_what_is_read_off_is_read_off_what_singular_points_are_given(arrived: dict[str, Any], where: str) -> None:
    determinants, signs = arrived[f"signs {where}"]
    assert signs == np.sign(determinants).tolist()
    assert 0.0 in signs


def test_what_is_read_off_an_observable_is_its_row_alone(arrived: dict[str, Any]) -> None:
    loss, logarithm = arrived["loss"]
    assert logarithm == pytest.approx(np.log(loss), rel=1e-15)


@where_singular
def test_a_new_quantity_is_nan_where_the_metric_is_singular(arrived: dict[str, Any], where: str) -> None:
    assert arrived[where]["status"] == Status.SINGULAR
    assert np.isnan(arrived[where]["curved"])


@pytest.mark.parametrize(("where", "trace"), [("at a point", 1.0), ("everywhere", 1.0)])
def test_a_new_quantity_that_takes_no_inverse_has_a_value_where_its_row_says_so(
    arrived: dict[str, Any], where: str, trace: float
) -> None:
    assert arrived[where]["half_trace"] == trace / 2
    assert arrived[where]["half_trace_error"] < 1e-15


def test_no_parameter_is_called_like_a_new_quantity(arrived: dict[str, Any]) -> None:
    assert "'curved' is reserved" in arrived["parameter"]


def test_a_new_quantity_is_found_over_states_too(arrived: dict[str, Any]) -> None:
    assert arrived["states"] == 0.5


def test_a_new_quantity_that_takes_tensors_over_states_is_refused_of_many(arrived: dict[str, Any]) -> None:
    told = r"quantities \['curved'\]: that takes tensors over the states of a family, of at most 12 parameters"
    assert re.fullmatch(told, arrived["many"])
