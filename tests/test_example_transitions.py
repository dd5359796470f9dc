"""Phase transitions, run as a user runs them."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from tests.examples import ROOT, quick_run, refusal

TRANSITIONS = ROOT / "examples" / "phase_transitions.py"
CRITICAL = np.log(1 + np.sqrt(2)) / 2


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Folder and printed text of a quick run."""
    return quick_run(TRANSITIONS, tmp_path_factory.mktemp("transitions") / "new" / "folder")


def test_every_picture_and_dataset_is_written_and_nothing_else(quick: tuple[Path, str]) -> None:
    pictures = {"curvature.png", "critical_point.png", "fluctuations.png", "closed_forms.png"}
    assert {file.name for file in quick[0].iterdir()} == pictures | {
        "no_field.nc",
        "map.nc",
        "van_der_waals.nc",
        "chain.nc",
    }
    assert min((quick[0] / name).stat().st_size for name in pictures) > 10_000
    assert quick[1].rstrip().endswith(str(quick[0]))


def test_curvature_is_that_of_cumulants_over_counted_states(quick: tuple[Path, str]) -> None:
    plane = xr.load_dataset(quick[0] / "map.nc", engine="scipy")
    lines = xr.load_dataset(quick[0] / "no_field.nc", engine="scipy")
    assert (plane.status == 0).all()
    assert set(lines.L.values.tolist()) == {8, 16, 32}
    assert (lines.status <= 1).all()
    R, at = lines.ricci_scalar[lines.L == 32], lines.beta[lines.L == 32]
    assert R.max() == pytest.approx(125.74, abs=0.01)
    assert 0.40 < at[R.argmax("point")] < CRITICAL
    assert plane.ricci_scalar.sel(h=0).min() > 0  # on h = 0, whatever β
    assert plane.ricci_scalar.sel(beta=0.6, h=0.09, method="nearest") < -1000  # and on the flank


def test_the_critical_point_is_found_by_s_and_missed_by_fits_to_R(quick: tuple[Path, str]) -> None:
    value, error = map(float, re.search(r"^β_c = (\S+) ± (\S+) of the maximum of s;", quick[1], re.MULTILINE).groups())
    assert abs(value - CRITICAL) < error < 2e-3
    fits = re.findall(r"^β_c by a fit .* R, (\w+): (\S+) ± (\S+), off by", quick[1], re.MULTILINE)
    assert [which for which, _, _ in fits] == ["lower", "upper"]
    for _, fitted, stated in fits:
        assert abs(float(fitted) - CRITICAL) > 5 * float(stated)
    for name in ("1/ν", "γ/ν", "α/ν"):
        assert re.search(rf"^  {name} = ", quick[1], re.MULTILINE)
    orders = re.findall(r"^  β .*: (\w+) order, ", quick[1], re.MULTILINE)
    assert orders == ["first", "second"]


def test_metric_and_derivatives_of_means_agree(quick: tuple[Path, str]) -> None:
    off = re.findall(r"^  I_.* +(\S+e-\d\d)$", quick[1], re.MULTILINE)
    assert len(off) == 2
    assert max(map(float, off)) < 1e-11


def test_van_der_waals_condenses_where_R_is_finite_and_loses_stability_where_it_is_not(quick: tuple[Path, str]) -> None:
    functions = runpy.run_path(str(TRANSITIONS))
    T, *volumes = functions["binodal"](np.array([0.3, 1.0, 2.5]))
    pressures = [8 * T / (3 * v - 1) - 3 / v**2 for v in volumes]
    potentials = [-8 / 3 * T * np.log(v - 1 / 3) - 3 / v + p * v for v, p in zip(volumes, pressures, strict=True)]
    np.testing.assert_allclose(*pressures, rtol=1e-10)
    np.testing.assert_allclose(*potentials, rtol=1e-10)
    edge = np.array([0.7, 1.0, 3.0])
    np.testing.assert_allclose(24 * functions["spinodal"](edge) / (3 * edge - 1) ** 2, 6 / edge**3, rtol=1e-12)

    ds = xr.load_dataset(quick[0] / "van_der_waals.nc", engine="scipy")
    stable = functions["spinodal"](ds.v) < ds.T
    assert ((ds.status == 10) == ~stable).all()
    for name in ("liquid", "gas"):
        near = re.search(rf"^  {name} +(\S+), (\S+), (\S+) at .* from the spinodal", quick[1], re.MULTILINE).groups()
        first, second, third = map(float, near)
        assert 80 < second / first < 125
        assert 95 < third / second < 105
        assert 0 < float(re.search(rf"^  {name} +(\S+) on the binodal", quick[1], re.MULTILINE)[1]) < 5


def test_the_chain_has_its_formula(quick: tuple[Path, str]) -> None:
    ds = xr.load_dataset(quick[0] / "chain.nc", engine="scipy")
    np.testing.assert_allclose(ds.ricci_scalar, ds.formula, rtol=1e-12)


def test_states_of_the_smallest_torus_are_those_of_a_walk_over_bonds() -> None:
    E, M, number = runpy.run_path(str(TRANSITIONS))["all_states"](3)
    found: dict[tuple[int, int], int] = {}
    for state in range(2**9):
        s = [1 if state >> site & 1 else -1 for site in range(9)]
        bonds = sum(
            s[3 * r + c] * (s[3 * ((r + 1) % 3) + c] + s[3 * r + (c + 1) % 3]) for r in range(3) for c in range(3)
        )
        found[bonds, sum(s)] = found.get((bonds, sum(s)), 0) + 1
    assert dict(zip(zip(E, M, strict=True), number, strict=True)) == found


def test_bad_arguments_get_one_line_and_exit_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "--size 3" in refusal(TRANSITIONS, tmp_path / "out", ["--size", "3"], capsys)
