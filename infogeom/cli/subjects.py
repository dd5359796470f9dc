"""What the command is asked about: MODEL in words, and the model or metric that it names."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import infogeom as ig

if TYPE_CHECKING:
    from infogeom.losses import Loss
    from infogeom.models import Model
    from infogeom.symbolic import Metric

__all__ = ["MODELS", "model_named"]

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
    value = _of_the_users(place, name)
    if not isinstance(value, ig.models.Model | ig.symbolic.Metric):
        raise TypeError(f"{text} must be a Model, a Metric or a function that returns one, got {type(value).__name__}")
    return value


def _of_the_users(place: str, name: str) -> Any:
    """What a file or a module calls by a name, or what the function of that name returns."""
    read = _from_file if place.endswith(".py") else _from_here
    module = _loaded(place, partial(read, place))
    if not hasattr(module, name):
        raise ValueError(f"{place} has no {name!r}")
    value = getattr(module, name)
    if inspect.isroutine(value):
        value = _loaded(f"{place}:{name}", value)
    return value


def _neuron(text: str, samples: int, seed: int) -> Model:
    name, _, fisher = text.partition(":")
    if fisher not in ("", "empirical", "expected"):
        raise ValueError(f"MODEL must be written neuron:LOSS, neuron:LOSS:expected or :empirical, got {fisher!r}")
    loss = _loss(name)
    inputs, targets = ig.models.decision_boundary(samples, seed)
    return ig.models.sigmoid_neuron(inputs, targets, loss, fisher=fisher or "empirical")


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


def _from_file(place: str) -> ModuleType:
    path = Path(place)
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
