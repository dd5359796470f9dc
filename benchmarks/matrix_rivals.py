"""Kronecker factors and curvature products in curvlinops and BackPACK, as their documentation has users write them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import backpack
import numpy as np
import torch
from backpack.extensions import KFLR
from curvlinops import EFLinearOperator, FisherType, GGNLinearOperator, KFACLinearOperator
from torch import nn

from benchmarks.network_rivals import torch_net
from infogeom.network import MLP

#: Input and output factor of a layer, or that of its weights alone.
Factors = list[tuple[np.ndarray, np.ndarray]]
#: What curvlinops calls the two kinds of Fisher information.
KINDS = {"empirical": FisherType.EMPIRICAL, "expected": FisherType.TYPE2}


def _given(net: MLP, x: np.ndarray, labels: np.ndarray) -> tuple[nn.Sequential, list[nn.Parameter], Any]:
    module = torch_net(net)
    return module, list(module.parameters()), [(torch.from_numpy(x), torch.from_numpy(labels))]


def curvlinops_kfac(net: MLP, x: np.ndarray, labels: np.ndarray, fisher: str) -> Callable[[], Factors]:
    """Factors for weights and bias of a layer together, of the mean cross-entropy."""
    module, parameters, data = _given(net, x, labels)
    linear = [name for name, part in module.named_modules() if isinstance(part, nn.Linear)]

    def run() -> Factors:
        operator = KFACLinearOperator(
            module,
            nn.CrossEntropyLoss(),
            parameters,
            data,
            fisher_type=KINDS[fisher],
            separate_weight_and_bias=False,
            check_deterministic=False,
            num_data=len(x),
            num_per_example_loss_terms=1,
        )
        operator.compute_kronecker_factors()
        inputs, outputs = operator._input_covariances, operator._gradient_covariances
        return [(inputs[name].numpy(), outputs[name].numpy()) for name in linear]

    return run


def backpack_kflr(net: MLP, x: np.ndarray, labels: np.ndarray) -> Callable[[], Factors]:
    """Factors for the weights of a layer alone, biases apart, of the expected Fisher information."""
    module, inputs, classes = backpack.extend(torch_net(net)), torch.from_numpy(x), torch.from_numpy(labels)
    loss = backpack.extend(nn.CrossEntropyLoss())

    def run() -> Factors:
        with backpack.backpack(KFLR()):
            loss(module(inputs), classes).backward()
        pairs = [part.weight.kflr for part in module if isinstance(part, nn.Linear)]
        module.zero_grad()
        return [(A.detach().numpy(), G.detach().numpy()) for G, A in pairs]

    return run


def curvlinops_product(net: MLP, x: np.ndarray, labels: np.ndarray, v: np.ndarray, fisher: str) -> Callable[[], Any]:
    """Product with a vector whose layers are those of `MLP.parameters`, in the same order."""
    module, parameters, data = _given(net, x, labels)
    kind = EFLinearOperator if fisher == "empirical" else GGNLinearOperator
    operator = kind(module, nn.CrossEntropyLoss(), parameters, data, check_deterministic=False, num_data=len(x))
    flat = []
    for layer in net.layers(v):
        flat += [torch.from_numpy(np.ascontiguousarray(layer.weights.T)), torch.from_numpy(layer.bias.copy())]
    vectors = [part[..., None] for part in flat]

    def run() -> np.ndarray:
        return np.concatenate([part.detach().numpy()[..., 0].T.ravel() for part in operator @ vectors])

    return run
