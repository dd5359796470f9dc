"""What is recorded of a network in training: loss, traces and the factors of the Fisher trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogeom.arguments import check_count
from infogeom.losses import Loss
from infogeom.network.blocks import seed_squares
from infogeom.network.kernel_quantities import KERNEL, kernel_quantities
from infogeom.network.measured import Measures, checked_measures, functions, identity, measured
from infogeom.network.mlp import MLP
from infogeom.network.seeds import check_loss, empirical, expected, unit_vectors
from infogeom.network.spectra import fisher_spectrum, traced_kernel, traced_spectrum
from infogeom.network.targets import targets_of
from infogeom.quantities import QUANTITIES

__all__ = ["FACTORS", "FURTHER", "RECORDED", "Record", "labels", "measure", "shapes", "stratified_sample"]

Array = NDArray[np.float64]

#: Factors whose product is tr I.
FACTORS = ("residual_square", "kernel_mean", "covariance_factor", "alignment_factor")
#: What may be recorded, with its label.
RECORDED: Mapping[str, str] = {
    "loss": QUANTITIES["loss"].label,
    "accuracy": "accuracy",
    "fisher_trace": QUANTITIES["fisher_trace"].label,
    "fisher_trace_expected": QUANTITIES["fisher_trace"].label + ", expected",
    "ntk_trace": QUANTITIES["ntk_trace"].label,
    "residual_square": r"$E|\partial\ell/\partial f|^2$",
    "kernel_mean": r"$E\,t$, $t_n = \mathrm{tr}\,\Lambda_{nn} / O$",
    "covariance_factor": r"$E[|r|^2 t] / (E|r|^2\, E\,t)$",
    "alignment_factor": r"$E[r^T \Lambda r] / E[|r|^2 t]$",
    "live_fraction": "fraction of live units",
    "fisher_trace_of": QUANTITIES["fisher_trace"].label + " of other losses",
    "fisher_spectrum": "leading eigenvalues of $I$",
    "ntk_spectrum": r"leading eigenvalues of $\sum_a \Lambda_{nm,aa}$",
    **KERNEL,
}
#: Records with a dimension besides "epoch".
FURTHER = {"fisher_trace_of": "measured_loss", "fisher_spectrum": "rank", "ntk_spectrum": "rank"}
#: Names in a Dataset of `fit` or `study` that are those of dimensions, coordinates and what is no record.
OTHERS = ("epoch", "measured_loss", "parameter", "parameters", "rank", "seed", "status", "training_loss", "width")


@dataclass(frozen=True)
class Record:
    """What `fit` records, and when.

    Parameters
    ----------
    every : int
        Epochs between records; the state before the first epoch and after the last are always recorded.
    probe : int or None
        Samples on which everything is measured, a stratified subset; None, or more than there are, takes all.
    seed : int
        Of the subset.
    losses : sequence of Loss
        Whose empirical Fisher traces are recorded beside that of the loss in training.
    spectra : int
        Leading eigenvalues to record, of the empirical Fisher information and of the kernel's trace over outputs; at
        most as many as there are samples in the probe, or parameters.
    kernel : bool
        Record of the kernel's trace over outputs K, N × N for a probe of N samples: ``kernel_entropy``, −Σ p log p of
        p = λ / Σλ for its eigenvalues, and ``kernel_effective_rank``, the exponential of that (Roy and Vetterli, "The
        effective rank", EUSIPCO 2007); ``kernel_alignment`` ⟨K, y yᵀ⟩ / (‖K‖ ‖y yᵀ‖) with the targets, not centred
        (Cristianini et al., "On kernel-target alignment", NIPS 2001); ``kernel_distance`` ‖K − K₀‖ / ‖K₀‖ from that
        before the first epoch. Norms are Frobenius's. Where K vanishes the first three are 0, 1 and 0.
    measure : mapping of str to callable
        Quantities of your own by name: ``function(net, x, y)`` of the network and copies of the probe's inputs (N, d)
        and targets (N, O) gives a finite real number, the same for the same arguments. A checkpoint and a study know it
        by its module and qualified name, so that it has to be a function of a module, no lambda, local or bound one.
        What it raises, or anything else that it gives, ends the run with an error, after its checkpoint is written.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.network.Record(every=5, probe=None, losses=[ig.losses.LpNorm(2)])
    Record(every=5, probe=None, seed=0, losses=(LpNorm(p=2.0),), spectra=0)

    How far K-FAC is from the Fisher information of the last layer, along training:

    >>> def kfac_error(net, x, y):
    ...     return ig.network.kronecker_errors(net, x, y, ig.losses.CrossEntropy()).kfac[-1]
    >>> net, x, y = ig.network.MLP((2, 3, 2), seed=1), [[1.0, 0.5], [0.2, -1.0]], [[1, 0], [0, 1]]
    >>> record = ig.network.Record(measure={"kfac_error": kfac_error})
    >>> ig.network.fit(net, x, y, ig.losses.CrossEntropy(), epochs=2, record=record).kfac_error.values.round(4)
    array([0.5297, 0.5297, 0.5298])
    """

    every: int = 1
    probe: int | None = 1000
    seed: int = 0
    losses: Sequence[Loss] = ()
    spectra: int = 0
    kernel: bool = False
    measure: Measures = ()

    def __post_init__(self) -> None:
        for name, least in (("every", 1), ("probe", 1), ("seed", 0), ("spectra", 0)):
            if name != "probe" or self.probe is not None:
                check_count(name, getattr(self, name), least)
        if not isinstance(self.losses, Sequence):
            raise TypeError(f"losses must be a sequence of losses, got {self.losses!r}")
        for loss in self.losses:
            check_loss(loss, "a recorded Fisher trace", "gradient")
        names = [loss.name for loss in self.losses]
        if len(set(names)) < len(names):
            raise ValueError(f"losses must have different names, got {names}")
        if not isinstance(self.kernel, bool | np.bool_):
            raise TypeError(f"kernel must be True or False, got {self.kernel!r}")
        object.__setattr__(self, "losses", tuple(self.losses))
        object.__setattr__(self, "measure", checked_measures(self.measure, (*RECORDED, *OTHERS)))

    def __repr__(self) -> str:
        """What identifies records, and nothing of what nobody asked for, so that older ones are still known."""
        fields = [f"{name}={getattr(self, name)!r}" for name in ("every", "probe", "seed", "losses", "spectra")]
        if self.kernel:
            fields.append("kernel=True")
        if self.measure:
            own = [f"{name!r}: {identity(function)}" for name, function in functions(self.measure).items()]
            fields.append(f"measure={{{', '.join(own)}}}")
        return f"Record({', '.join(fields)})"


def stratified_sample(targets: ArrayLike, size: int | None, seed: int = 0) -> NDArray[np.int64]:
    """Indices of a random subset in which every class keeps its share.

    Parameters
    ----------
    targets : array_like, shape (N, O), or of ints, shape (N,)
        The class is the column of the largest target; with one column, whether it exceeds ½; or the label itself.
    size : int or None
        Size of the subset; None, or more than N, takes all.
    seed : int
        Of the choice.

    Returns
    -------
    ndarray of int64, sorted

    Examples
    --------
    >>> import numpy as np, infogeom as ig
    >>> targets = np.eye(2)[[0] * 90 + [1] * 10]
    >>> rows = ig.network.stratified_sample(targets, 20)
    >>> targets[rows].sum(axis=0)
    array([18.,  2.])
    """
    y = targets_of("targets", targets)
    check_count("seed", seed, least=0)
    if size is not None:
        check_count("size", size)
    if size is None or size >= len(y):
        return np.arange(len(y))
    labels = y.argmax(axis=1) if y.shape[1] > 1 else (y[:, 0] > 0.5).astype(np.int64)
    rng = np.random.default_rng(seed)
    # Ranked by how far through its class a sample comes, the first ones hold every class in its share.
    rank = np.empty(len(y))
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        rank[rng.permutation(members)] = (np.arange(len(members)) + rng.random()) / len(members)
    return np.sort(np.argsort(rank, kind="stable")[:size])


def measure(
    net: MLP, x: NDArray[Any], y: Array, loss: Loss, record: Record, initial: Array | None = None
) -> dict[str, Any]:
    """All recorded quantities at the network's parameters: numbers and arrays by name.

    A record of the kernel needs the traced one of the ``initial`` network.

    One forward pass over the samples; all but the spectra are means over them of squares, which no sign spoils.

    Raises
    ------
    OverflowError
        When outputs, loss or its derivative leave the floating-point range.
    """
    of_losses = [empirical(one, y) for one in (loss, *record.losses)]
    squares, outputs, live = seed_squares(net, x, [unit_vectors, expected(loss), *of_losses])
    _, expected_trace, _, *others = squares.mean(axis=1).sum(axis=1)

    # Means, of which one that is not finite ends the run.
    with np.errstate(over="ignore", invalid="ignore"):  # asked for below
        found: dict[str, Any] = {
            "loss": loss.values(outputs, y).mean(),
            "accuracy": _accuracy(outputs, y, loss),
            "fisher_trace_expected": expected_trace,
            **_factors(squares[0], squares[2], loss.gradient(outputs, y)),
        }
    if record.losses:
        found["fisher_trace_of"] = np.array(others)

    # What not every network has, or nobody asked for.
    if live:
        found["live_fraction"] = np.concatenate(live).mean()
    count = _eigenvalues(net, len(x), record)
    if record.spectra:
        found["fisher_spectrum"] = fisher_spectrum(net, x, y, loss)[:count]
    if record.spectra or record.kernel:
        kernel = traced_kernel(net, x)
        spectrum = traced_spectrum(net, kernel)
    if record.spectra:
        found["ntk_spectrum"] = spectrum[:count]
    if record.kernel:
        found |= kernel_quantities(kernel, spectrum, y, kernel if initial is None else initial)

    # One that is not finite ends the run; those of the user's own are asked for where all is well.
    beyond = [name for name, value in found.items() if not np.isfinite(value).all()]
    if beyond:
        raise OverflowError(f"{beyond[0]} is {found[beyond[0]]}")
    for name, function in functions(record.measure).items():
        found[name] = measured(name, function, net, x, y)
    return found


def labels(record: Record) -> dict[str, str]:
    """What may be recorded, with its label."""
    own = {name: name.replace("_", " ") for name in functions(record.measure)}
    return {**RECORDED, **own}


def shapes(net: MLP, samples: int, record: Record) -> dict[str, tuple[int, ...]]:
    """Shape of each quantity that `measure` finds on so many samples."""
    found: dict[str, tuple[int, ...]] = dict.fromkeys(RECORDED, ())
    for name in ("live_fraction", *FURTHER, *KERNEL):
        del found[name]
    if record.losses:
        found["fisher_trace_of"] = (len(record.losses),)
    if len(net.widths) > 2:
        found["live_fraction"] = ()
    if record.spectra:
        found |= dict.fromkeys(("fisher_spectrum", "ntk_spectrum"), (_eigenvalues(net, samples, record),))
    if record.kernel:
        found |= dict.fromkeys(KERNEL, ())
    return found | dict.fromkeys(functions(record.measure), ())


def _eigenvalues(net: MLP, samples: int, record: Record) -> int:
    """Number of eigenvalues to record: no spectrum has fewer, unless there are fewer samples or parameters."""
    return min(record.spectra, samples, net.parameters.size)


def _factors(kernel: Array, fisher: Array, r: Array) -> dict[str, float]:
    """Both traces and the factors whose product is the Fisher trace, the last two 1 where it vanishes.

    From the squares of both by sample and layer, and the loss derivatives.
    """
    square, t = (r * r).sum(axis=1), kernel.sum(axis=1) / r.shape[1]
    fisher_trace, joint = fisher.mean(axis=0).sum(), (square * t).mean()
    return {
        "fisher_trace": fisher_trace,
        "ntk_trace": kernel.mean(axis=0).sum(),
        "residual_square": square.mean(),
        "kernel_mean": t.mean(),
        "covariance_factor": joint / (square.mean() * t.mean()) if joint else 1.0,
        "alignment_factor": fisher_trace / joint if joint else 1.0,
    }


def _accuracy(outputs: Array, y: Array, loss: Loss) -> float:
    """Share of samples whose largest output is that of their largest target; one output is held against its middle."""
    if outputs.shape[1] > 1:
        return float((outputs.argmax(axis=1) == y.argmax(axis=1)).mean())
    return float(((outputs[:, 0] > loss.middle) == (y[:, 0] > 0.5)).mean())
