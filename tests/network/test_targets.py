"""Integer labels wherever targets are taken: they are the one-hot targets, to the bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from infogeom import network
from infogeom.losses import CrossEntropy, Loss, LpNorm, MeanPower
from infogeom.network import MLP, SGD, Record
from infogeom.network.targets import targets_of
from tests.torch_like import Tensor

RNG = np.random.default_rng(3)
LABELS = np.array([0, 2, 1, 1, 2, 0, 0, 1])
ROWS = np.eye(3)[LABELS]
X = RNG.normal(size=(8, 4))
NET = MLP((4, 5, 3), dtype="float64", seed=4)
BINARY = MLP((4, 5, 2), dtype="float64", seed=4)
LOSSES: list[Loss] = [LpNorm(2), MeanPower(4), CrossEntropy()]

#: Whatever takes targets, with all else given.
TAKERS: dict[str, Callable[[Any], Any]] = {
    "fisher_trace": lambda y: network.fisher_trace(NET, X, y, LpNorm(4)),
    "fisher_trace_by_layer": lambda y: network.fisher_trace_by_layer(NET, X, y, MeanPower(2)),
    "fisher_trace, expected": lambda y: network.fisher_trace(NET, X, y, CrossEntropy(), fisher="expected"),
    "fisher_spectrum": lambda y: network.fisher_spectrum(NET, X, y, CrossEntropy()),
    "fit": lambda y: network.fit(NET, X, y, CrossEntropy(), epochs=2, optimizer=SGD(0.1), batch_size=3),
    "linearised": lambda y: network.linearised(NET, X, y, MeanPower(2), [0.0, 1.0]),
    "study": lambda y: network.study(X, y, losses=[LpNorm(2)], widths=[3], seeds=[0], epochs=0, workers=1),
    "stratified_sample": lambda y: network.stratified_sample(y, 4, seed=1),
}
#: Labels as users have them.
FORMS: dict[str, Any] = {
    "a list": LABELS.tolist(),
    "int8": LABELS.astype(np.int8),
    "uint64": LABELS.astype(np.uint64),
    "a tensor": Tensor(LABELS, device="cuda:0"),
    "a Series": pd.Series(LABELS, index=range(8, 16)),
    "a DataArray": xr.DataArray(LABELS),
}
#: Of shape (N,), and no labels.
NO_LABELS: dict[str, Any] = {
    "floats": LABELS.astype(float),
    "truth values": LABELS > 0,
    "objects": LABELS.astype(object),
}


@pytest.mark.parametrize("taker", TAKERS)
def test_labels_are_one_hot_targets_to_the_bit(taker: str) -> None:
    by_labels, by_rows = (TAKERS[taker](y) for y in (LABELS, ROWS))
    if isinstance(by_rows, xr.Dataset):
        xr.testing.assert_identical(by_labels.drop_attrs(deep=False), by_rows.drop_attrs(deep=False))
    else:
        np.testing.assert_array_equal(by_labels, by_rows)


@pytest.mark.parametrize("taker", TAKERS)
@pytest.mark.parametrize("kind", NO_LABELS)
def test_what_is_no_label_is_refused_by_name(taker: str, kind: str) -> None:
    given = NO_LABELS[kind]
    with pytest.raises(
        ValueError, match=rf"must have shape \(N, O\), .* integer label .*, got \(8,\) of {given.dtype}"
    ):
        TAKERS[taker](given)


@pytest.mark.parametrize("taker", TAKERS)
def test_a_negative_label_is_refused_by_name(taker: str) -> None:
    with pytest.raises(ValueError, match=r"must hold labels 0 … 2, got -1 at index 7"):
        TAKERS[taker]([0, 2, 1, 1, 2, 0, 0, -1])


@pytest.mark.parametrize("form", FORMS)
def test_labels_come_in_any_form(form: str) -> None:
    assert (targets_of("y", FORMS[form], 3) == ROWS).all()
    assert (targets_of("y", FORMS[form]) == ROWS).all()


def test_two_outputs_are_enough_and_one_is_not() -> None:
    labels = LABELS % 2
    by_rows = network.fisher_trace(BINARY, X, np.eye(2)[labels], CrossEntropy())
    assert network.fisher_trace(BINARY, X, labels, CrossEntropy()) == by_rows
    one = MLP((4, 5, 1), dtype="float64")
    with pytest.raises(
        ValueError, match=r"y must have shape \(N, 1\) for one output, got \(8,\); labels stand for two"
    ):
        network.fit(one, X, labels, CrossEntropy(), epochs=1)


def test_labels_of_a_network_may_leave_classes_out() -> None:
    y = np.full(8, 1)
    assert network.fisher_trace(NET, X, y, LpNorm(2)) == network.fisher_trace(NET, X, np.eye(3)[y], LpNorm(2))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 1, 3], r"y must hold every label 0 … 3 where nothing else says how many outputs there are, got no 2"),
        ([1, 2, 1], r"y must hold every label 0 … 2 .* got no 0; one-hot rows may leave some out"),
        (np.array([0, 2**63, 1], np.uint64), r"y must hold every label 0 … 9223372036854775808 .* got no 2"),
        ([0, 0], r"y must hold labels of two classes or more, got \[0\]"),
        (np.zeros(0, int), r"y must hold labels of two classes or more, got \[\]"),
        ([0, 1, -2], r"y must hold labels 0 … 1, got -2 at index 2"),
        (np.ma.masked_array([0, 1], [True, False]), "y must hold real numbers: got masked ones"),
        (1, r"y must have shape \(N, O\), .*, got \(\) of int64"),
    ],
)
def test_labels_that_do_not_say_how_many_classes_there_are_are_refused(labels: Any, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        targets_of("y", labels)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (LABELS + 1, r"y must hold labels 0 … 2, got 3 at index 1"),
        (LABELS[:5], r"y must have shape \(8, 3\), one row per sample, got \(5,\)"),
        (LABELS[:, None], r"y must have shape \(8, 3\), one row per sample, got \(8, 1\)"),
        (LABELS.astype(np.uint64) + np.uint64(2**64 - 3), r"y must hold labels 0 … 2, got 18446744073709551616 at"),
    ],
)
def test_labels_beyond_a_networks_outputs_are_refused(labels: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        network.fisher_trace(NET, X, labels, CrossEntropy())


@given(st.lists(st.integers(0, 4), min_size=1, max_size=30))
def test_a_row_is_1_in_the_column_of_its_label(labels: list[int]) -> None:
    rows = targets_of("y", labels, 5)
    assert rows.argmax(axis=1).tolist() == labels
    assert (rows.sum(axis=1) == 1).all()
    assert ((rows == 0) | (rows == 1)).all()
    assert (rows.dtype, rows.flags.writeable) == (np.float64, False)


def test_a_sample_by_labels_holds_every_class_in_its_share() -> None:
    labels = np.repeat([0, 1, 2], [600, 300, 100])
    chosen = labels[network.stratified_sample(labels, 50, seed=2)]
    assert np.bincount(chosen).tolist() == [30, 15, 5]


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
def test_traces_of_further_losses_are_recorded_by_labels_too(loss: Loss) -> None:
    record = Record(losses=[loss], spectra=2)
    by_labels, by_rows = (network.fit(NET, X, y, LpNorm(2), epochs=1, record=record) for y in (LABELS, ROWS))
    xr.testing.assert_identical(by_labels.drop_attrs(deep=False), by_rows.drop_attrs(deep=False))
