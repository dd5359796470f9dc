"""The command ``infogeom``: one function per subcommand."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import importlib.util
import inspect
import io
import os
import sys
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

from tqdm import tqdm

import infogeom as ig

if TYPE_CHECKING:
    from infogeom.losses import Loss
    from infogeom.models import Model
    from infogeom.symbolic import Metric

__all__ = ["main"]

AGREEMENT, DISAGREEMENT, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
#: As of a program that the signal of a closed pipe ends; EX_IOERR of sysexits.h.
UNREAD, UNWRITTEN = 141, 74
DEFAULT_SAMPLES = 1000

MODELS = """\
MODEL is one of

  normal, binomial:7      a family, its integer arguments after the colon
  neuron:LOSS             the two-parameter network of the thesis on its data set; LOSS is the name of one,
  neuron:LOSS:expected    such as cross-entropy, l2 (or l4, …: an L_p norm) or mean-power-2 (or 4, …); with the
                          expected Fisher metric instead of the empirical one
  path/to/file.py:NAME    a Model or a Metric of your own, or a function without arguments that returns one
  package.module:NAME     the same from a module that Python can import from here
"""

VERIFY = """\
Compute metric, connection and curvature of a model by independent routes, and say whether they agree.

The compiled values are compared with the definition by quadrature or summation, the closed form in 50 digits, the
Gauss equation, ball arithmetic and EinsteinPy. Exit status: 0 if every comparison agrees, 1 if one does not (or there
was nothing to compare), 2 for bad input."""

FAMILIES = """\
List the families: parameters, Fisher metric and scalar curvature R in closed form, whether the metric is Hessian in
these parameters (∂_k g_ij totally symmetric), and whether the curvature is constant.

Yes and no are proven; what is not known is left open (?), as is a closed form of R where those of the metric and of its
inverse are long already (less so for a family alone). Expectations that do not close are taken by quadrature or
summation."""

EXAMPLES = """
examples:
  infogeom verify normal
  infogeom verify binomial:7 --at p=0.3 --at p=1/2
  infogeom verify neuron:cross-entropy --at theta1=0.5,theta2=-0.5
  infogeom verify my_models.py:weibull --points 5 --seed 1
"""


class Parser(argparse.ArgumentParser):
    """Errors take one line."""

    def error(self, message: str) -> NoReturn:
        """Exit with status 2."""
        self.exit(BAD_INPUT, f"infogeom: error: {message}\n")

    def _print_message(self, message: str, file: Any = None) -> None:
        """Argparse passes over what cannot be written; of what was asked for it is told here."""
        if file is sys.stdout:
            print(message, end="", file=file)
        else:
            super()._print_message(message, file)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand and return its exit status; by SystemExit 0 for --help and --version, 2 for bad input.

    Characters that the encoding of the output lacks are written as backslash and number. Output that nobody reads on
    ends the command in silence, output that cannot be written with a line that says why.
    """
    if sys.stderr is None:  # closed; print and tqdm would take another
        sys.stderr = io.StringIO()
    if sys.stdout is None:
        print("infogeom: standard output is closed", file=sys.stderr)
        return UNWRITTEN
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors in ("strict", "surrogateescape"):
        sys.stdout.reconfigure(errors="backslashreplace")  # not "?", which says that something is not known
    try:
        try:
            return _run(argv)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        _write_no_more()
        return UNREAD
    except OSError as error:
        _write_no_more()
        with contextlib.suppress(OSError):
            print(f"infogeom: {error}", file=sys.stderr)
        return UNWRITTEN


