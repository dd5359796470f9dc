"""Multilayer perceptrons as immutable values: widths, activation, parametrisation, and one flat array of parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogeom.arguments import ReadOnlyArrays, array_of, check_count, finite_array
from infogeom.network import foreign, passes
from infogeom.network.targets import targets_of

__all__ = ["MLP"]

Array = NDArray[Any]

#: Variance of a weight times its fan-in, by initialisation.
VARIANCES = {"he": 2.0, "lecun": 1.0, "pytorch": 1 / 3}
PARAMETRIZATIONS = ("standard", "ntk")


@dataclass(frozen=True, eq=False, repr=False)
class MLP(ReadOnlyArrays):
    """Dense network z_l = s_l a_(l−1) W_l + b_l, a_l = φ(z_l), with linear outputs f = z_L.

    Parameters
    ----------
    widths : sequence of int
        Inputs, hidden layers, outputs; at least two.
    activation : {"relu", "tanh", "sigmoid", "gelu", "erf", "identity"}
        φ of the hidden layers; GELU is z Φ(z) with the normal distribution function, erf the error function.
    seed : int
        Of the initial parameters.
    dtype : {"float32", "float64"}
        Of parameters and passes; sums over samples are float64 in either.
    parametrization : {"standard", "ntk"}
        Standard: s_l = 1, and the neural tangent kernel grows with the width, in proportion to it for a wide network,
        as the share of each layer's weights is the sum of squares of its W inputs.  NTK (Jacot, Gabriel, Hongler,
        "Neural Tangent Kernel", NeurIPS 2018): weights of unit variance, and s_l takes the scale of the initialisation,
        so that the kernel has a limit for infinite width; the function computed at the start is the same.
    initialization : {"he", "lecun", "pytorch"}
        Normal weights of variance 2/fan_in or 1/fan_in with zero biases, or, as ``torch.nn.Linear``, weights and biases
        uniform in ±fan_in^(−1/2).
    bias : bool
        Whether layers have b_l.

    Attributes
    ----------
    parameters : ndarray, shape (P,)
        Weights (fan_in, fan_out) and bias of each layer in turn, flattened; read-only, in copies and pickles too.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, the rule and the value.

    Examples
    --------
    >>> import infogeom
    >>> net = infogeom.network.MLP((784, 128, 128, 10))
    >>> net.parameters.size
    118282
    """

    widths: Sequence[int]
    activation: str = field(default="relu", kw_only=True)
    seed: int = field(default=0, kw_only=True)
    dtype: str = field(default="float32", kw_only=True)
    parametrization: str = field(default="standard", kw_only=True)
    initialization: str = field(default="he", kw_only=True)
    bias: bool = field(default=True, kw_only=True)
    parameters: Array = field(default=None, kw_only=True)  # type: ignore[arg-type]

    def __post_init__(self) -> None:
        widths = self._checked_widths(self.widths)
        object.__setattr__(self, "widths", widths)
        for name, options in (
            ("activation", passes.ACTIVATIONS),
            ("dtype", passes.DTYPES),
            ("parametrization", PARAMETRIZATIONS),
            ("initialization", tuple(VARIANCES)),
        ):
            if getattr(self, name) not in options:
                raise ValueError(f"{name} must be one of {list(options)}, got {getattr(self, name)!r}")
        check_count("seed", self.seed, least=0)
        if not isinstance(self.bias, bool | np.bool_):
            raise TypeError(f"bias must be True or False, got {self.bias!r}")
        given = self._initial() if self.parameters is None else self.parameters
        parameters = finite_array("parameters", given, 1, self.dtype)
        if parameters.size != self._size:
            raise ValueError(f"parameters must have {self._size} entries for widths {widths}, got {parameters.size}")
        object.__setattr__(self, "parameters", parameters)

    @staticmethod
    def _checked_widths(widths: Sequence[int]) -> tuple[int, ...]:
        try:
            checked = tuple(widths)
        except TypeError:
            raise TypeError(f"widths must be a sequence of ints, got {widths!r}") from None
        for k, width in enumerate(checked):
            check_count(f"widths[{k}]", width)
        if len(checked) < 2:
            raise ValueError(f"widths must hold inputs and outputs, got {checked}")
        return tuple(map(int, checked))

    @classmethod
    def from_arrays(
        cls,
        weights: Sequence[ArrayLike],
        biases: Sequence[ArrayLike] | None = None,
        *,
        activation: str = "relu",
        dtype: str | None = None,
        parametrization: str = "standard",
        initialization: str = "he",
    ) -> MLP:
        """Network with given parameters, from PyTorch or JAX for example.

        Parameters
        ----------
        weights : sequence of array_like, shapes (fan_in, fan_out)
            One for each layer; those of ``torch.nn.Linear`` are transposed. Tensors are taken by their numbers, those
            too that need a gradient, and stay as they are.
        biases : sequence of array_like, shapes (fan_out,), optional
            None for layers without bias.
        activation, parametrization, initialization : str
            As for `MLP`; the initialisation matters for the layer scales of the NTK parametrisation alone.
        dtype : {"float32", "float64"}, optional
            float32 when every array is, else float64.

        Raises
        ------
        TypeError, ValueError
            For shapes that do not fit together or values that are not finite.
        """
        weights, biases = list(weights), None if biases is None else list(biases)
        W = _checked_weights(weights)
        sizes = [w.shape[1] for w in W]
        layers = [[w] for w in W]
        if biases is not None:
            b = [finite_array(f"biases[{l}]", v, ndim=1) for l, v in enumerate(biases)]
            got = [v.size for v in b]
            if got != sizes:
                raise ValueError(f"biases must have sizes {sizes}, one per layer, got {got}")
            layers = [[w, v] for w, v in zip(W, b, strict=True)]
        if dtype is None:
            dtype = _common_dtype(weights + (biases or []))

        # In the order of `parameters`: the weights of a layer, then its bias.
        return cls(
            (W[0].shape[0], *sizes),
            activation=activation,
            dtype=dtype,
            parametrization=parametrization,
            initialization=initialization,
            bias=biases is not None,
            parameters=np.concatenate([array.ravel() for layer in layers for array in layer]),
        )

    @classmethod
    def from_torch(cls, module: Any) -> MLP:
        """Network of a PyTorch module, with the same outputs; torch itself is not imported.

        Parameters
        ----------
        module : torch.nn.Sequential
            Of Linear layers, all with a bias or none, and between them one kind of activation, the same everywhere:
            ReLU, Tanh, Sigmoid, GELU with approximate="none", or nothing. Sequentials inside it are gone through.
            Identity, Flatten of all but samples (inputs of the network are flat, in C order), and Dropout in evaluation
            mode are left out. A module of your own is given by the Sequential that it holds.

        Returns
        -------
        MLP
            Of the module's dtype, float32 or float64, with copies of its parameters as they are now, the weights
            transposed to (fan_in, fan_out).

        Raises
        ------
        TypeError, ValueError
            For a module or a setting that an MLP has not, with its place: ``module[2][0]`` is what that says in Python.

        Examples
        --------
        >>> from torch import nn  # doctest: +SKIP
        >>> module = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))  # doctest: +SKIP
        >>> infogeom.network.MLP.from_torch(module)  # doctest: +SKIP
        <MLP 784–128–10: relu, float32, standard, 101770 parameters>
        """
        return cls._of(foreign.of_torch(module))

    @classmethod
    def from_sklearn(cls, estimator: Any) -> MLP:
        """Network of a fitted scikit-learn MLPClassifier or MLPRegressor, with copies of its parameters.

        Outputs are those of the last layer before the estimator's ``out_activation_``. An MLPRegressor predicts them
        (or their exponential, with the loss "poisson"). Of an MLPClassifier they are logits: for three classes or more
        ``predict_proba`` is their softmax, in the order of ``classes_``; for two there is a single output z, and
        expit(z) is the probability of ``classes_[1]``. That is how `infogeom.losses.CrossEntropy` reads them. With
        several labels a sample each output is the logit of its own label, which no loss here reads so.

        Raises
        ------
        TypeError, ValueError
            For another estimator, and for one that is not fitted.

        Examples
        --------
        >>> from infogeom.network import MLP
        >>> from sklearn.neural_network import MLPRegressor
        >>> fitted = MLPRegressor(hidden_layer_sizes=(3,), solver="lbfgs").fit([[0.0], [1.0]], [0.0, 1.0])
        >>> MLP.from_sklearn(fitted)
        <MLP 1–3–1: relu, float64, standard, 10 parameters>
        """
        return cls._of(foreign.of_sklearn(estimator))

    @classmethod
    def _of(cls, dense: foreign.Dense) -> MLP:
        return cls.from_arrays(dense.weights, dense.biases, activation=dense.activation)

    def to_arrays(self) -> tuple[list[Array], list[Array] | None]:
        """Copies of the weights, (fan_in, fan_out) each, and of the biases, None without."""
        layers = self.layers()
        weights = [layer.weights.copy() for layer in layers]
        biases = [layer.bias.copy() for layer in layers if layer.bias is not None]
        return weights, biases if self.bias else None

    def with_parameters(self, parameters: ArrayLike) -> MLP:
        """Return the same network with other parameters, flat as in ``parameters``."""
        return replace(self, parameters=finite_array("parameters", parameters, 1, self.dtype, copy=False))

    def layers(self, parameters: Array | None = None) -> list[passes.Layer]:
        """Views of the flat parameters, or of another array of that shape, with the scale of each layer."""
        flat, start, layers = self.parameters if parameters is None else parameters, 0, []
        for fan_in, fan_out, scale in zip(self.widths, self.widths[1:], self.scales, strict=False):
            weights = flat[start : start + fan_in * fan_out].reshape(fan_in, fan_out)
            start += fan_in * fan_out
            bias = None
            if self.bias:
                bias = flat[start : start + fan_out]
                start += fan_out
            layers.append(passes.Layer(weights, bias, scale))
        return layers

    @property
    def scales(self) -> tuple[float, ...]:
        """Factor s_l of each layer."""
        if self.parametrization == "standard":
            return (1.0,) * (len(self.widths) - 1)
        return tuple(float(np.sqrt(VARIANCES[self.initialization] / fan_in)) for fan_in in self.widths[:-1])

    def output(self, inputs: ArrayLike) -> Array:
        """Outputs f(x_n), shape (N, O), for inputs of shape (N, d)."""
        return passes.forward(self.layers(), self.activation, self.checked_inputs(inputs)).outputs

    def checked_inputs(self, inputs: ArrayLike, name: str = "x") -> Array:
        """Inputs as an array of the network's dtype, or an error that has their name, the rule and the value."""
        x = finite_array(name, inputs, 2, self.dtype, copy=False)
        if not len(x) or x.shape[1] != self.widths[0]:
            raise ValueError(f"{name} must have shape (N, {self.widths[0]}) with N at least 1, got {x.shape}")
        return x

    def checked_targets(self, targets: ArrayLike, samples: int) -> NDArray[np.float64]:
        """Targets as float64, shape (N, O), from rows or from labels, or an error that names the rule and the value."""
        y = targets_of("y", targets, self.widths[-1])
        if y.shape != (samples, self.widths[-1]):
            got = array_of(targets).shape
            raise ValueError(f"y must have shape ({samples}, {self.widths[-1]}), one row per sample, got {got}")
        return y

    def __repr__(self) -> str:
        kind = f"{self.activation}, {self.dtype}" + ("" if self.bias else ", no bias")
        widths = "–".join(map(str, self.widths))
        return f"<MLP {widths}: {kind}, {self.parametrization}, {self.parameters.size} parameters>"

    @property
    def _size(self) -> int:
        pairs = zip(self.widths, self.widths[1:], strict=False)
        return sum((fan_in + bool(self.bias)) * fan_out for fan_in, fan_out in pairs)

    def _initial(self) -> NDArray[np.float64]:
        """Weights and biases of the initialisation, over the layer's scale."""
        rng, parts = np.random.default_rng(self.seed), []
        for fan_in, fan_out, scale in zip(self.widths, self.widths[1:], self.scales, strict=False):
            if self.initialization == "pytorch":
                bound = fan_in**-0.5
                parts.append(rng.uniform(-bound, bound, fan_in * fan_out) / scale)
                parts.append(rng.uniform(-bound, bound, fan_out if self.bias else 0))
            else:
                deviation = np.sqrt(VARIANCES[self.initialization] / fan_in)
                parts.append(rng.normal(0.0, deviation, fan_in * fan_out) / scale)
                parts.append(np.zeros(fan_out if self.bias else 0))
        return np.concatenate(parts)


def _common_dtype(arrays: Sequence[ArrayLike]) -> str:
    """float32 where every array is, else float64."""
    single = [array_of(array).dtype == np.float32 for array in arrays]
    return "float32" if single and all(single) else "float64"


def _checked_weights(weights: Sequence[ArrayLike]) -> list[NDArray[np.float64]]:
    """Weights that follow on each other, or an error that names the first that do not."""
    W = [finite_array(f"weights[{l}]", w, ndim=2) for l, w in enumerate(weights)]
    if not W:
        raise ValueError("weights must hold at least one layer, got none")
    for l in range(1, len(W)):
        above = W[l - 1].shape[1]
        if above != W[l].shape[0]:
            raise ValueError(f"weights[{l}] must have {above} rows as weights[{l - 1}] has columns, got {W[l].shape}")
    return W
