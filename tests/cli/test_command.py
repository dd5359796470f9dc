"""The command ``infogeom``: what it prints, and its exit status."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tqdm import tqdm

import infogeom as ig
from infogeom import cli
from infogeom.cli import subjects

ROOT = Path(__file__).parents[2]

MINE = """
import sympy
import infogeom as ig

u, v = sympy.symbols("u v", real=True)
sphere = ig.symbolic.Metric([u, v], sympy.diag(1, sympy.sin(u) ** 2))
number = 7

def three():
    return ig.models.binomial(3)

def broken():
    raise KeyError("no such thing")

def wrong():
    model = ig.models.binomial(3)
    p = model.parameters[0].symbol
    ig.symbolic.structures.kept._CLOSED[model] = ig.symbolic.Metric([p], [[2 / p]])
    return model
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A user's file with a metric and functions."""
    path = tmp_path / "my_models.py"
    path.write_text(MINE, encoding="utf-8")
    return path


def run(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """``python -m infogeom`` on this source tree."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = os.environ | {"PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"}
    line = [sys.executable, "-m", "infogeom", *arguments]
    return subprocess.run(line, capture_output=True, text=True, check=False, env=environment, encoding="utf-8", cwd=cwd)


# --- In an interpreter of its own -------------------------------------------------------------------------------------


def test_agreement_exits_with_0() -> None:
    done = run("verify", "binomial:7", "--at", "p=0.3", "--at", "p=1/2")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Model binomial: p\n")
    assert {line.split()[0] for line in done.stdout.splitlines() if "agrees" in line} == {"0.3", "0.5"}
    assert done.stdout.rstrip().endswith("comparisons agree")


def test_disagreement_exits_with_1(mine: Path) -> None:
    done = run("verify", f"{mine}:wrong", "--at", "p=0.25")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.rstrip().endswith("comparisons DISAGREE")


def test_bad_input_exits_with_2_and_one_line() -> None:
    done = run("verify", "norm")
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("infogeom: error: MODEL must be a family (bernoulli, ")


def test_a_module_of_the_working_directory_is_found(mine: Path) -> None:
    done = run("verify", "my_models:three", "--points", "1", cwd=mine.parent)
    assert done.returncode == 0, done.stderr


def test_help_and_version_load_no_heavy_package() -> None:
    code = (
        "import sys\nfrom infogeom.cli import main\n"
        "try: main(['--version'])\nexcept SystemExit as e: assert not e.code\n"
        "assert not {'sympy', 'numba', 'xarray', 'matplotlib'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stdout.strip()) == (0, f"infogeom {ig.__version__}"), done.stderr


# --- Into whatever stands behind --------------------------------------------------------------------------------------


def command(
    *arguments: str, encoding: str, stdout: int = subprocess.PIPE, unbuffered: str = ""
) -> subprocess.CompletedProcess[bytes]:
    """``python -m infogeom`` with output in an encoding."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = os.environ | {"PYTHONPATH": path, "PYTHONIOENCODING": encoding, "PYTHONUNBUFFERED": unbuffered}
    line = [sys.executable, "-m", "infogeom", *arguments]
    return subprocess.run(line, stdout=stdout, stderr=subprocess.PIPE, check=False, env=environment)


@pytest.mark.parametrize(
    ("arguments", "encoding"),
    [(["models", "poisson"], "ascii"), (["models", "--help"], "ascii"), (["models", "--help"], "cp1252")],
)
def test_what_an_encoding_lacks_is_written_as_escapes(arguments: list[str], encoding: str) -> None:
    done, whole = command(*arguments, encoding=encoding), command(*arguments, encoding="utf-8")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == whole.stdout.decode().encode(encoding, "backslashreplace")
    assert done.stdout != whole.stdout


def test_a_handler_of_the_users_is_left_alone() -> None:
    done = command("models", "--help", encoding="ascii:replace")
    assert b"(?_k g_ij totally symmetric)" in done.stdout


@pytest.mark.parametrize("arguments", [["models"], ["--help"]], ids=["table", "help"])
def test_a_pipe_that_nobody_reads_ends_the_command_in_silence(arguments: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = command(*arguments, encoding="utf-8", stdout=writer)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is full")
@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
def test_output_that_cannot_be_written_is_told_in_a_line(unbuffered: str) -> None:
    with Path("/dev/full").open("wb") as full:
        done = command("models", "--help", encoding="utf-8", stdout=full.fileno(), unbuffered=unbuffered)
    assert done.returncode == 74
    assert done.stderr.decode().splitlines() == ["infogeom: [Errno 28] No space left on device"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is full")
def test_bad_input_is_so_where_nobody_can_be_told() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([sys.executable, "-m", "infogeom", "nosuch"], stderr=full, check=False, cwd=ROOT)
    assert done.returncode == 2


def test_a_progress_bar_finds_a_stream_where_errors_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    assert cli.main(["models", "poisson"]) == 0
    with tqdm(total=1) as bar:
        bar.update()


def test_a_closed_output_is_told_in_a_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    assert cli.main(["--version"]) == 74
    assert capsys.readouterr().err == "infogeom: standard output is closed\n"


# --- In this one ------------------------------------------------------------------------------------------------------


def test_points_are_drawn_by_number_and_seed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["verify", "binomial:2", "--points", "2", "--seed", "4"]) == 0
    text = capsys.readouterr().out
    for point in ig.verification.typical_points(ig.models.binomial(2), 2, seed=4):
        assert f"{point[0]:.6g} " in text


def test_nothing_to_compare_exits_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["verify", "normal", "--at", "mu=0,sigma=-1"]) == 1
    assert "outside the domain" in capsys.readouterr().out


def test_parameters_may_come_in_any_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["verify", "normal", "--at", "sigma=-2, mu=0.5"]) == 1
    assert "\n0.5, -2 " in capsys.readouterr().out


