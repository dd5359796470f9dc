"""Variables of Datasets: what they say of themselves, also from a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from infogeom.variables import flags, numbers, texts


def test_numbers_have_a_label_and_no_unit() -> None:
    ds = xr.Dataset({"R": numbers(["x"], [1.0, 2.0], "$R$")})
    assert ds.R.attrs == {"long_name": "$R$", "units": "1"}
    assert ds.R.dims == ("x",)


def test_flags_declare_what_each_number_means() -> None:
    ds = xr.Dataset({"status": flags(["x"], np.array([0, 2], dtype=np.int8), "ends", {"done": 0, "lost": 2})})
    assert ds.status.attrs["flag_meanings"] == "done lost"
    assert ds.status.attrs["flag_values"].tolist() == [0, 2]
    assert ds.status.attrs["flag_values"].dtype == ds.status.dtype


def test_words_of_any_length_come_back_from_a_file(tmp_path: Path) -> None:
    words = ["l2", "cross-entropy", "σ" * 50]
    xr.Dataset(coords={"loss": texts("loss", words)}).to_netcdf(tmp_path / "words.nc")
    with xr.open_dataset(tmp_path / "words.nc") as ds:
        assert ds.loss.values.tolist() == words


def test_words_are_stored_as_text_without_a_fixed_length() -> None:
    assert xr.Dataset(coords={"loss": texts("loss", ["l2"])}).loss.encoding == {"dtype": object}
