"""How proportional Fisher and kernel trace are along training, and what drives the Fisher trace."""

from __future__ import annotations

import numpy as np
import xarray as xr

from infogeom.network.recording import FACTORS

__all__ = ["statistics"]

#: What `statistics` takes: the traces, and the factors of the Fisher trace.
OF_STATISTICS = ("fisher_trace", "ntk_trace", *FACTORS)
#: What `statistics` tells.
TITLES = {
    "ratio_variation": "coefficient of variation of tr I / tr Λ",
    "ratio_range": "maximum over minimum of tr I / tr Λ",
    "deviation": "variance of log(tr I / tr Λ) over that of log tr I",
    "slope": "slope of log tr I against log tr Λ",
    "correlation": "correlation of tr I and tr Λ",
    **{f"share_{name}": f"share of {name.replace('_', ' ')} in the variance of log tr I" for name in FACTORS},
    "runs": "runs that the mean is over",
}


def statistics(ds: xr.Dataset) -> xr.Dataset:
    """How Fisher and kernel trace hang together along training, and which factor drives the Fisher trace.

    Parameters
    ----------
    ds : xarray.Dataset
        From `fit` or `study`.

    Returns
    -------
    xarray.Dataset
        Means over the seeds whose runs did not diverge, ``runs`` in number, of: ``ratio_variation``, the coefficient of
        variation of tr I / tr Λ along the epochs, and ``ratio_range``, its maximum over its minimum; ``deviation``
        Var(log tr I − log tr Λ) / Var(log tr I), what proportionality leaves unexplained (it may exceed 1); ``slope``
        of log tr I against log tr Λ; ``correlation``, Pearson's, which misleads (it can be near 1 while the ratio
        drifts); and the shares Cov(log factor, log tr I) / Var(log tr I) of the four factors, which sum to 1. Print it
        by ``.to_dataframe()``. nan where fewer than two epochs have positive traces, and where a trace that is divided
        by does not change beyond rounding, as the kernel of a linear model: the standard deviation of its logarithms
        over n epochs is at most one machine epsilon of the network plus n of float64 times the largest of them.

    Raises
    ------
    TypeError, ValueError
        For what is no Dataset, or lacks a trace or a factor.

    Examples
    --------
    >>> import infogeom as ig
    >>> net, x, y = ig.network.MLP((2, 3, 2), seed=1), [[1.0, 0.5], [0.2, -1.0]], [[1, 0], [0, 1]]
    >>> record = ig.network.fit(net, x, y, ig.losses.CrossEntropy(), epochs=3)
    >>> int(ig.network.statistics(record).runs)
    1
    """
    if not isinstance(ds, xr.Dataset):
        raise TypeError(f"ds must be a Dataset from fit or study, got {ds!r}")
    missing = [name for name in OF_STATISTICS if name not in ds]
    if missing:
        raise ValueError(f"ds must hold the traces and factors of a training record, missing {missing}")
    dims = [d for d in ("loss", "width", "seed") if d in ds.dims]
    shape = [ds.sizes[d] for d in dims]
    rows = [_statistics(ds.isel(dict(zip(dims, at, strict=True)))) for at in np.ndindex(*shape)]
    variables = {name: (dims, np.array([row[name] for row in rows]).reshape(shape)) for name in rows[0]}
    table = xr.Dataset(variables, {d: ds[d] for d in dims})
    if "status" in ds:
        table = table.where(ds["status"] == 0)
    table["runs"] = table["ratio_variation"].notnull()
    if "seed" in dims:
        table = table.drop_vars("runs").mean("seed").assign(runs=table["runs"].sum("seed"))
    return table.assign({name: table[name].assign_attrs(long_name=TITLES[name], units="1") for name in TITLES})


def _statistics(run: xr.Dataset) -> dict[str, float]:
    """Statistics of one run over the epochs at which its traces and their factors are positive."""
    columns = np.array([run[name].values for name in OF_STATISTICS])
    columns = columns[:, (columns > 0).all(axis=0)]
    if columns.shape[1] < 2:
        return {name: np.nan for name in TITLES if name != "runs"}
    fisher, kernel = columns[:2]
    ratio, logs = fisher / kernel, np.log(columns)
    covariance = np.cov(logs)

    # Of traces that stay as they are, variances are rounding: nothing can be said in terms of them.
    dtype = np.float32 if "float32" in run.attrs.get("model", "") else np.float64
    rounding = np.finfo(dtype).eps + np.finfo(np.float64).eps * logs.shape[1] * abs(logs[:2]).max(axis=1)
    variances = np.diag(covariance)[:2]
    of_fisher, of_kernel = np.where(variances > rounding**2, variances, np.nan)
    both = np.nan if np.isnan(of_fisher + of_kernel) else np.corrcoef(fisher, kernel)[0, 1]
    found = {
        "ratio_variation": ratio.std() / ratio.mean(),
        "ratio_range": ratio.max() / ratio.min(),
        "deviation": np.log(ratio).var(ddof=1) / of_fisher,
        "slope": covariance[0, 1] / of_kernel,
        "correlation": both,
    }
    for name, share in zip(FACTORS, covariance[0, 2:] / of_fisher, strict=True):
        found[f"share_{name}"] = share
    return found
