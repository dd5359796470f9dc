"""What is a value stays one in its copies: arrays that nobody may write to."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import cloudpickle
import numpy as np
import pytest
import sympy

import infogeom as ig

VALUES: dict[str, Any] = {
    "network": ig.network.MLP((2, 2, 1)),
    "samples": ig.models.Samples(sympy.symbols("x y"), [[0.5, 1.0], [2.0, 3.0]], weights=[1, 3]),
    "states": ig.symbolic.numeric_metric(ig.models.log_linear(4)).form,
}


def out_of_band(value: Any) -> Any:
    """Copy whose arrays lie in memory that the caller has, as shared memory gives it."""
    buffers: list[pickle.PickleBuffer] = []
    data = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    return pickle.loads(data, buffers=[bytearray(buffer) for buffer in buffers])


WAYS: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle of protocol 2": lambda value: pickle.loads(pickle.dumps(value, protocol=2)),
    "pickle of the newest protocol": lambda value: pickle.loads(pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)),
    "pickle out of band": out_of_band,
    "cloudpickle": lambda value: cloudpickle.loads(cloudpickle.dumps(value)),
    "a copy of a copy": lambda value: pickle.loads(pickle.dumps(copy.deepcopy(value))),
}


def arrays(value: Any) -> list[np.ndarray]:
    """Arrays that a value holds."""
    return [held for held in vars(value).values() if isinstance(held, np.ndarray)]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", VALUES)
def test_no_copy_of_a_value_can_be_written_to(name: str, way: str) -> None:
    before = arrays(VALUES[name])
    after = arrays(WAYS[way](VALUES[name]))
    assert [array.flags.writeable for array in after] == [False] * len(before)
    assert before
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_copied_network_is_the_same_network() -> None:
    net = ig.network.MLP((4, 5, 3), activation="tanh", seed=2, dtype="float64", parametrization="ntk", bias=False)
    other = copy.deepcopy(net)
    assert repr(other) == repr(net)
    np.testing.assert_array_equal(other.output(np.eye(4)), net.output(np.eye(4)))
    assert other.with_parameters(np.zeros(net.parameters.size)).output(np.eye(4)).tolist() == [[0.0] * 3] * 4