def _run(argv: Sequence[str] | None) -> int:
    parser = Parser(prog="infogeom", description="Information geometry: metrics, connections and curvature of models.")
    parser.add_argument("--version", action="version", version=f"infogeom {ig.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for add in COMMANDS:
        add(commands)
    options = parser.parse_args(argv)
    try:
        status: int = options.run(options)
    except (TypeError, ValueError, ArithmeticError) as error:
        parser.error(" ".join(str(error).split()))
    except KeyboardInterrupt:
        print("infogeom: interrupted", file=sys.stderr)
        return INTERRUPTED
    return status


def _write_no_more() -> None:
    """Nothing goes to a closed pipe, neither what is buffered when the interpreter ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


# --- Subcommands: each adds its parser, whose ``run`` takes the options and returns the exit status -------------------


def _verify(commands: Any) -> None:
    parser = commands.add_parser(
        "verify",
        help="compare the numbers of a model by independent routes",
        description=VERIFY,
        epilog=MODELS + EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("model", metavar="MODEL", help="what to verify, see below")
    parser.add_argument(
        "--at",
        action="append",
        metavar="NAME=VALUE[,NAME=VALUE…]",
        help="a point, every parameter with its value (a decimal or a fraction such as 1/3); may be repeated",
    )
    parser.add_argument("--points", type=int, metavar="K", help="draw K points of the typical ranges (default 3)")
    parser.add_argument(
        "--seed", type=int, default=0, metavar="S", help="of the points drawn and of a network's data (default 0)"
    )
    parser.add_argument("--samples", type=int, metavar="N", help="size of a network's data set (default 1000)")
    parser.add_argument("--slow", action="store_true", help="ask EinsteinPy about three parameters too (minutes)")

    def run(options: argparse.Namespace) -> int:
        if options.at and options.points is not None:
            raise ValueError("--points draws points and --at gives them: leave out one of them")
        subject = model_named(options.model, options.samples, options.seed)
        if options.at:
            names = ig.symbolic.fisher.numeric_metric(subject).names
            points: Any = [_point(text, names) for text in options.at]
        else:
            count = 3 if options.points is None else options.points
            points = ig.verification.typical_points(subject, count, options.seed)
        result = ig.verify(subject, points, slow=options.slow)
        print(result)
        return AGREEMENT if result.agree else DISAGREEMENT

    parser.set_defaults(run=run)


def _models(commands: Any) -> None:
    parser = commands.add_parser(
        "models",
        help="list the families, or show one in full",
        description=FAMILIES,
        epilog=MODELS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("model", metavar="MODEL", nargs="?", help="one in full, see below; all in a table when omitted")
    parser.add_argument("--latex", action="store_true", help="LaTeX instead of text")

    def run(options: argparse.Namespace) -> int:
        if options.model is None:
            _print_table(latex=options.latex)
        else:
            subject = model_named(options.model)
            if not isinstance(subject, ig.models.Model):
                raise TypeError(f"{options.model} must be a Model, got a {type(subject).__name__}")
            found = ig.catalogue.entry(subject, name=options.model)
            print(found.latex() if options.latex else found)
        return AGREEMENT

    parser.set_defaults(run=run)


def _print_table(*, latex: bool) -> None:
    """Families in LaTeX, or as text, line by line as they are found."""
    if latex:
        print(ig.models.table().latex())
        return
    for line in ig.catalogue.lines():
        tqdm.write(line)  # beside its progress bar
        sys.stdout.flush()


COMMANDS: tuple[Callable[[Any], None], ...] = (_verify, _models)


# --- Arguments --------------------------------------------------------------------------------------------------------


def model_named(text: str, samples: int | None = None, seed: int = 0) -> Model | Metric:
    """Model or metric that MODEL names.

    Parameters
    ----------
    text : str
        As in ``infogeom verify --help``.
    samples, seed : int
        Of a network's data set.

    Raises
    ------
    TypeError, ValueError
        Saying what MODEL must be.
    """
    head, _, rest = text.partition(":")
    if head == "neuron":
        return _neuron(rest, DEFAULT_SAMPLES if samples is None else samples, seed)
    if samples is not None:
        raise ValueError(f"--samples is the size of a neuron's data set, and {text} has none")
    families = ig.models.families()
    if head in families:
        return ig.models.family(text)
    place, _, name = text.rpartition(":")
    if not place or not name:
        known = ", ".join(sorted(families))
        raise ValueError(f"MODEL must be a family ({known}), neuron:LOSS, FILE.py:NAME or MODULE:NAME, got {text!r}")
    module = _loaded(place, lambda: _from_file(Path(place)) if place.endswith(".py") else _from_here(place))
    if not hasattr(module, name):
        raise ValueError(f"{place} has no {name!r}")
    value = getattr(module, name)
    if inspect.isroutine(value):
        value = _loaded(text, value)
    if not isinstance(value, ig.models.Model | ig.symbolic.Metric):
        raise TypeError(f"{text} must be a Model, a Metric or a function that returns one, got {type(value).__name__}")
    return value


def _neuron(text: str, samples: int, seed: int) -> Model:
    name, _, fisher = text.partition(":")
    if fisher not in ("", "empirical", "expected"):
        raise ValueError(f"MODEL must be written neuron:LOSS, neuron:LOSS:expected or :empirical, got {fisher!r}")
    loss = _loss(name)
    return ig.models.sigmoid_neuron(*ig.models.decision_boundary(samples, seed), loss, fisher=fisher or "empirical")


def _loss(name: str) -> Loss:
    try:
        return ig.losses.by_name(name)
    except ValueError as error:
        raise ValueError(str(error).replace("loss", "LOSS", 1)) from None


def _loaded(what: str, load: Callable[[], Any]) -> Any:
    """Result of running someone's code, whose errors become one line."""
    try:
        return load()
    except (Exception, SystemExit) as error:
        raise ValueError(f"{what} failed: {type(error).__name__}: {error}") from error


def _from_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise FileNotFoundError("there is no such file")
    specification = importlib.util.spec_from_file_location(path.stem, path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.path.insert(0, str(path.resolve().parent))  # as for a script
    specification.loader.exec_module(module)
    return module


def _from_here(name: str) -> ModuleType:
    sys.path.insert(0, str(Path.cwd()))  # as for python -m
    return importlib.import_module(name)


def _point(text: str, names: Sequence[str]) -> list[float]:
    """Point from NAME=VALUE,NAME=VALUE…, in the order of the names."""
    values: dict[str, float] = {}
    for pair in text.split(","):
        name, equals, value = (part.strip() for part in pair.partition("="))
        if not equals or name not in names:
            raise ValueError(f"--at must name {', '.join(names)} as NAME=VALUE, got {pair!r}")
        if name in values:
            raise ValueError(f"--at must name each parameter once, got {name!r} twice in {text!r}")
        values[name] = _real(name, value)
    missing = [name for name in names if name not in values]
    if missing:
        raise ValueError(f"--at must name every parameter; missing {', '.join(missing)} in {text!r}")
    return [values[name] for name in names]


def _real(name: str, text: str) -> float:
    try:
        return float(Fraction(text))
    except (ValueError, ZeroDivisionError, OverflowError):
        raise ValueError(f"--at: {name} must be a finite decimal or a fraction, got {text!r}") from None