def test_a_metric_and_a_function_of_a_file_are_models(mine: Path) -> None:
    assert subjects.model_named(f"{mine}:sphere").names == ("u", "v")  # type: ignore[union-attr]
    assert subjects.model_named(f"{mine}:three").name == "binomial"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "loss", "fisher"),
    [
        ("neuron:cross-entropy", "cross-entropy", "empirical"),
        ("neuron:l2:expected", "l2", "expected"),
        ("neuron:mean-power-4:empirical", "mean-power-4", "empirical"),
    ],
)
def test_a_neuron_is_that_of_the_thesis(text: str, loss: str, fisher: str) -> None:
    model = subjects.model_named(text, samples=20, seed=3)
    assert isinstance(model, ig.models.Model)
    assert model.loss is not None
    assert model.samples is not None
    assert (model.loss.name, model.fisher) == (loss, fisher)
    inputs, targets = ig.models.decision_boundary(20, 3)
    np.testing.assert_array_equal(model.samples.data, (1 - 2 * targets)[:, None] * inputs)


def test_a_neuron_has_a_thousand_samples_unless_told() -> None:
    model = subjects.model_named("neuron:l2")
    assert isinstance(model, ig.models.Model)
    assert model.samples is not None
    assert len(model.samples) == 1000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["verify"], "the following arguments are required: MODEL"),
        (["verfy"], "argument COMMAND: invalid choice: 'verfy'"),
        (["verify", "normal:3"], "family must be written normal, got 'normal:3'"),
        (["verify", "binomial"], "family must be written binomial:n, got 'binomial'"),
        (["verify", "binomial:x"], "family binomial: arguments must be integers, got 'x'"),
        (["verify", "binomial:0"], "binomial: n must be at least 1, got 0"),
        (["verify", "neuron:l0.5"], "LOSS 'l0.5' is none: LpNorm: p must be finite and at least 1, got 0.5"),
        (["verify", "neuron:mean-power-3"], "LOSS 'mean-power-3' is none: MeanPower: n must be even and at least 2"),
        (["verify", "neuron:hinge"], "LOSS must be cross-entropy, an L_p norm such as l2, or a mean power"),
        (["verify", "neuron"], "LOSS must be cross-entropy, an L_p norm such as l2, or a mean power"),
        (["verify", "neuron:l2:true"], "MODEL must be written neuron:LOSS, neuron:LOSS:expected or :empirical"),
        (["verify", "neuron:l2", "--samples", "0"], "n must be at least 1, got 0"),
        (["verify", "normal", "--samples", "9"], "--samples is the size of a neuron's data set, and normal has none"),
        (["verify", "normal", "--points", "0"], "count must be at least 1, got 0"),
        (["verify", "normal", "--points", "x"], "argument --points: invalid int value: 'x'"),
        (["verify", "normal", "--seed", "-1"], "seed must be at least 0, got -1"),
        (["verify", "normal", "--points", "2", "--at", "mu=0,sigma=1"], "--points draws points and --at gives them"),
        (["verify", "normal", "--at", "mu=0"], "--at must name every parameter; missing sigma in 'mu=0'"),
        (["verify", "normal", "--at", "mu=0,tau=1"], "--at must name mu, sigma as NAME=VALUE, got 'tau=1'"),
        (["verify", "normal", "--at", "mu,sigma"], "--at must name mu, sigma as NAME=VALUE, got 'mu'"),
        (["verify", "normal", "--at", "mu=0,mu=1,sigma=1"], "--at must name each parameter once, got 'mu' twice"),
        (["verify", "normal", "--at", "mu=nan,sigma=1"], "--at: mu must be a finite decimal or a fraction, got 'nan'"),
        (["verify", "normal", "--at", "mu=1/0,sigma=1"], "--at: mu must be a finite decimal or a fraction, got '1/0'"),
        (["verify", "normal", "--at", "mu=1e999,sigma=1"], "--at: mu must be a finite decimal or a fraction"),
        (["models", "gama"], "MODEL must be a family (bernoulli, beta, beta_binomial,"),
        (["models", "binomial"], "family must be written binomial:n, got 'binomial'"),
        (["models", "neuron:l2"], "the metric of 'sigmoid neuron' is a mean over its data"),
        (["models", "{mine}:sphere"], ":sphere must be a Model, got a Metric"),
        (["verify", "nothere.py:model"], "nothere.py failed: FileNotFoundError: there is no such file"),
        (["verify", "no_such_module:model"], "no_such_module failed: ModuleNotFoundError: No module named"),
        (["verify", "{mine}:absent"], "has no 'absent'"),
        (["verify", "{mine}:number"], "must be a Model, a Metric or a function that returns one, got int"),
        (["verify", "{mine}:broken"], "failed: KeyError: 'no such thing'"),
    ],
)
def test_bad_input_gets_one_line(
    arguments: list[str], message: str, mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_:
        cli.main([argument.replace("{mine}", str(mine)) for argument in arguments])
    assert exit_.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("infogeom: error: ")
    assert message in line


def test_an_interrupt_is_no_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("infogeom.cli.verify.model_named", interrupted)
    assert cli.main(["verify", "normal"]) == 130
    assert capsys.readouterr().err == "infogeom: interrupted\n"


# --- infogeom models --------------------------------------------------------------------------------------------------


def test_the_table_is_printed_line_by_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    few = {name: ig.models.families()[name] for name in ("normal", "binomial", "skellam")}
    monkeypatch.setattr("infogeom.models.by_name.families", lambda: few)
    lines = ig.catalogue.lines()
    assert next(lines).split() == ["family", "parameters", "Hessian", "curvature", "R", "metric"]
    lines.close()
    assert cli.main(["models"]) == 0
    text = capsys.readouterr().out
    assert [line.split()[0] for line in text.splitlines()] == ["family", "binomial:2", "normal", "skellam"]
    assert text == f"{ig.models.table()}\n"


@pytest.mark.slow
def test_the_table_comes_in_latex_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("infogeom.models.by_name.families", lambda: {"normal": ig.models.normal})
    assert cli.main(["models", "--latex"]) == 0
    assert capsys.readouterr().out == ig.models.table().latex() + "\n"


def test_one_family_is_shown_in_full() -> None:
    done = run("models", "student_t:3")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("student_t:3\n\nlaw          Student, known degrees of freedom\n")
    assert "\nR            -2\ncurvature    constant\n" in done.stdout


def test_one_family_comes_in_latex_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["models", "normal", "--latex"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("\\begin{aligned}\nx &\\sim \\mathcal{N}(\\mu, \\sigma^2) ")
    assert text.endswith("R &= -1\n\\end{aligned}\n")


def test_a_model_of_ones_own_is_shown_in_full(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["models", f"{mine}:three"]) == 0
    assert "metric       3/(p*(1 - p))" in capsys.readouterr().out.splitlines()
